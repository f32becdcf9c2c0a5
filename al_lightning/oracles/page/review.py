"""Labels that are worth a second look: the model was sure of another class."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from al_lightning.utils.delimited import DelimitedRows, decoded
from al_lightning.utils.errors import DataError
from al_lightning.utils.spreadsheet import cell

_SHOWN = 3  # neighbours of each class
_SURE = 0.5  # probability: the model takes the class for more probable than all others together


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


def reviewed(sheet: Path, classes: Sequence[str]) -> dict[int, tuple[int, float]]:
    """Return what a sheet of ``python -m al_lightning.review`` suggests; nothing where there is none.

    Args:
        sheet: The file, with the columns ``id``, ``suggested`` and ``confidence``.
        classes: Names of the classes, by label; rows with other names are left out.

    Returns:
        Classes and their probabilities, by id.

    Raises:
        DataError: If the sheet cannot be read; names it.
    """
    labels = {cell(name): label for label, name in enumerate(classes)}
    found: dict[int, tuple[int, float]] = {}
    if not sheet.exists():
        return found
    try:
        for _, row in DelimitedRows(decoded(sheet.read_bytes())):
            with suppress(KeyError, ValueError):  # a person may have edited it
                found[int(row["id"])] = labels[row["suggested"]], float(row["confidence"])
    except (OSError, ValueError) as error:
        raise DataError(f"{sheet} cannot be read: {error}") from error
    return found


def sure(guesses: Mapping[int, tuple[int, float]]) -> dict[int, tuple[int, float]]:
    """Return the guesses of which a model is sure.

    >>> sure({1: (0, 0.11), 2: (0, 0.9)})
    {2: (0, 0.9)}

    Args:
        guesses: Classes and their probabilities, by id.
    """
    return {i: guess for i, guess in guesses.items() if guess[1] > _SURE}


def suspects(
    labels: Mapping[int, int],
    guesses: Mapping[int, tuple[int, float]],
    confirmed: Collection[int] = (),
    most: int = 50,
) -> list[Suspect]:
    """Return the labels that contradict what the model took an image for, the surest first.

    A guess is of a model that has not learned from this label. Beside
    each are the images of the two classes of which the model was surest, among those where it agreed.

    >>> suspects({1: 0, 2: 1, 3: 1}, {1: (1, 0.9), 2: (1, 0.8), 3: (1, 0.7)})
    [Suspect(id=1, guess=1, confidence=0.9, neighbours={0: [], 1: [2, 3]})]

    Args:
        labels: Classes by id.
        guesses: Classes and their probabilities, by id.
        confirmed: Images whose label a person has found right.
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
        if guesses[i][0] != labels[i] and i not in confirmed
    ][:most]
