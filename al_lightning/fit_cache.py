"""Fits that several runs share."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from al_lightning.checkpoint import Checkpoint
from al_lightning.locks import exclusive


class FitCache:
    """Keeps fitted weights by what they depend on, for any run that would fit the same.

    The first round is such a fit: it is the same for all strategies under one seed.

    Args:
        folder: Where the weights are kept; may be removed at any time.
        on_wait: Called if a run waits for another that makes its fit, to tell the user.
    """

    def __init__(self, folder: Path, on_wait: Callable[[], None] = lambda: None) -> None:
        self._folder = folder
        self._on_wait = on_wait

    @contextmanager
    def entry(self, identity: str) -> Iterator[Checkpoint]:
        """Hold the place of a fit; who comes second waits, and finds it there.

        Args:
            identity: Digest of all that the bits of the fit depend on.

        Raises:
            OSError: If the folder cannot be used.
        """
        with exclusive(self._folder / f"{identity}.lock", self._on_wait):
            yield Checkpoint(self._folder / f"{identity}.ckpt")
