"""The fits of a run's rounds: shared with other runs, and repeated where one diverges."""

import warnings
from collections.abc import Callable
from contextlib import ExitStack
from copy import deepcopy
from pathlib import Path
from typing import Any

import lightning as L

from al_lightning.data.datamodule import PoolDataModule
from al_lightning.run.pool import Pool
from al_lightning.training.checkpoint import Checkpoint
from al_lightning.training.fit_cache import FitCache
from al_lightning.training.fitting import fit_watched
from al_lightning.training.fresh_trainers import FreshTrainers
from al_lightning.training.identity import FitIdentity
from al_lightning.training.mid_fit import MidFit
from al_lightning.utils.errors import DivergenceError
from al_lightning.utils.randomness import derive_seed
from al_lightning.utils.ranks import from_rank_zero, share_state

_MID_FIT = "fit_"  # begins the names of files

OnFit = Callable[[int, Pool], None]


class Fits:
    """Fits classifiers.

    Args:
        datamodule: Serves the labeled images.
        trainers: Make a fresh trainer for each fit.
        seed: Decides batches, dropout and augmentation.
        fall_back: Prepares a classifier whose fit has diverged for a second fit; None raises the error.
        fit_cache: Where the fit of the first round is kept for other runs; None keeps none.
        save_minutes: Minutes between two saves of a running fit; None saves none.

    Attributes:
        folder: Where running fits are saved; None saves none.
    """

    def __init__(
        self,
        datamodule: PoolDataModule,
        trainers: FreshTrainers,
        seed: int,
        fall_back: Callable[[L.LightningModule], None] | None,
        fit_cache: FitCache | None,
        save_minutes: float | None,
    ) -> None:
        self._datamodule = datamodule
        self._trainers = trainers
        self._seed = seed
        self._fall_back = fall_back
        self._fit_cache = fit_cache
        self._save_minutes = save_minutes
        self.folder: Path | None = None

    def forget(self) -> None:
        """Remove what was saved in the middle of fits: the last one is kept as a whole by now."""
        if self.folder is not None:
            for path in self.folder.glob(f"{_MID_FIT}*.ckpt"):
                path.unlink(missing_ok=True)

    def begin_round(self, index: int, pool: Pool) -> None:
        """Let the data module serve the labels of a round, in the round's order."""
        self._datamodule.begin_round(pool, derive_seed(self._seed, "batches", index))

    def fit_cached(
        self,
        index: int,
        pool: Pool,
        classifier: L.LightningModule,
        on_fit: OnFit,
        identity_of: FitIdentity,
    ) -> dict[str, Any]:
        """Fit a classifier in place; where other runs make the same fit, make it once for all of them.

        Args:
            index: The round.
            pool: What is labeled in it.
            classifier: As the round starts from it.
            on_fit: Called with the round and its pool before a fit; not where weights are loaded.
            identity_of: Tells which fits are the same.

        Returns:
            Facts on the fit, see :func:`~al_lightning.training.fitting.fit_watched`, and
            ``diverged_at_step`` where it was the second try.

        Raises:
            DivergenceError: If the fit has diverged, and there is no fallback.
        """
        cache, identity = self._fit_cache, identity_of.of_bits(index, pool, classifier)
        if cache is None or index > 0:  # from then on, the strategies have parted
            return self._fit_with_fallback(index, pool, classifier, on_fit, identity)
        with ExitStack() as stack:
            entries: list[Checkpoint] = []  # of rank zero

            def load() -> dict[str, Any] | None:
                try:
                    entries.append(stack.enter_context(cache.entry(identity)))
                except OSError as error:
                    warnings.warn(f"The cache of fits cannot be used: {error}", stacklevel=2)
                    return None
                return entries[0].load(classifier, identity)

            facts = loaded(load, classifier)
            if facts is None:
                facts = self._fit_with_fallback(index, pool, classifier, on_fit, identity)
                for entry in entries:
                    entry.save(classifier, identity, facts)
        return facts

    def fit_apart(self, index: int, pool: Pool, classifier: L.LightningModule) -> dict[str, Any]:
        """Fit a classifier in place, and save nothing: no round of the run has this pool.

        Args:
            index: The round whose random streams it shares.
            pool: What is labeled.
            classifier: As it starts.

        Returns:
            Facts on the fit.

        Raises:
            DivergenceError: If the fit has diverged, and there is no fallback.
        """
        return self._fit_with_fallback(index, pool, classifier, lambda *_: None, None)

    def _fit_with_fallback(
        self,
        index: int,
        pool: Pool,
        classifier: L.LightningModule,
        on_fit: OnFit,
        identity: str | None,
    ) -> dict[str, Any]:
        """Fit; where that diverges and a fallback is set, once more from the start of the round."""
        on_fit(index, pool)
        if self._fall_back is None:
            return self._fit_resumable(index, pool, classifier, identity)
        start = deepcopy(classifier.state_dict())
        try:
            return self._fit_resumable(index, pool, classifier, identity)
        except DivergenceError as error:
            warnings.warn(f"{error.what}; it is fitted once more, with the fallback", stacklevel=2)
            classifier.load_state_dict(start)
            self._fall_back(classifier)
            again = None if identity is None else f"{identity}_fallback"
            fit = self._fit_resumable(index, pool, classifier, again)
            return {**fit, "diverged_at_step": error.step}

    def _fit_resumable(
        self, index: int, pool: Pool, classifier: L.LightningModule, identity: str | None
    ) -> dict[str, Any]:
        """Fit in the random streams of a round, and save the running fit where it is a round's own."""
        self.begin_round(index, pool)
        trainer = self._trainers.for_fit(index, len(pool.labeled_ids))
        if identity is None:  # its curve is of no round
            trainer.loggers = []
        seed = derive_seed(self._seed, "fit", index)
        mid_fit = None
        if self._save_minutes is not None and self.folder is not None and identity is not None:
            path = self.folder / f"{_MID_FIT}{identity}.ckpt"
            mid_fit = MidFit(path, identity, self._save_minutes)
        facts = fit_watched(trainer, classifier, self._datamodule, index, seed, mid_fit)
        return from_rank_zero(lambda: facts)


def loaded(
    load: Callable[[], dict[str, Any] | None], classifier: L.LightningModule
) -> dict[str, Any] | None:
    """Load weights on rank zero, and give them to the other ranks; return facts on their fit."""
    facts = from_rank_zero(load)
    if facts is not None:
        share_state(classifier)
    return facts
