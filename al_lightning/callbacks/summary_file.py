"""A run's summary, written at its end."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from al_lightning.callbacks.loop_callback import LoopCallback
from al_lightning.run.journal import Journal
from al_lightning.run.summary import summarize
from al_lightning.utils.files import write_whole


class SummaryFile(LoopCallback):
    """Writes ``summary.json`` at the end of a run.

    Args:
        path: The file.
        names: See :func:`~al_lightning.run.summary.summarize`.
    """

    def __init__(self, path: Path, names: Mapping[str, Any]) -> None:
        self._path = path
        self._names = dict(names)

    def on_run_end(self, journal: Journal) -> None:
        """Write the file, unless it says the same already."""
        text = json.dumps(summarize(journal, self._names), indent=2) + "\n"
        if not self._path.exists() or self._path.read_text(encoding="utf-8") != text:
            write_whole(self._path, text)
