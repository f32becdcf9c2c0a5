"""What each round predicts of the test images, as files."""

from pathlib import Path

from al_lightning.callbacks.loop_callback import LoopCallback, RoundResult
from al_lightning.run.round_predictions import RoundPredictions
from al_lightning.utils.files import write_whole


class PredictionFiles(LoopCallback):
    """Writes ``round_NN.npz`` for every round: what its classifier predicts of the test images.

    NN is the round, as in the journal. A round that is played again, since its run was killed before
    the journal had it, is written again, to the same bytes. Without test images, nothing is written.
    :func:`~al_lightning.load_predictions` reads the files.

    Args:
        folder: Where the files go.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from al_lightning import Budget, PredictionFiles, load_predictions, plain_loop
        >>> from al_lightning.data import Digits
        >>> from al_lightning.strategies import Margin
        >>> folder, budget = Path(tempfile.mkdtemp()), Budget(10, 10, 10)
        >>> files = PredictionFiles(folder / "predictions")
        >>> loop = plain_loop(Digits(), Margin(), folder, budget, epochs=1, callbacks=[files])
        >>> journal = loop.run()
        >>> found = load_predictions(folder / "predictions" / "round_00.npz")
        >>> right = found.predicted == found.labels
        >>> abs(float(right.float().mean()) - journal.rounds[0]["metrics"]["accuracy"]) < 1e-6
        True
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def on_round_end(self, result: RoundResult) -> None:
        """Write a file; on the disk before the journal says that the round is done."""
        if result.probabilities is not None:
            content = RoundPredictions.of(result.probabilities, result.test_labels).to_bytes()
            write_whole(self._folder / f"round_{result.index:02d}.npz", content)
