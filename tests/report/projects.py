"""The journal of a person's project, written as the project would write it."""

from pathlib import Path
from typing import Any

import torch

from al_lightning.run.journal import Journal
from al_lightning.run.questions import Origin
from tests.report.helpers import HARDWARE, VERSIONS, a_run


class Project:
    """A project that labels 10 images a round.

    Args:
        folder: Where its journal goes.
        test: How many test images it has.
        validation: How many labels it buys for validation, before all others.
        bought_test: How many it buys for test.
        config: Joins its configuration.
    """

    def __init__(
        self,
        folder: Path,
        *,
        test: int = 30,
        validation: int = 0,
        bought_test: int = 0,
        config: dict[str, Any] | None = None,
    ) -> None:
        self.journal = Journal(folder / "journal.jsonl")
        self.journal.begin(
            {
                "project": "mine",
                "config": {**a_run("margin").config, **(config or {})},
                "config_hash": "0123456789abcdef",
                "versions": VERSIONS,
                "hardware": HARDWARE,
                "classes": ["a", "b", "c"],
                "data": {"train": 400, "test": test, "fingerprint": "mine"},
                "model": {"trainable_parameters": 5},
                "trainer": {"device": "cpu", "precision": "32-true"},
                "overrides": ["project=mine"],
            }
        )
        self._measured = {
            "metrics": bool(test),
            "validation": bool(validation),
            "test": bool(bought_test),
        }
        self._next = 0
        for origin, count in (("validation", validation), ("test", bought_test)):
            if count:
                self.label(count, origin)  # type: ignore[arg-type]

    def label(self, count: int = 10, origin: Origin | None = None, of: int = 0) -> None:
        """Label the next images, all as one class."""
        index = len(self.journal.rounds)
        ids = torch.arange(self._next, self._next + count)
        self._next += count
        labels = torch.full_like(ids, of)
        self.journal.record_labels(index, ids, labels, origin or ("query" if index else "initial"))

    def round(self, accuracy: float) -> None:
        """Finish a round."""
        found = {name: {"accuracy": accuracy} for name, given in self._measured.items() if given}
        recall = [accuracy] * len(self.journal.classes)
        event = {
            "round": len(self.journal.rounds),
            "labels_bought": self._next,
            "metrics": {},
            "per_class": {"recall": recall} if self._measured["metrics"] else {},
            "seconds": {"fit": 1.0},
            "steps": 10,
            "peak_rss_bytes": 1,
        }
        self.journal.record_round({**event, **found})

    def rounds(self, *accuracies: float) -> None:
        """Label and finish some rounds."""
        for accuracy in accuracies:
            self.label()
            self.round(accuracy)
