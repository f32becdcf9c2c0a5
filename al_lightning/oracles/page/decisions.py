"""What is decided about images: by the file of the page, and by the run's record."""

import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from al_lightning.oracles.page.page_log import Entry, Kind, PageLog
from al_lightning.run.pool import Pool
from al_lightning.utils.errors import UsageError


class Refused(Exception):  # noqa: N818 - it is no error of the program
    """What a page wants is not possible; the message is for the person."""


class Decisions:
    """Labels and skips of images, the last word of people on each.

    Args:
        log: Where they are kept.
        classes: Names of the classes, by label.

    Raises:
        UsageError: If the log names a class that does not exist.
    """

    def __init__(self, log: PageLog, classes: Sequence[str]) -> None:
        self.classes = tuple(classes)
        self._log = log
        self._label = {name: label for label, name in enumerate(self.classes)}
        self._said: dict[int, Entry] = {}
        self._known: dict[int, int] = {}  # labels that the run has recorded
        self._skipped: set[int] = set()  # skips that the run has recorded
        for entry in log.entries:
            if entry.kind == "label" and entry.name not in self._label:
                raise UsageError(
                    f"{log.path} has labels of the class {entry.name!r}, which is none of "
                    f"{', '.join(self.classes)}. Add it to the classes, or remove these lines"
                )
            self._hear(entry)

    def record(self, pool: Pool) -> None:
        """Take over what the run has recorded."""
        ids = [*pool.labeled_ids.tolist(), *pool.validation_ids.tolist()]
        labels = [*pool.labels.tolist(), *pool.validation_labels.tolist()]
        self._known = dict(zip(ids, labels, strict=True))
        self._skipped = set(pool.skipped_ids.tolist())

    def hand_over(self, labels: dict[int, int], skipped: Sequence[int]) -> None:
        """Note what the run is about to record."""
        self._known |= labels
        self._skipped |= set(skipped)

    def is_decided(self, image: int) -> bool:
        """Return whether an image has a label or a skip."""
        return image in self._said or image in self._known or image in self._skipped

    def is_recorded(self, image: int) -> bool:
        """Return whether the run has recorded a label or a skip of an image."""
        return image in self._known or image in self._skipped

    def label(self, image: int) -> int | None:
        """Return the class of an image; None where it is skipped or open."""
        said = self._said.get(image)
        if said is not None and said.kind == "label":
            return self._label[said.name]
        return None if said is not None else self._known.get(image)

    def value(self, image: int) -> str | None:
        """Return what the page shows of an image: its class, "" if it is skipped, None if it is open."""
        label = self.label(image)
        if label is not None:
            return self.classes[label]
        return "" if image in self._said or image in self._skipped else None

    def new(self) -> tuple[dict[int, int], list[int]]:
        """Return labels and skips that the run has not recorded, oldest first."""
        fresh = [e for i, e in self._said.items() if not self.is_recorded(i)]
        return (
            {e.id: self._label[e.name] for e in fresh if e.kind == "label"},
            [e.id for e in fresh if e.kind == "skip"],
        )

    def corrections(self) -> dict[str, dict[int, int]]:
        """Return labels that differ from the recorded ones: classes by ids, by the person's name."""
        found: dict[str, dict[int, int]] = {}
        for image, entry in self._said.items():
            if entry.kind == "label" and image in self._known:
                label = self._label[entry.name]
                if self._known[image] != label:
                    found.setdefault(entry.by, {})[image] = label
        return found

    def say(self, values: Sequence[tuple[int, str | None]], by: str) -> list[Entry]:
        """Write down what a person says, all of it or nothing.

        Args:
            values: Ids, each with a class, "" for a skip, or None to take back what was said.
            by: The person's name.

        Returns:
            The entries that were new.

        Raises:
            Refused: If one of it is not possible.
            OSError: If the disk refuses.
        """
        wanted = [(i, value) for i, value in values if self.value(i) != value]
        for image, value in wanted:
            self._check(image, value)
        entries = [Entry(i, _kind(value), value or "", by, time.time()) for i, value in wanted]
        if entries:
            self._log.append(entries)
            for entry in entries:
                self._hear(entry)
        return entries

    def counts(self) -> list[int]:
        """Return the number of labels of each class."""
        labels = {i: self.label(i) for i in (*self._known, *self._said)}
        found = Counter(labels.values())
        return [found[label] for label in range(len(self.classes))]

    def skips(self) -> int:
        """Return the number of skipped images."""
        return len({i for i, e in self._said.items() if e.kind == "skip"} | self._skipped)

    def history(self) -> list[dict[str, Any]]:
        """Return what was said, the newest first: the images with their present classes."""
        return [
            {"id": e.id, "value": self.value(e.id), "by": e.by, "at": e.at, "fixed": fixed}
            for e in sorted(self._said.values(), key=lambda e: -e.at)
            for fixed in [self.is_recorded(e.id)]
        ]

    def entries(self) -> Sequence[Entry]:
        """Return everything that was ever said, oldest first."""
        return self._log.entries

    def _hear(self, entry: Entry) -> None:
        self._said.pop(entry.id, None)  # so that the order is that of the last words
        if entry.kind != "undo":
            self._said[entry.id] = entry

    def _check(self, image: int, value: str | None) -> None:
        if value and value not in self._label:
            raise Refused(f"{value} is none of the classes")
        if image in self._skipped:
            raise Refused("This image was skipped, and the run has recorded that")
        if image in self._known and not value:
            raise Refused(
                "The model has trained on this label: it can be changed to another class, and not "
                "taken back"
            )


def _kind(value: str | None) -> Kind:
    if value is None:
        return "undo"
    return "label" if value else "skip"
