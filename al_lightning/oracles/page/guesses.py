"""What the model takes images for, and which strategy chose them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from al_lightning.run.questions import Question


class Guesses:
    """The predictions of all questions so far, each of a model that has not learned from its label.

    >>> import torch
    >>> from al_lightning import Question
    >>> from al_lightning.oracles.page.guesses import Guesses
    >>> guesses, ids = Guesses(), torch.tensor([7, 3])
    >>> guesses.add(Question(1, "query", ids, 0, None, torch.tensor([2, 2]), torch.tensor([0.5, 0.75])))
    >>> guesses.surest([7, 3, 9], 2), guesses.counts([7, 9], 3)
    ([3, 7], [0, 0, 1])

    Attributes:
        of: Classes and their probabilities, by image.
        parts: The strategies that chose images, where several did.
    """

    def __init__(self) -> None:
        self.of: Mapping[int, tuple[int, float]] = {}
        self.parts: Mapping[int, str] = {}

    def add(self, question: Question, *, earlier: bool = True) -> None:
        """Take over the predictions of a question.

        Args:
            question: In the classes of today.
            earlier: Whether those of earlier questions are in these classes, too.
        """
        for one in (*question.earlier, question):
            self.parts = {
                **self.parts,
                **dict(zip(one.ids.tolist(), one.parts.names, strict=False)),
            }
        for one in question.earlier if earlier else ():
            self.of = {**_of(one), **self.of}
        self.of = {**self.of, **_of(question)}

    def renumber(self, labels: Sequence[int]) -> None:
        """Take over other classes; ``labels`` says what each is from here on."""
        self.of = {i: (labels[label], p) for i, (label, p) in self.of.items()}

    def facts(self, image: int) -> dict[str, Any]:
        """Return what the page shows of an image: its guess, if there is one, and who chose it."""
        label, confidence = self.of.get(image, (None, None))
        sure = None if confidence is None else round(confidence, 4)
        return {"guess": label, "confidence": sure, "part": self.parts.get(image, "")}

    def surest(self, images: Sequence[int], label: int) -> list[int]:
        """Return those of the images that the model takes for a class, the surest first."""
        found = {i: self.of[i][1] for i in images if i in self.of and self.of[i][0] == label}
        return sorted(found, key=lambda i: -found[i])

    def counts(self, images: Sequence[int], classes: int) -> list[int]:
        """Return how many of the images the model takes for each class."""
        found = Counter(self.of[i][0] for i in images if i in self.of)
        return [found[label] for label in range(classes)]


def _of(question: Question) -> dict[int, tuple[int, float]]:
    """Return what the model takes the images of a question for."""
    if question.predicted is None or question.confidence is None:
        return {}
    guesses = zip(question.predicted.tolist(), question.confidence.tolist(), strict=True)
    return dict(zip(question.ids.tolist(), guesses, strict=True))
