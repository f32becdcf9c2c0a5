"""The oracle whose annotators label in Label Studio."""

import json
import secrets
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

from al_lightning.data.project.project_source import with_changed_classes
from al_lightning.data.source import ImageData
from al_lightning.oracles.label_studio.client import Project, StudioClient
from al_lightning.oracles.label_studio.interface import (
    choice_of_each,
    labeling_config,
    labels_by_choice,
    offered_classes,
)
from al_lightning.oracles.label_studio.tasks import NewTask, Prediction, Task
from al_lightning.oracles.label_studio.verdicts import (
    Verdict,
    annotators,
    by_image,
    split_verdicts,
    verdicts_of,
)
from al_lightning.oracles.pictures import picture
from al_lightning.run.class_change import ClassChange
from al_lightning.run.pool import Pool
from al_lightning.run.questions import Answer, Oracle, Question
from al_lightning.utils.errors import UsageError
from al_lightning.utils.files import write_whole

_SHORTEST_TITLE, _LONGEST_TITLE = 3, 50  # characters; Label Studio's own limits
_SHOWN = 5  # of the problems that a message lists


class LabelStudioOracle(Oracle):
    """Sends images to the annotators of a Label Studio server, and reads the classes from there.

    Every image is a task of one project, with the classifier's prediction. An image has one task per
    run, even if it is queried again or the run dies: existing tasks are found by the run's code and the
    image's id. Label Studio's skip button removes an image from the pool. Annotations stay on the
    server; the run uses them once it has read them.

    The server's address and an access token are read from the environment, ``LABEL_STUDIO_URL`` and
    ``LABEL_STUDIO_API_KEY``, and are never saved.

    >>> from pathlib import Path
    >>> from al_lightning import LabelStudioOracle
    >>> from al_lightning.data import Digits
    >>> oracle = LabelStudioOracle(Digits().load(), Path("run"), project="Digits")
    >>> oracle.answers_at_once  # the run ends at each question, and continues after the answer
    False

    Args:
        data: The images and the names of their classes.
        folder: Folder of ``label_studio.json``, with the code that marks this run's tasks on the
            server. Created at the first question.
        project: The title of the project, 3 to 50 characters; created if it does not exist. None
            creates a project for this run, whose title ends in the run's code.
        accept_partial: Whether to continue with the labeled images, once there are any. Otherwise the
            run waits until every image is labeled or skipped.
        connect: Opens the connection, at the first question.

    Raises:
        UsageError: On a title that Label Studio would refuse, or images that a browser could not
            show.
    """

    answers_at_once = False

    def __init__(
        self,
        data: ImageData,
        folder: Path,
        project: str | None = None,
        accept_partial: bool = False,
        connect: Callable[[], StudioClient] = StudioClient.from_environment,
    ) -> None:
        if project is not None and not _SHORTEST_TITLE <= len(project) <= _LONGEST_TITLE:
            raise UsageError(
                f"oracle.project must have {_SHORTEST_TITLE} to {_LONGEST_TITLE} characters, not "
                f"{len(project)}: {project!r}"
            )
        self._data = data
        self._folder = Path(folder)
        self._title = project
        self._accept_partial = accept_partial
        self._connect = connect
        self._seen: tuple[str, Project, list[Verdict]] | None = None
        self._read_before = False
        self._just_read: dict[int, list[Task]] | None = None  # for the answer of the same step

    @classmethod
    def for_run(
        cls,
        data: ImageData,
        folder: Path,
        seed: int,  # noqa: ARG003
        project: str | int | None = None,
        accept_partial: bool = False,
    ) -> Self:
        """Make the oracle of a run from its data, the folder of its query sheets, and its seed.

        Raises:
            UsageError: Also if the environment names no server, before anything is fitted.
        """
        studio = StudioClient.from_environment()  # sends nothing
        title = None if project is None else str(project)  # a year is a number in YAML
        return cls(data, folder, title, accept_partial, lambda: studio)

    def answer(self, question: Question) -> Answer | None:
        """Create missing tasks, and return the labels and skips of all tasks.

        Returns:
            Labels and skips in the order of ``question.left_ids``; None while images are open.

        Raises:
            UsageError: If the server cannot be used; or if annotations have an unknown class, several
                classes for an image, or no class.
        """
        studio, run = self._connect(), self._code()
        project = self._project(studio, run)
        ids = question.left_ids.tolist()
        before = {i for asked in question.earlier for i in asked.ids.tolist()}
        earlier = sorted(before.difference(question.ids.tolist()))
        tasks, self._just_read = self._just_read, None
        if tasks is None:
            tasks = by_image(studio.find_tasks(project, run, [*ids, *earlier]))
        self._publish(studio, project, run, question, tasks)
        verdicts = self._verdicts(project, ids, tasks)
        self._seen = question.name, project, verdicts
        waiting = verdicts.count("open")
        if waiting == len(ids) or (waiting and not self._accept_partial):
            return None
        given = list(zip(ids, verdicts, strict=True))
        late = list(zip(earlier, self._verdicts(project, earlier, tasks), strict=True))
        return Answer(*split_verdicts(given), *split_verdicts(late), by=annotators(tasks))

    def corrections(self, pool: Pool) -> Answer | None:
        """Return the classes that annotations have now; each command reads them once.

        A server that cannot be used, or an annotation, is warned of: a finished run needs neither.
        """
        self._just_read = None
        if self._read_before or not self._code_path.exists():
            return None
        self._read_before = True
        try:
            return self._annotated(sorted(pool.label_of))
        except UsageError as error:
            said = "Labels that were changed in Label Studio could not be read"
            warnings.warn(f"{said}: {error}", stacklevel=2)
        return None

    def instructions(self, question: Question) -> str:
        """Return where to label, and how much is open; as of the last :meth:`answer`."""
        if self._seen is None or self._seen[0] != question.name:
            self.answer(question)
        assert self._seen is not None
        _, project, verdicts = self._seen
        last = (
            "The run continues with the images that are labeled then."
            if self._accept_partial
            else "To continue with fewer labels, add oracle.accept_partial=true."
        )
        return (
            f"{verdicts.count('open')} of {len(verdicts)} images are open in Label Studio: "
            f"{project.url}\nChoose a class for each, or skip what cannot be labeled; then run the "
            f"same command again. {last}"
        )

    def on_classes(self, change: ClassChange) -> None:
        """Take the new names of the classes."""
        self._data = with_changed_classes(self._data, change)

    # The run and its project

    @property
    def _code_path(self) -> Path:
        return self._folder / "label_studio.json"

    def _code(self) -> str:
        """Return the code that marks this run's tasks; drawn at the first call."""
        path = self._code_path
        if path.exists():
            try:
                return str(json.loads(path.read_text(encoding="utf-8"))["run"])
            except (ValueError, KeyError, TypeError) as error:
                raise UsageError(
                    f"{path} is damaged ({type(error).__name__}: {error}): it holds the code by which "
                    "this run finds its tasks in Label Studio. Write it again as "
                    '{"run": CODE}; every task shows its code as `run`'
                ) from error
        code = secrets.token_hex(4)
        write_whole(path, json.dumps({"run": code}) + "\n")  # before anything bears the code
        return code

    def _project(self, studio: StudioClient, run: str) -> Project:
        """Return the project; make it where there is none."""
        classes, aliases = self._data.classes, self._data.aliases
        if (found := self._existing(studio, run)) is None:
            title = self._title or _title(self._folder.parent, run)
            named = "" if self._title else f" Leave {run} in the title: the run finds it by that."
            about = f"Images queried by al_lightning, highest score first.{named}"
            return studio.make_project(title, labeling_config(classes), about)
        choices = choice_of_each(found.label_config, classes, aliases)
        missing = [name for name, choice in zip(classes, choices, strict=True) if choice is None]
        if missing:
            kept = [name for name in offered_classes(found.label_config) if name in aliases]
            raise UsageError(
                f"The project {found.url} cannot take the classes of this data set: its labeling "
                f"interface has no choice {', '.join(map(repr, missing[:_SHOWN]))}. Give "
                f"oracle.project another title, or the project this interface:\n"
                f"{labeling_config([*classes, *kept])}"
            )
        return found

    def _existing(self, studio: StudioClient, run: str) -> Project | None:
        # A title of our own may be changed, as long as the code stays.
        return studio.find_project(self._title or run, part=self._title is None)

    # Questions

    def _publish(
        self,
        studio: StudioClient,
        project: Project,
        run: str,
        question: Question,
        tasks: dict[int, list[Task]],
    ) -> None:
        """Make the tasks that are missing; show the newest predictions for those that are open."""
        guesses = _predictions(self._data, project, question)
        asked = {i: guesses.get(i) for i in question.left_ids.tolist()}
        studio.add_tasks(project, run, self._new_tasks(question.name, asked, tasks))
        for image, prediction in asked.items():
            for task in tasks.get(image, ()):  # of an earlier question that was answered in part
                old = prediction is not None and prediction.version not in task.versions
                if prediction is not None and old and not task.annotations:
                    studio.add_prediction(task, prediction)
        if question.predicted is not None and project.model_version != question.name:
            studio.show_predictions(project, question.name)

    def _new_tasks(
        self, name: str, asked: Mapping[int, Prediction | None], tasks: dict[int, list[Task]]
    ) -> Iterator[NewTask]:
        for image, prediction in asked.items():
            if image not in tasks:
                facts = {"question": name}
                if self._data.train.files is not None:
                    facts["file"] = self._data.train.files[image]
                shown = picture(self._data, image)
                yield NewTask(image, shown, facts, prediction)

    # Answers

    def _annotated(self, ids: Sequence[int]) -> Answer | None:
        """Return the present classes of labeled images; None if the project is not there."""
        studio, run = self._connect(), self._code()
        if (project := self._existing(studio, run)) is None:
            return None
        self._just_read = tasks = by_image(studio.find_tasks(project, run))
        verdicts = self._verdicts(project, ids, tasks)
        found = split_verdicts(zip(ids, verdicts, strict=True))
        return Answer(*split_verdicts([]), *found[:2], by=annotators(tasks))

    def _verdicts(
        self, project: Project, ids: Sequence[int], tasks: dict[int, list[Task]]
    ) -> list[Verdict]:
        labels = labels_by_choice(self._data.classes, self._data.aliases)
        return verdicts_of(ids, tasks, labels, self._called, project.url)

    def _called(self, image: int) -> str:
        return f"id {image}" if self._data.train.files is None else self._data.train.files[image]


def _title(run: Path, code: str) -> str:
    """Return a title that a person recognises: the end of the run's path, and its code."""
    room = _LONGEST_TITLE - len(code) - 1
    return f"{'/'.join(run.resolve().parts[-4:])[:room]} {code}"


def _predictions(data: ImageData, project: Project, question: Question) -> dict[int, Prediction]:
    """Return what the classifier thinks of each image, as the choices of the project say it."""
    if question.predicted is None or question.confidence is None:
        return {}
    choices = choice_of_each(project.label_config, data.classes, data.aliases)
    shown = [choice or name for choice, name in zip(choices, data.classes, strict=True)]
    guesses = zip(question.predicted.tolist(), question.confidence.tolist(), strict=True)
    return {
        image: Prediction(shown[label], confidence, question.name)
        for image, (label, confidence) in zip(question.ids.tolist(), guesses, strict=True)
    }
