"""A Label Studio server in memory, behind the calls of label_studio_sdk that are used.

What it answers, and how it finds tasks, was copied from Label Studio 1.23.2 and label-studio-sdk 2.1.2.
"""

import json
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any


class ApiError(Exception):
    """As the SDK's: the text has headers and body, which nobody wants to read."""

    def __init__(self, status_code: int, body: Any) -> None:
        self.status_code, self.body = status_code, body

    def __str__(self) -> str:
        return f"headers: {{'set-cookie': 'sessionid=secret'}}, body: {self.body}"


class ReadTimeoutError(Exception):
    """As httpx's."""


class ConnectError(Exception):
    """As httpx's."""


class FakeTask:
    def __init__(self, number: int, project: int, given: dict[str, Any]) -> None:
        self.id, self.project = number, project
        self.data, self.meta = given["data"], given["meta"]
        self.predictions = list(given["predictions"])
        self.annotations: list[dict[str, Any]] = []

    def model_dump(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "meta": self.meta,
            "data": self.data,
            "predictions": self.predictions,
            "annotations": self.annotations,
        }


class FakeClient:
    """Attributes:
    requests: The names of the calls, in order.
    fails: An error to raise at a call, and at which one of its name, from 0.
    """

    def __init__(self) -> None:
        self.projects_there: list[SimpleNamespace] = []
        self.tasks_there: list[FakeTask] = []
        self.requests: list[str] = []
        self.fails: dict[str, tuple[int, Exception]] = {}
        self.imported: list[int] = []
        self.projects = SimpleNamespace(
            list=self._list_projects,
            create=self._create_project,
            update=self._update_project,
            import_tasks=self._import_tasks,
        )
        self.tasks = SimpleNamespace(list=self._list_tasks)
        self.predictions = SimpleNamespace(create=self._create_prediction)

    def annotate(self, image: int, *classes: str, skip: bool = False, by: str = "") -> None:
        """As a person does: choose classes for the newest task of an image, or skip it."""
        task = [task for task in self.tasks_there if task.meta["image"] == image][-1]
        value = {"from_name": "class", "value": {"choices": list(classes)}}
        comment = {"from_name": "comment", "value": {"text": ["a fine picture"]}}
        result = [comment, value] if classes else []
        made = {"result": result, "was_cancelled": skip, "completed_by": 3}
        task.annotations.append({**made, "created_username": f"{by}, 3" if by else ""})

    def change(self, image: int, chosen: str) -> None:
        """As a person does: choose another class in the annotation that is there."""
        (task,) = (task for task in self.tasks_there if task.meta["image"] == image)
        task.annotations[0]["result"][1]["value"]["choices"] = [chosen]

    def images(self) -> list[int]:
        return [task.meta["image"] for task in self.tasks_there]

    def _called(self, name: str) -> None:
        at, error = self.fails.get(name, (-1, Exception()))
        if self.requests.count(name) == at:
            self.requests.append(name)
            raise error
        self.requests.append(name)

    def _list_projects(self, *, title: str) -> list[SimpleNamespace]:
        self._called("projects.list")
        return [p for p in self.projects_there if title.lower() in p.title.lower()]

    def _create_project(
        self, *, title: str, label_config: str, request_options: Any, **settings: Any
    ) -> SimpleNamespace:
        self._called("projects.create")
        number = len(self.projects_there) + 1
        made = SimpleNamespace(
            id=number, title=title, label_config=label_config, model_version=None, **settings
        )
        self.projects_there.append(made)
        return made

    def _update_project(self, project: int, *, model_version: str) -> None:
        self._called("projects.update")
        self.projects_there[project - 1].model_version = model_version

    def _import_tasks(
        self,
        project: int,
        *,
        request: Sequence[dict[str, Any]],
        return_task_ids: bool,
        request_options: Any,
    ) -> None:
        self._called("projects.import_tasks")
        assert request_options == {"max_retries": 0}
        self.imported.append(len(request))
        for given in json.loads(json.dumps(request)):
            self.tasks_there.append(FakeTask(len(self.tasks_there) + 1, project, given))

    def _list_tasks(
        self, *, project: int, query: str, fields: str, page_size: int, include: str | None = None
    ) -> list[Any]:
        self._called(f"tasks.list {fields}")
        asked = json.loads(query)
        there = [task for task in self.tasks_there if task.project == project]
        if "filters" in asked:
            (item,) = asked["filters"]["items"]
            assert item["filter"] == "filter:tasks:data.run"
            there = [task for task in there if task.data["run"] == item["value"]]
        if "selectedItems" in asked:
            there = [task for task in there if task.id in asked["selectedItems"]["included"]]
        if include == "id,meta":
            return [SimpleNamespace(id=task.id, meta=task.meta) for task in there]
        return there

    def _create_prediction(self, *, task: int, request_options: Any, **prediction: Any) -> None:
        self._called("predictions.create")
        self.tasks_there[task - 1].predictions.append(prediction)
