"""A run's summary, written at its end, and when it waits for labels."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from al_lightning.callbacks.loop_callback import LoopCallback
from al_lightning.run.advice.settings import AdviceSettings
from al_lightning.run.journal import Journal
from al_lightning.run.summary import summarize
from al_lightning.utils.files import write_whole


class SummaryFile(LoopCallback):
    """Writes ``summary.json`` at the end of a run, and when it waits for labels.

    Args:
        path: The file.
        names: See :func:`~al_lightning.run.summary.summarize`.
        advice: What advice is asked for; None for none.
    """

    def __init__(
        self, path: Path, names: Mapping[str, Any], advice: AdviceSettings | None = None
    ) -> None:
        self._path = path
        self._advice = advice
        self._names = dict(names)

    def on_wait(self, journal: Journal, instructions: str) -> None:
        """Write the file: what is known so far."""
        self.on_run_end(journal)

    def on_run_end(self, journal: Journal) -> None:
        """Write the file, unless it says the same already."""
        text = json.dumps(summarize(journal, self._names, self._advice), indent=2) + "\n"
        if not self._path.exists() or self._path.read_text(encoding="utf-8") != text:
            write_whole(self._path, text)
