"""The images that people are asked for, and when their labels are an answer.

How a batch and the next fit overlap: with ``retrain_every=k``, a question of n images is answered in
part as soon as k labels are new and at most n - k images are left. The journal records these labels,
and which images the page still has ("open"). Then the next round is fitted on the labels, and selects
from the images that are neither labeled nor open, while people label the rest. Those labels come with
the answer to the next question, as late ones. So a fit and a selection depend on the events before them
alone, never on the time at which a label was given; and a process that is killed at any point finds the
same question in the journal, and the labels since then in the page's own file.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from al_lightning.oracles.page.decisions import Decisions
from al_lightning.run.pool import Pool
from al_lightning.run.questions import Answer, Question


class OpenBatch:
    """The last question, and what is left of those before it.

    Args:
        decisions: What was decided about images.
        retrain_every: The number of new labels that are an answer before the batch ends; None takes
            the whole batch.

    Attributes:
        question: The last one; None before the first.
    """

    def __init__(self, decisions: Decisions, retrain_every: int | None) -> None:
        self._decisions = decisions
        self._every = retrain_every
        self._queue: list[int] = []
        self.question: Question | None = None

    def sync_with(self, pool: Pool) -> None:
        """Take over the rest of a batch, after a restart."""
        if self.question is None:
            self._queue = pool.open_ids.tolist()

    def show(self, question: Question) -> None:
        """Ask for the images of a question, after those that are left."""
        asked = question.ids.tolist()
        self.question = question
        self._queue = [*(i for i in self.open() if i not in asked), *asked]

    def reopen(self, images: Sequence[int]) -> None:
        """Ask for images again whose labels were taken back."""
        self._queue += [i for i in images if i not in self._queue]

    def asks_for(self, image: int) -> bool:
        """Return whether an image is among those of the batch, labeled or not."""
        return image in self._queue

    def open(self) -> list[int]:
        """Return the images that have neither a label nor a skip."""
        return [i for i in self._queue if not self._decisions.is_decided(i)]

    def is_answered(self, question: Question) -> bool:
        """Return whether there are enough labels for an answer."""
        left, size = len(self.open()), len(question.ids)
        if left == 0:
            return True
        if self._every is None or question.origin != "query":
            return False
        return len(self._decisions.new()[0]) >= self._every and left <= size - self._every

    def answer(self, question: Question) -> Answer:
        """Return the labels and skips that the run lacks, and which images stay open."""
        asked = question.ids.tolist()
        earlier = {i for one in question.earlier for i in one.ids.tolist()}
        labels, skipped = self._decisions.new()
        ids = [i for i in asked if i in labels]
        late = [i for i in labels if i in earlier and i not in asked]
        late_skipped = [i for i in skipped if i in earlier and i not in asked]
        now_skipped = [i for i in asked if i in skipped]
        recorded = {i: labels[i] for i in (*ids, *late)}
        self._decisions.mark_recorded(recorded, [*now_skipped, *late_skipped])
        return Answer(
            as_ids(ids),
            as_ids([labels[i] for i in ids]),
            as_ids(now_skipped),
            as_ids(late),
            as_ids([labels[i] for i in late]),
            as_ids(late_skipped),
            as_ids(self.open()),
            by=self._decisions.names([*labels]),
            new_classes=tuple(self._decisions.new_classes),
        )


def as_ids(values: Sequence[int]) -> Tensor:
    """Return ids or labels as a tensor, (M,) int64."""
    return torch.tensor(values, dtype=torch.int64)
