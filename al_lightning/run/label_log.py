"""The labels of a run in the order in which they came, and the pool after any of them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from al_lightning.run.pool import HELD_OUT, Pool


@dataclass
class _Entry:
    """What one event has changed."""

    labels: dict[int, int] = field(default_factory=dict)
    origin: str = ""
    skipped: Collection[int] = ()
    still_open: Collection[int] | None = None
    gone: Collection[int] = ()
    back: Collection[int] = ()


class LabelLog:
    """Labels, corrections, and images that have gone, each an entry.

    All labels are in the classes of today: where classes are merged, earlier entries change as well.

    >>> log = LabelLog()
    >>> log.add({3: 0, 1: 2})
    >>> log.add({3: 1})  # a correction
    >>> log.pool(size=4).labels, log.pool(size=4, entries=1).labels
    (tensor([1, 2]), tensor([0, 2]))
    """

    def __init__(self) -> None:
        self._entries: list[_Entry] = []

    def __len__(self) -> int:
        return len(self._entries)

    def add(
        self,
        labels: Mapping[int, int],
        *,
        origin: str = "",
        skipped: Collection[int] = (),
        still_open: Collection[int] | None = None,
    ) -> None:
        """Add labels, new or corrected.

        Args:
            labels: Classes by id.
            origin: What new ones were bought as: "validation" and "test" are not trained on.
            skipped: Images that cannot be labeled.
            still_open: Images that an annotator is still labeling; None if these are as before.
        """
        self._entries.append(_Entry(dict(labels), origin, skipped, still_open))

    def set_aside(self, gone: Collection[int], back: Collection[int]) -> None:
        """Add that the files of images have gone, or are back."""
        self._entries.append(_Entry(gone=gone, back=back))

    def merge(self, new_labels: Sequence[int]) -> None:
        """Renumber the classes.

        Args:
            new_labels: What each class is called from here on.
        """
        for entry in self._entries:
            entry.labels = {i: new_labels[label] for i, label in entry.labels.items()}

    def pool(self, size: int, entries: int | None = None) -> Pool:
        """Return the pool after the first entries.

        Args:
            size: Number of images.
            entries: How many entries count; None for all of them.
        """
        labels: dict[int, int] = {}
        held_out: dict[str, set[int]] = {origin: set() for origin in HELD_OUT}
        skipped: list[int] = []
        still_open: Collection[int] = ()
        absent: dict[int, None] = {}
        for entry in self._entries[:entries]:
            if entry.origin in held_out:
                held_out[entry.origin] |= entry.labels.keys()
            labels |= entry.labels  # an image keeps its place when its label is corrected
            skipped += entry.skipped
            still_open = still_open if entry.still_open is None else entry.still_open
            absent |= dict.fromkeys(entry.gone)
            for i in entry.back:
                absent.pop(i, None)
        here = {i: label for i, label in labels.items() if i not in absent}
        validated, tested = ([i for i in here if i in held_out[origin]] for origin in HELD_OUT)
        outside = set().union(*held_out.values())
        trained = [i for i in here if i not in outside]
        return Pool(
            size,
            labeled_ids=_int64(trained),
            labels=_int64(here[i] for i in trained),
            validation_ids=_int64(validated),
            validation_labels=_int64(here[i] for i in validated),
            test_ids=_int64(tested),
            test_labels=_int64(here[i] for i in tested),
            skipped_ids=_int64(i for i in skipped if i not in labels),
            open_ids=_int64(i for i in still_open if not (i in labels or i in absent)),
            absent_ids=_int64(absent),
            absent_labels=len(labels) - len(here),
        )


def _int64(values: Iterable[int]) -> Tensor:
    return torch.tensor(list(values), dtype=torch.int64)
