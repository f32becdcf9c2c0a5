"""What a run does at the moment, for an oracle that shows it."""

import time
from collections.abc import Callable, Mapping

import lightning as L

from al_lightning.callbacks.inner_progress import InnerProgress
from al_lightning.callbacks.loop_callback import LoopCallback, RoundResult
from al_lightning.data.source import ImageData
from al_lightning.run.budget import Budget
from al_lightning.run.journal import Journal
from al_lightning.run.live import LiveBoard
from al_lightning.run.pool import Pool

_EVERY = 0.2  # seconds between two reports of progress


class LiveFeed(LoopCallback):
    """Publishes the phase of a run, its budget, and the metrics of its rounds.

    Args:
        live: Where to.
        budget: Of the run.
    """

    def __init__(self, live: LiveBoard, budget: Budget) -> None:
        self._live = live
        self._budget = budget

    def on_run_start(self, journal: Journal, data: ImageData) -> None:
        """Publish what there is from earlier sessions."""
        self._live.publish(
            phase="start",
            limit=self._budget.limit(len(data.train), journal.given_labels(len(data.given_ids))),
            tested=len(data.test),
            rounds=tuple(
                (event, len(journal.pool_in(index).validation_ids))
                for index, event in enumerate(journal.rounds)
            ),
        )

    def on_fit_start(self, index: int, pool: Pool) -> None:
        """Publish that a fit begins."""
        self._live.publish(phase="fit", round=index, done=0, total=0)

    def on_fit_end(self, index: int, classifier: L.LightningModule) -> None:
        """Publish that images are scored."""
        self._live.publish(phase="score", round=index, done=0, total=0)

    def on_round_end(self, result: RoundResult) -> None:
        """Publish the metrics of a round."""
        rounds = self._live.facts().get("rounds", ())
        measured = (result.event, len(result.pool.validation_ids))
        self._live.publish(rounds=(*rounds, measured))

    def on_correction(self, labels: Mapping[int, int]) -> None:
        """Publish that labels were corrected."""
        self._live.publish(phase="score")

    def on_run_end(self, journal: Journal) -> None:
        """Publish the end."""
        self._live.publish(phase="end")


class InnerLive(InnerProgress):
    """Publishes how far a fit or a pass has come, some times a second.

    Args:
        live: Where to.
        clock: The time in seconds.
    """

    def __init__(self, live: LiveBoard, clock: Callable[[], float] = time.monotonic) -> None:
        self._live, self._clock = live, clock
        self._last = clock()
        self._done, self._total = 0, 0

    def _begin(self, what: str, total: int) -> None:
        self._done, self._total = 0, total
        self._live.publish(phase=what, done=0, total=total)

    def _advance(self, what: str) -> None:
        self._done += 1
        if (now := self._clock()) - self._last >= _EVERY:
            self._last = now
            self._live.publish(step=what, done=self._done, total=self._total)

    def _finish(self) -> None:
        self._live.publish(step="", done=0, total=0)
