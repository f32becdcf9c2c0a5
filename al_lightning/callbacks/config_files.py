"""The files that a run was configured by."""

from collections.abc import Mapping
from pathlib import Path

from al_lightning.callbacks.loop_callback import LoopCallback
from al_lightning.data.source import ImageData
from al_lightning.run.journal import Journal
from al_lightning.utils.files import write_whole


class ConfigFiles(LoopCallback):
    """Keeps some texts in a folder beside the journal.

    They are written when the journal has accepted the run, and not before: a refused run leaves no
    trace in another's folder.

    Args:
        folder: Where the files go.
        texts: Their contents, by file name.
    """

    def __init__(self, folder: Path, texts: Mapping[str, str]) -> None:
        self._folder = folder
        self._texts = dict(texts)

    def on_run_start(self, journal: Journal, data: ImageData) -> None:
        """Write the files."""
        for name, text in self._texts.items():
            write_whole(self._folder / name, text)
