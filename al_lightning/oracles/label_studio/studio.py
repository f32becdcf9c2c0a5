"""A Label Studio server: the few things that labeling images takes, by its own SDK."""

import json
import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Self
from urllib.parse import urlsplit

from al_lightning.utils.errors import UsageError

URL, KEY = "LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY"
IMAGE, CLASS = "image", "class"  #: the names of the tags that show an image and take its class

_TIMEOUT = 60  # seconds, for one request
_TASKS_A_REQUEST = 100
_CHARACTERS_A_REQUEST = 8_000_000
# The SDK repeats what has failed. What makes something must not be done twice.
_ONCE = {"max_retries": 0}
_SHORT = 300  # characters of what a server says of an error


@dataclass(frozen=True)
class Project:
    """A project on the server.

    Attributes:
        id: The server's number of it.
        label_config: What annotators see, in Label Studio's XML.
        model_version: Which predictions they are shown.
        url: Where they find it.
    """

    id: int
    label_config: str
    model_version: str
    url: str


@dataclass(frozen=True)
class Annotation:
    """What one annotator did with one task.

    Attributes:
        choices: The classes that were chosen.
        skipped: Whether the task was skipped instead.
    """

    choices: tuple[str, ...]
    skipped: bool


@dataclass(frozen=True)
class Task:
    """An image that was put to the annotators.

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


@dataclass(frozen=True)
class Prediction:
    """What a classifier thinks of an image.

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
    """An image to put to the annotators.

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


class Studio:
    """A server, as one user sees it. Nothing is ever deleted there.

    Args:
        client: A ``label_studio_sdk.LabelStudio``, or what behaves like one.
        url: The server's address.

    Raises:
        UsageError: From every method, if the server cannot be reached, takes too long, or refuses.
    """

    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self._url = url.rstrip("/")

    @classmethod
    def from_environment(cls) -> Self:
        """Return the server that the environment names; nothing is sent yet.

        Raises:
            UsageError: If ``LABEL_STUDIO_URL`` or ``LABEL_STUDIO_API_KEY`` is missing or malformed, or
                if the SDK is not installed.
        """
        url, key = _address(), _token()
        try:
            make_client = import_module("label_studio_sdk").LabelStudio
        except (ImportError, AttributeError) as error:  # old versions have no such class
            raise UsageError(
                f"oracle=label_studio cannot be used: {error}. Its package is an extra of this one: "
                'pip install "al-lightning[label_studio]"'
            ) from error
        logging.getLogger("httpx").setLevel(logging.WARNING)  # it reports every request
        with _reported(url, "open a connection"):
            client = make_client(base_url=f"{url}/", api_key=key, timeout=_TIMEOUT)
        return cls(client, url)

    def find_project(self, title: str, part: bool = False) -> Project | None:
        """Return the project of a title.

        Args:
            title: The title.
            part: Whether the title may have more than that, before and after.

        Raises:
            UsageError: If there are several.
        """
        with _reported(self._url, "look for the project"):
            listed = list(self._client.projects.list(title=title))
        found = [p for p in listed if (title in p.title if part else title == p.title)]
        if len(found) > 1:
            raise UsageError(
                f"{len(found)} projects of Label Studio are called {title!r}: "
                f"{', '.join(self._page(p.id) for p in found)}. Rename those that are not meant"
            )
        return self._project(found[0]) if found else None

    def make_project(self, title: str, label_config: str, description: str) -> Project:
        """Make a project for one annotator an image, who may skip, and sees predictions."""
        with _reported(self._url, f"make the project {title!r}"):
            made = self._client.projects.create(
                title=title,
                description=description,
                label_config=label_config,
                maximum_annotations=1,
                enable_empty_annotation=False,
                sampling="Sequential sampling",  # first choice first
                show_collab_predictions=True,
                show_skip_button=True,
                skip_queue="IGNORE_SKIPPED",  # what was skipped is done
                request_options=_ONCE,
            )
        return self._project(made)

    def show_predictions(self, project: Project, version: str) -> None:
        """Let annotators see the predictions of this model version."""
        with _reported(self._url, "choose the predictions that are shown"):
            self._client.projects.update(project.id, model_version=version)

    def find_tasks(self, project: Project, run: str, images: Iterable[int]) -> list[Task]:
        """Return what a run has put to the annotators of these images."""
        wanted = set(images)
        mine = {"filter": "filter:tasks:data.run", "operator": "equal"}
        query = {
            "filters": {
                "conjunction": "and",
                "items": [{**mine, "type": "String", "value": run}],
            }
        }
        # First without the pictures, which weigh most.
        with _reported(self._url, "look for the tasks"):
            listed = list(
                self._client.tasks.list(
                    project=project.id,
                    query=json.dumps(query),
                    fields="task_only",
                    include="id,meta",
                    page_size=_TASKS_A_REQUEST,
                )
            )
        marks = {task.id: task.meta or {} for task in listed}
        found = {
            number: mark["image"]
            for number, mark in marks.items()
            if mark.get("run") == run and mark.get("image") in wanted
        }
        numbers = sorted(found)
        return [
            task
            for start in range(0, len(numbers), _TASKS_A_REQUEST)
            for task in self._read_tasks(project, numbers[start : start + _TASKS_A_REQUEST], found)
        ]

    def add_tasks(self, project: Project, run: str, tasks: Iterable[NewTask]) -> None:
        """Put images to the annotators, in this order; each request makes all of its tasks or none."""
        for batch in _requests(_wire_task(run, task) for task in tasks):
            with _reported(self._url, f"import {len(batch)} tasks"):
                self._client.projects.import_tasks(
                    project.id, request=batch, return_task_ids=True, request_options=_ONCE
                )

    def add_prediction(self, task: Task, prediction: Prediction) -> None:
        """Show the annotators what another classifier thinks of an image."""
        with _reported(self._url, f"add a prediction to task {task.id}"):
            self._client.predictions.create(
                task=task.id, **_wire_prediction(prediction), request_options=_ONCE
            )

    def _read_tasks(
        self, project: Project, numbers: Sequence[int], images: Mapping[int, int]
    ) -> list[Task]:
        query = {"selectedItems": {"all": False, "included": list(numbers)}}
        with _reported(self._url, "read the annotations"):
            listed = [
                task.model_dump()
                for task in self._client.tasks.list(
                    project=project.id,
                    query=json.dumps(query),
                    fields="all",
                    page_size=_TASKS_A_REQUEST,
                )
            ]
        return [
            Task(
                task["id"],
                images[task["id"]],
                tuple(_annotation(given) for given in task.get("annotations") or ()),
                frozenset(p.get("model_version") for p in task.get("predictions") or ()),
            )
            for task in listed
        ]

    def _project(self, project: Any) -> Project:
        return Project(
            project.id,
            project.label_config or "",
            project.model_version or "",
            self._page(project.id),
        )

    def _page(self, project: int) -> str:
        return f"{self._url}/projects/{project}/data"


def _wire_task(run: str, task: NewTask) -> dict[str, Any]:
    """Return a task as the server takes it: ``data`` is for people, ``meta`` is how it is found."""
    predictions = [_wire_prediction(task.prediction)] if task.prediction else []
    return {
        "data": {IMAGE: task.picture, **task.facts, "id": task.image, "run": run},
        "meta": {"run": run, "image": task.image},
        "predictions": predictions,
    }


def _wire_prediction(prediction: Prediction) -> dict[str, Any]:
    value = {"choices": [prediction.label]}
    chosen = {"from_name": CLASS, "to_name": IMAGE, "type": "choices", "value": value}
    return {
        "result": [chosen],
        "score": prediction.confidence,
        "model_version": prediction.version,
    }


def _annotation(given: Mapping[str, Any]) -> Annotation:
    choices = [
        choice
        for part in given.get("result") or ()
        if part.get("from_name") == CLASS
        for choice in part.get("value", {}).get("choices", ())
    ]
    return Annotation(tuple(choices), bool(given.get("was_cancelled")))


def _requests(tasks: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Cut tasks into requests that are neither too many nor too large."""
    batch: list[dict[str, Any]] = []
    size = 0
    for task in tasks:
        length = len(task["data"][IMAGE])
        if batch and (len(batch) == _TASKS_A_REQUEST or size + length > _CHARACTERS_A_REQUEST):
            yield batch
            batch, size = [], 0
        batch.append(task)
        size += length
    if batch:
        yield batch


@contextmanager
def _reported(url: str, doing: str) -> Iterator[None]:
    """Say in a sentence what has gone wrong at the server, or on the way there."""
    try:
        yield
    except Exception as error:  # the SDK's own, and those of the libraries below it
        raise UsageError(_complaint(url, doing, error)) from error


def _complaint(url: str, doing: str, error: Exception) -> str:
    status = getattr(error, "status_code", None)
    if status in (401, 403):
        return (
            f"Label Studio at {url} refuses the token in {KEY} (status {status}): make one under "
            "Account & Settings, Access Token, of a user who may see the project"
        )
    if status is not None:
        said = _said(getattr(error, "body", None))
        return (
            f"Label Studio at {url} could not {doing} (status {status}): {said}. See its log, and "
            f"whether {URL} is the address of a Label Studio"
        )
    if any("Timeout" in kind.__name__ for kind in type(error).__mro__):
        return (
            f"Label Studio at {url} did not answer within {_TIMEOUT} s when asked to {doing}. Nothing "
            "is lost; run the same command again"
        )
    return (
        f"Label Studio at {url} cannot be reached to {doing}: {type(error).__name__}: {error}. Start "
        f"the server, or correct {URL}; then run the same command again"
    )


def _said(body: Any) -> str:
    """Return the words of an error's body, in short."""
    said = body.get("detail", body) if isinstance(body, Mapping) else body
    text = " ".join(str(said).split())
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}..."


def _address() -> str:
    url = _variable(URL, "the server's address, such as http://localhost:8080").rstrip("/")
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits or "@" in parts.netloc or parts.query or parts.fragment:
        # The value is not shown: it may hold a password.
        raise UsageError(
            f"{URL} must be an address such as http://localhost:8080, without a user or a query"
        )
    return url


def _token() -> str:
    key = _variable(KEY, "an access token, which Account & Settings shows")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise UsageError(f"{KEY} has characters that no access token has: copy it once more")
    return key


def _variable(name: str, what: str) -> str:
    value = os.environ.get(name, "").strip()
    if not value:
        raise UsageError(
            f"oracle=label_studio needs the environment variable {name}: {what}. It is never written "
            "down"
        )
    return value
