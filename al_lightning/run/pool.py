"""Which images of a data set are labeled."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

#: What labels that are never trained on are bought for.
HELD_OUT = ("validation", "test")


def _no_ids() -> Tensor:
    return torch.empty(0, dtype=torch.int64)


@dataclass(frozen=True, repr=False)
class Pool:
    """The labeled and unlabeled images of a training set; immutable.

    Dataset ids, 0 to ``size - 1``, are the only index space; positions in a subset are never used.
    Labels are the answers of the oracle, which may be wrong.

    >>> import torch
    >>> from al_lightning import Pool
    >>> pool = Pool(size=4).reveal(torch.tensor([2]), torch.tensor([7]))
    >>> pool.labeled_ids, pool.unlabeled_ids
    (tensor([2]), tensor([0, 1, 3]))

    Attributes:
        size: Number of images.
        labeled_ids: Images to train on, (L,) int64, in the order of their labeling.
        labels: Their classes, (L,) int64.
        validation_ids: Images for validation, (V,) int64; never used for training.
        validation_labels: Their classes, (V,) int64.
        test_ids: Images for the final accuracy, (T,) int64; never used for training or advice.
        test_labels: Their classes, (T,) int64.
        skipped_ids: Images that an annotator could not label, (S,) int64; never queried again.
        open_ids: Unlabeled images that an annotator is still labeling, (O,) int64; not queried
            meanwhile.
        absent_ids: Images of a project whose files have gone, (A,) int64: neither queried nor trained
            on, until they are back.
        absent_labels: How many of them are labeled.
    """

    size: int
    labeled_ids: Tensor = field(default_factory=_no_ids)
    labels: Tensor = field(default_factory=_no_ids)
    validation_ids: Tensor = field(default_factory=_no_ids)
    validation_labels: Tensor = field(default_factory=_no_ids)
    test_ids: Tensor = field(default_factory=_no_ids)
    test_labels: Tensor = field(default_factory=_no_ids)
    skipped_ids: Tensor = field(default_factory=_no_ids)
    open_ids: Tensor = field(default_factory=_no_ids)
    absent_ids: Tensor = field(default_factory=_no_ids)
    absent_labels: int = 0

    @property
    def labels_bought(self) -> int:
        """Number of labels paid for, those for validation and test and of absent images included."""
        held_out = len(self.validation_ids) + len(self.test_ids)
        return len(self.labeled_ids) + held_out + self.absent_labels

    @property
    def label_of(self) -> dict[int, int]:
        """The class of each labeled image, those for validation and test included."""
        return {
            **dict(zip(self.labeled_ids.tolist(), self.labels.tolist(), strict=True)),
            **dict(zip(self.validation_ids.tolist(), self.validation_labels.tolist(), strict=True)),
            **dict(zip(self.test_ids.tolist(), self.test_labels.tolist(), strict=True)),
        }

    @cached_property
    def unlabeled_ids(self) -> Tensor:
        """Images that may be labeled, ascending, (U,) int64."""
        free = torch.ones(self.size, dtype=torch.bool)
        free[self.absent_ids] = False
        free[self.skipped_ids] = False
        free[self.labeled_ids] = False
        free[self.validation_ids] = False
        free[self.test_ids] = False
        return free.nonzero().squeeze(1)

    @cached_property
    def candidate_ids(self) -> Tensor:
        """Images that may be queried: unlabeled, and with no annotator; ascending, int64."""
        return self.unlabeled_ids[~torch.isin(self.unlabeled_ids, self.open_ids)]

    def arrays(self) -> dict[str, "np.ndarray[Any, Any]"]:
        """Return a row for each image, as arrays that a data frame can be made of.

        Returns:
            ``id``, (size,) int64; ``state``, (size,) str: labeled, validation, test, skipped, absent or
            unlabeled; and ``label``, (size,) int64, -1 where there is none.
        """
        state = np.full(self.size, "unlabeled", dtype="<U10")
        label = np.full(self.size, -1, dtype=np.int64)
        for name, ids, labels in (
            ("labeled", self.labeled_ids, self.labels),
            ("validation", self.validation_ids, self.validation_labels),
            ("test", self.test_ids, self.test_labels),
            ("skipped", self.skipped_ids, torch.full_like(self.skipped_ids, -1)),
            ("absent", self.absent_ids, torch.full_like(self.absent_ids, -1)),
        ):
            state[ids.numpy()], label[ids.numpy()] = name, labels.numpy()
        return {"id": np.arange(self.size), "state": state, "label": label}

    def __repr__(self) -> str:
        """Return the numbers of images."""
        return (
            f"Pool({len(self.labeled_ids)} labeled, {len(self.validation_ids)} for validation, "
            f"{len(self.test_ids)} for test, {len(self.skipped_ids)} skipped, "
            f"{len(self.unlabeled_ids)} unlabeled)"
        )

    def reveal(self, ids: Tensor, labels: Tensor, *, validation: bool = False) -> "Pool":
        """Return the pool in which these images are labeled.

        Args:
            ids: Unlabeled images, (M,) int64.
            labels: Their classes, (M,) int64, at least 0.
            validation: Whether the labels are for validation instead of training.

        Raises:
            ValueError: If an id is foreign, repeated or already labeled, or a label is missing; the
                message names the ids.
        """
        self._check(ids, labels)
        if validation:
            return replace(
                self,
                validation_ids=torch.cat([self.validation_ids, ids]),
                validation_labels=torch.cat([self.validation_labels, labels]),
            )
        return replace(
            self,
            labeled_ids=torch.cat([self.labeled_ids, ids]),
            labels=torch.cat([self.labels, labels]),
        )

    def skip(self, ids: Tensor) -> "Pool":
        """Return the pool without these images, which cannot be labeled.

        Args:
            ids: Unlabeled images, (S,) int64.

        Raises:
            ValueError: If an id is foreign, repeated, already labeled or skipped; names the ids.
        """
        self._check(ids, torch.zeros_like(ids))
        return replace(self, skipped_ids=torch.cat([self.skipped_ids, ids]))

    def _check(self, ids: Tensor, labels: Tensor) -> None:
        if ids.dtype != torch.int64 or labels.dtype != torch.int64:
            raise ValueError(f"ids and labels must be int64, not {ids.dtype} and {labels.dtype}")
        if ids.ndim != 1 or ids.shape != labels.shape:
            raise ValueError(
                f"ids and labels must pair up, not {tuple(ids.shape)} and {tuple(labels.shape)}"
            )
        if len(foreign := ids[(ids < 0) | (ids >= self.size)]):
            raise ValueError(f"Not ids of this data set of {self.size} images: {foreign.tolist()}")
        if len(negative := ids[labels < 0]):
            raise ValueError(f"Labels must be at least 0; negative for ids {negative.tolist()}")
        ascending = ids.sort().values
        if len(repeated := ascending[1:][ascending[1:] == ascending[:-1]]):
            raise ValueError(f"Given more than once: ids {repeated.tolist()}")
        known = torch.cat([self.labeled_ids, self.validation_ids, self.test_ids])
        taken = torch.isin(ids, known)
        if bool(taken.any()):
            raise ValueError(f"Already labeled: ids {ids[taken].tolist()}")
        skipped = torch.isin(ids, self.skipped_ids)
        if bool(skipped.any()):
            raise ValueError(f"Skipped before: ids {ids[skipped].tolist()}")
