"""Labels that are worth a second look: the model was sure of another class."""

from collections.abc import Mapping
from dataclasses import dataclass

_SHOWN = 3  # neighbours of each class


@dataclass(frozen=True)
class Suspect:
    """A label that may be wrong, beside other images.

    Attributes:
        id: Dataset id of the image.
        guess: The class that the model takes it for.
        confidence: Probability of that class.
        neighbours: Other labeled images to compare with, by class: of its label, and of the guess.
    """

    id: int
    guess: int
    confidence: float
    neighbours: dict[int, list[int]]


def suspects(
    labels: Mapping[int, int], guesses: Mapping[int, tuple[int, float]], most: int = 50
) -> list[Suspect]:
    """Return the labels that contradict what the model took an image for, the surest first.

    The guess was made before the image had a label, so no model has learned it from the label. Beside
    each are the images of the two classes of which the model was surest, among those where it agreed.

    >>> suspects({1: 0, 2: 1, 3: 1}, {1: (1, 0.9), 2: (1, 0.8), 3: (1, 0.7)})
    [Suspect(id=1, guess=1, confidence=0.9, neighbours={0: [], 1: [2, 3]})]

    Args:
        labels: Classes by id.
        guesses: Classes and their probabilities, by id.
        most: How many to return.
    """
    known = [i for i in guesses if i in labels]
    surest = sorted(known, key=lambda i: -guesses[i][1])
    agreed: dict[int, list[int]] = {}
    for i in surest:
        if guesses[i][0] == labels[i]:
            agreed.setdefault(labels[i], []).append(i)
    return [
        Suspect(i, *guesses[i], {c: agreed.get(c, [])[:_SHOWN] for c in (labels[i], guesses[i][0])})
        for i in surest
        if guesses[i][0] != labels[i]
    ][:most]
