"""Fits that several runs share."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import lightning as L

from al_lightning.training.checkpoint import Checkpoint
from al_lightning.utils.caches import note_use
from al_lightning.utils.locks import exclusive

#: What a fit logged: the name of a curve, a value, and the step of the optimiser.
CurvePoint = tuple[str, float, int]
_CURVES = "curves"  # among the facts of an entry


class CurveBoard(Protocol):
    """Shows training curves, and returns those that it has shown."""

    def shown_curves(self) -> Sequence[CurvePoint]:
        """Return what the last trainer that was made has logged."""

    def show_curves(self, points: Sequence[CurvePoint]) -> None:
        """Show curves as if the last trainer that was made had logged them."""


class FitCache:
    """Caches fitted weights by everything that they depend on, for all runs with the same fit.

    The first round is such a fit: it is the same for all strategies with one seed.

    Args:
        folder: Folder of the weights; may be removed at any time.
        on_wait: Called if a run waits for another run with the same fit, to tell the user.
        board: Writer of the run's training curves. They are saved with the weights, and shown by
            every run that uses the weights. None saves and shows no curves.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from al_lightning import FitCache
        >>> with TemporaryDirectory() as folder, FitCache(Path(folder)).entry("a1b2") as checkpoint:
        ...     checkpoint.path.name  # where this fit is kept
        'a1b2.ckpt'
    """

    def __init__(
        self,
        folder: Path,
        on_wait: Callable[[], None] = lambda: None,
        board: CurveBoard | None = None,
    ) -> None:
        self._folder = folder
        self._on_wait = on_wait
        self._board = board

    @contextmanager
    def entry(self, identity: str) -> Iterator[Checkpoint]:
        """Lock the entry of a fit; a second process waits, and finds the fit there.

        Args:
            identity: Digest of all that the bits of the fit depend on.

        Raises:
            OSError: If the folder cannot be used.
        """
        with exclusive(self._folder / f"{identity}.lock", self._on_wait):
            yield _Entry(self._folder / f"{identity}.ckpt", self._board)


class _Entry(Checkpoint):
    """A checkpoint that holds the training curves of its fit as well."""

    def __init__(self, path: Path, board: CurveBoard | None) -> None:
        super().__init__(path)
        self._board = board

    def save(self, classifier: L.LightningModule, identity: str, facts: Mapping[str, Any]) -> None:
        """Write a classifier down, and what the board was shown of its fit."""
        curves = [] if self._board is None else [list(p) for p in self._board.shown_curves()]
        super().save(classifier, identity, {**facts, _CURVES: curves})

    def load(self, classifier: L.LightningModule, identity: str) -> dict[str, Any] | None:
        """Load the weights, if they are those that are looked for, and show the curves of their fit."""
        facts = super().load(classifier, identity)
        if facts is None:
            return None
        note_use(self.path)
        curves = facts.pop(_CURVES)
        if self._board is not None and curves:
            self._board.show_curves([(name, value, step) for name, value, step in curves])
        return facts
