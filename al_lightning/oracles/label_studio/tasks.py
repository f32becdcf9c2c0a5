"""Tasks and predictions of Label Studio, and their JSON."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from al_lightning.oracles.label_studio.interface import CLASS, IMAGE

TASKS_A_REQUEST = 100
_CHARACTERS_A_REQUEST = 8_000_000


@dataclass(frozen=True)
class Annotation:
    """One annotator's result for one task.

    Attributes:
        choices: The classes that were chosen.
        skipped: Whether the task was skipped instead.
        by: Name of the annotator; "" where the server does not tell it.
    """

    choices: tuple[str, ...]
    skipped: bool
    by: str = ""


@dataclass(frozen=True)
class Task:
    """A task on the server: an image, and its annotations.

    Attributes:
        id: The server's number of it.
        image: The image's dataset id.
        annotations: What was made of it.
        versions: The model versions that it has predictions of.
    """

    id: int
    image: int
    annotations: tuple[Annotation, ...]
    versions: frozenset[str]

    @property
    def annotators(self) -> list[str]:
        """The names of those who chose a class, as far as they are known."""
        return [given.by for given in self.annotations if given.by and not given.skipped]


@dataclass(frozen=True)
class Prediction:
    """A classifier's prediction for an image.

    Attributes:
        label: The name of the class.
        confidence: Its probability.
        version: Tells the predictions of different classifiers apart.
    """

    label: str
    confidence: float
    version: str


@dataclass(frozen=True)
class NewTask:
    """A task to be made: an image, its facts and its prediction.

    Attributes:
        image: Its dataset id.
        picture: Its address, for the browser.
        facts: What annotators may want to know besides, such as the file's name.
        prediction: What the classifier thinks; None where there is none.
    """

    image: int
    picture: str
    facts: Mapping[str, str]
    prediction: Prediction | None


def wire_task(run: str, task: NewTask) -> dict[str, Any]:
    """Return a task as JSON: ``data`` is shown to people, ``meta`` is how the task is found again."""
    predictions = [wire_prediction(task.prediction)] if task.prediction else []
    return {
        "data": {IMAGE: task.picture, **task.facts, "id": task.image, "run": run},
        "meta": {"run": run, "image": task.image},
        "predictions": predictions,
    }


def wire_prediction(prediction: Prediction) -> dict[str, Any]:
    """Return a prediction as JSON."""
    value = {"choices": [prediction.label]}
    chosen = {"from_name": CLASS, "to_name": IMAGE, "type": "choices", "value": value}
    return {
        "result": [chosen],
        "score": prediction.confidence,
        "model_version": prediction.version,
    }


def read_annotation(given: Mapping[str, Any]) -> Annotation:
    """Return an annotation from the server's JSON."""
    choices = [
        choice
        for part in given.get("result") or ()
        if part.get("from_name") == CLASS
        for choice in part.get("value", {}).get("choices", ())
    ]
    return Annotation(tuple(choices), bool(given.get("was_cancelled")), _annotator(given))


def _annotator(given: Mapping[str, Any]) -> str:
    """Return the name of the user who made an annotation, or the e-mail address where there is none."""
    user = given.get("completed_by")
    if isinstance(user, Mapping):
        name = f"{user.get('first_name') or ''} {user.get('last_name') or ''}".strip()
        return name or str(user.get("email") or "")
    # Elsewhere it is a number, and beside it stands "Ada Lovelace ada@example.com, 3".
    *names, address = str(given.get("created_username") or "").rpartition(",")[0].split() or [""]
    return " ".join(names) or address


def batches(tasks: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Cut tasks into requests that are neither too many nor too large."""
    batch: list[dict[str, Any]] = []
    size = 0
    for task in tasks:
        length = len(task["data"][IMAGE])
        if batch and (len(batch) == TASKS_A_REQUEST or size + length > _CHARACTERS_A_REQUEST):
            yield batch
            batch, size = [], 0
        batch.append(task)
        size += length
    if batch:
        yield batch
