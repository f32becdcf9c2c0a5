"""A Label Studio server: the calls of its own SDK that labeling images takes."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from al_lightning.oracles.label_studio.server import connect, reported
from al_lightning.oracles.label_studio.tasks import (
    TASKS_A_REQUEST,
    NewTask,
    Prediction,
    Task,
    batches,
    read_annotation,
    wire_prediction,
    wire_task,
)
from al_lightning.utils.errors import UsageError

# The SDK repeats what has failed. What makes something must not be done twice.
_ONCE = {"max_retries": 0}


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


class StudioClient:
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
        return cls(*connect())

    def find_project(self, title: str, part: bool = False) -> Project | None:
        """Return the project of a title.

        Args:
            title: The title.
            part: Whether the title may have more than that, before and after.

        Raises:
            UsageError: If there are several.
        """
        with reported(self._url, "look for the project"):
            listed = list(self._client.projects.list(title=title))
        found = [p for p in listed if (title in p.title if part else title == p.title)]
        if len(found) > 1:
            raise UsageError(
                f"{len(found)} projects of Label Studio are called {title!r}: "
                f"{', '.join(self._page(p.id) for p in found)}. Rename those that are not meant"
            )
        return self._project(found[0]) if found else None

    def make_project(self, title: str, label_config: str, description: str) -> Project:
        """Make a project with one annotation an image, a skip button and predictions."""
        with reported(self._url, f"make the project {title!r}"):
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
        """Set the model version whose predictions annotators see."""
        with reported(self._url, "choose the predictions that are shown"):
            self._client.projects.update(project.id, model_version=version)

    def find_tasks(
        self, project: Project, run: str, images: Iterable[int] | None = None
    ) -> list[Task]:
        """Return a run's tasks for these images; None for all images."""
        wanted = None if images is None else set(images)
        mine = {"filter": "filter:tasks:data.run", "operator": "equal"}
        query = {
            "filters": {
                "conjunction": "and",
                "items": [{**mine, "type": "String", "value": run}],
            }
        }
        # First without the pictures, which weigh most.
        with reported(self._url, "look for the tasks"):
            listed = list(
                self._client.tasks.list(
                    project=project.id,
                    query=json.dumps(query),
                    fields="task_only",
                    include="id,meta",
                    page_size=TASKS_A_REQUEST,
                )
            )
        marks = {task.id: task.meta or {} for task in listed}
        found = {
            number: mark["image"]
            for number, mark in marks.items()
            if mark.get("run") == run and (wanted is None or mark.get("image") in wanted)
        }
        numbers = sorted(found)
        return [
            task
            for start in range(0, len(numbers), TASKS_A_REQUEST)
            for task in self._read_tasks(project, numbers[start : start + TASKS_A_REQUEST], found)
        ]

    def add_tasks(self, project: Project, run: str, tasks: Iterable[NewTask]) -> None:
        """Put images to the annotators, in this order; each request makes all of its tasks or none."""
        for batch in batches(wire_task(run, task) for task in tasks):
            with reported(self._url, f"import {len(batch)} tasks"):
                self._client.projects.import_tasks(
                    project.id, request=batch, return_task_ids=True, request_options=_ONCE
                )

    def add_prediction(self, task: Task, prediction: Prediction) -> None:
        """Add the prediction of another classifier to a task."""
        with reported(self._url, f"add a prediction to task {task.id}"):
            self._client.predictions.create(
                task=task.id, **wire_prediction(prediction), request_options=_ONCE
            )

    def _read_tasks(
        self, project: Project, numbers: Sequence[int], images: Mapping[int, int]
    ) -> list[Task]:
        query = {"selectedItems": {"all": False, "included": list(numbers)}}
        with reported(self._url, "read the annotations"):
            listed = [
                task.model_dump()
                for task in self._client.tasks.list(
                    project=project.id,
                    query=json.dumps(query),
                    fields="all",
                    page_size=TASKS_A_REQUEST,
                )
            ]
        return [
            Task(
                task["id"],
                images[task["id"]],
                tuple(read_annotation(given) for given in task.get("annotations") or ()),
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
