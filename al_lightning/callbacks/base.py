"""What can watch a run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import lightning as L
import torch
from torch import Tensor

from al_lightning.data.source import ImageData
from al_lightning.run.journal import Journal
from al_lightning.run.pool import Pool
from al_lightning.run.questions import Answer, Question


@dataclass(frozen=True)
class RoundResult:
    """A round that was fitted and tested.

    Attributes:
        index: Its number, from 0.
        pool: What was labeled in it.
        event: What the journal says of it.
        confusion: Confusion matrix on the test set, (C, C) int64, true classes in rows; None where
            there are no test images.
    """

    index: int
    pool: Pool
    event: Mapping[str, Any]
    confusion: Tensor | None


@dataclass(frozen=True)
class Query:
    """Images that a strategy asked for, and the labels that came.

    Attributes:
        round: The first round that has the labels.
        name: What files about it are called.
        ids: (M,) int64, first choice first; without those that got no label.
        scores: The strategy's scores, (M,) float32.
        predicted: The classifier's best guesses, (M,) int64.
        labels: What the oracle said, (M,) int64.
    """

    round: int
    name: str
    ids: Tensor
    scores: Tensor
    predicted: Tensor
    labels: Tensor

    @classmethod
    def of(cls, question: Question, answer: Answer) -> Self:
        """Return the part of a strategy's question that was answered by labels."""
        assert question.scores is not None
        assert question.predicted is not None
        position = {i: row for row, i in enumerate(question.ids.tolist())}
        rows = torch.tensor([position[i] for i in answer.ids.tolist()], dtype=torch.int64)
        return cls(
            question.round,
            question.name,
            answer.ids.clone(),  # nobody who looks at them may change what the journal will say
            question.scores[rows],
            question.predicted[rows],
            answer.labels.clone(),
        )


class LoopCallback:
    """Watches a run without a part in it; all methods do nothing here.

    What a callback makes of a round is made before the journal says that the round is done. So it
    exists whenever the journal says so, and is made again, the same, when a killed run goes on.
    """

    def on_run_start(self, journal: Journal, data: ImageData) -> None:
        """Look at a run that begins or goes on."""

    def on_fit_start(self, index: int, pool: Pool) -> None:
        """Look at a round before it is fitted."""

    def on_fit_end(self, index: int, classifier: L.LightningModule) -> None:
        """Look at a fitted classifier; it may have come from the checkpoint."""

    def on_round_end(self, result: RoundResult) -> None:
        """Look at a round's results, before the journal has them."""

    def on_query(self, query: Query) -> None:
        """Look at new labels, before the journal has them."""

    def on_wait(self, journal: Journal, instructions: str) -> None:
        """Look at a run that ends here, to go on when its question is answered.

        Args:
            journal: Its last event is the question.
            instructions: What is to be done, in the oracle's words.
        """

    def on_run_end(self, journal: Journal) -> None:
        """Look at a finished run; called again each time a finished run is run."""
