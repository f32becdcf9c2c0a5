"""Advice after every round: may the labeling stop, and how many more labels does it take?"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from al_lightning.callbacks.loop_callback import LoopCallback, RoundResult
from al_lightning.data.source import ImageData
from al_lightning.run.advice.of_run import advice_on
from al_lightning.run.advice.pool_predictions import predictions_file
from al_lightning.run.advice.settings import AdviceSettings
from al_lightning.run.advice.wording import sentences
from al_lightning.run.class_change import ClassChange
from al_lightning.run.journal import Journal
from al_lightning.utils.files import write_whole


class StopAdvice(LoopCallback):
    """Keeps what each round predicts of the pool's sample, and says what speaks for more labels.

    Advice, never a decision: no result of a run depends on it. The files ``agreement/round_NN.npy`` are
    on the disk before the journal has the round, so that the next round, in another process, can be
    compared with it.

    Args:
        folder: Of the run.
        settings: What advice is asked for.
        show_advice: Called after each round with the advice, a sentence each.
        log: Called with figures by name, and the number of labels.

    Example:
        >>> from al_lightning.callbacks.stop_advice import StopAdvice
        >>> from al_lightning.run.advice.settings import AdviceSettings
        >>> callback = StopAdvice(Path("run"), AdviceSettings(), print, lambda figures, labels: None)
    """

    def __init__(
        self,
        folder: Path,
        settings: AdviceSettings,
        show_advice: Callable[[Sequence[str]], object],
        log: Callable[[Mapping[str, float], int], object],
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._show_advice = show_advice
        self._log = log
        self._journal: Journal | None = None
        self._classes: Sequence[str] = ()

    def on_run_start(self, journal: Journal, data: ImageData) -> None:
        """Take the journal, which has the rounds before."""
        self._journal, self._classes = journal, data.classes

    def on_classes(self, change: ClassChange, data: ImageData) -> None:
        """Learn the new names of classes."""
        self._classes = data.classes

    def on_round_end(self, result: RoundResult) -> None:
        """Keep the predictions, and give the advice."""
        if result.sample is not None:
            path = predictions_file(self._folder, result.index)
            write_whole(path, result.sample.to_bytes())
        if self._journal is None:
            return
        now = dict(result.event), result.pool
        advice = advice_on(self._journal, self._folder, self._settings, now)
        if advice is None:
            return
        if (agreement := advice.agreement) is not None:
            figures = {"kappa": agreement.kappa, "disagreement": agreement.disagreement}
            scalars = {f"stopping/{name}": value for name, value in figures.items()}
            self._log(scalars, result.event["labels_bought"])
        self._show_advice(sentences(advice, self._classes))
