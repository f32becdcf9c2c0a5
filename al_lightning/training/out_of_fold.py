"""Predictions of labeled images by classifiers that were not trained on them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from al_lightning.data.datamodule import FEWEST_LABELS, PoolDataModule
from al_lightning.run.pool import Pool
from al_lightning.training.calibration import Calibration, calibrate, to_logits
from al_lightning.training.folds import stratified_folds
from al_lightning.training.learner import Learner
from al_lightning.utils.errors import UsageError
from al_lightning.utils.randomness import derive_generator

_FEWEST_FOLDS = 2


class TooFewLabelsError(UsageError):
    """There are too few labels, or groups of them, to train without a fold."""


@dataclass(frozen=True)
class OutOfFold:
    """What is predicted of labeled images, row for row.

    >>> import torch
    >>> from al_lightning import OutOfFold
    >>> found = OutOfFold(
    ...     ids=torch.tensor([7, 2]),
    ...     labels=torch.tensor([0, 1]),
    ...     fold_of=torch.tensor([0, 1]),
    ...     logits=torch.tensor([[2.0, 0.0], [1.0, 0.0]]),
    ... )
    >>> found.calibration().source
    'out_of_fold'

    Attributes:
        ids: The labeled images, (N,) int64.
        labels: Their labels, (N,) int64.
        fold_of: The fold of each, (N,) int64. Its classifier has trained on all other folds.
        logits: (N, C) float32; as logarithms of probabilities.
    """

    ids: Tensor
    labels: Tensor
    fold_of: Tensor
    logits: Tensor

    def calibration(self) -> Calibration:
        """Return the temperature that is fitted on these predictions."""
        return calibrate(self.logits, self.labels, self.fold_of, "out_of_fold")


def out_of_fold(
    learner: Learner,
    pool: Pool,
    index: int = 0,
    folds: int = 5,
    on_fold: Callable[[int, int], None] = lambda *_: None,
    fits: int | None = None,
) -> OutOfFold:
    """Predict each labeled image by a classifier that was trained on the other folds.

    A fold has its share of each class, as far as possible, and groups of images as a whole. Classifiers
    start from the initial weights, and are trained as those of a round. A frozen network uses its
    cached embeddings. Depends on the learner, its seed, and the labels alone.

    >>> import tempfile
    >>> from al_lightning import Budget, out_of_fold, plain_loop
    >>> from al_lightning.data import Digits
    >>> from al_lightning.strategies import Margin
    >>> loop = plain_loop(Digits(), Margin(), tempfile.mkdtemp(), Budget(40, 10, 40), epochs=1)
    >>> out_of_fold(loop.learner, loop.run().pool, folds=2).logits.shape
    torch.Size([40, 10])

    Args:
        learner: Trains the classifiers.
        pool: The labeled images.
        index: The round whose random streams the fits share.
        folds: How many folds, at least 2; fewer where there are fewer labels or groups.
        on_fold: Called before each fit, with the number of the fold, from 0, and of all fits.
        fits: How many of the folds are predicted, and returned, each by a fit; None for all.

    Raises:
        TooFewLabelsError: If there are too few labels or groups to train without a fold.
        DivergenceError: If a fit diverges, and there is no fallback.
    """
    ids, labels = pool.labeled_ids, pool.labels
    fold_of = _fold_of(learner, pool, folds)
    count = min(fits or folds, len(torch.unique(fold_of)))
    learner.serve()
    logits = torch.empty(len(ids), len(learner.data.classes))
    with _served_as_before(learner.datamodule):
        for fold in range(count):
            on_fold(fold, count)
            held = fold_of == fold
            part = replace(pool, labeled_ids=ids[~held], labels=labels[~held])
            logits[held] = to_logits(learner.fit_apart(index, part).probabilities(ids[held]))
    seen = fold_of < count
    return OutOfFold(ids[seen], labels[seen], fold_of[seen], logits[seen])


@contextmanager
def _served_as_before(datamodule: PoolDataModule) -> Iterator[None]:
    """Let images be normalised by the labels that they were, after the block."""
    before = datamodule.pool
    try:
        yield
    finally:
        if len(before.labeled_ids) >= FEWEST_LABELS:
            datamodule.begin_round(before, 0)


def _fold_of(learner: Learner, pool: Pool, folds: int) -> Tensor:
    """Return the fold of each labeled image; refuse too few labels or groups."""
    ids, groups = pool.labeled_ids, learner.data.train.groups
    owners = None if groups is None else groups[ids]
    generator = derive_generator(learner.seed, "folds")
    fold_of = stratified_folds(pool.labels, folds, generator, owners)
    sizes = fold_of.bincount()
    if len(sizes) < _FEWEST_FOLDS or len(ids) - int(sizes.max()) < FEWEST_LABELS:
        raise TooFewLabelsError(
            f"{len(ids)} labels cannot be divided into {folds} folds with at least {FEWEST_LABELS} "
            "labels to train on beside each: label more images"
            + ("" if groups is None else ", of other groups")
        )
    return fold_of
