"""One run as the report reads it from its journal."""

import hashlib
import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from al_lightning.report.study.finding import find_journals
from al_lightning.report.study.label_mix import all_of, mix, query_mix
from al_lightning.report.study.project_changes import changes, rounds_of_one_task
from al_lightning.report.study.require import NotReportableError, require_reportable
from al_lightning.run.advice.advice import Advice
from al_lightning.run.advice.of_run import advice_on
from al_lightning.run.advice.settings import AdviceSettings
from al_lightning.run.curve import rounds_of_curve
from al_lightning.run.journal import Journal
from al_lightning.run.state import Event
from al_lightning.utils.errors import JournalError, UsageError
from al_lightning.utils.names import readable_name

#: What a round may cost, as its journal names it.
PHASES = ("fit", "test", "score", "select")

_LONGEST_MESSAGE = 1000  # characters


@dataclass(frozen=True)
class Round:
    """The results of a finished round.

    Attributes:
        labels: Labels bought until then, those for validation and test included.
        metrics: Of the test set, by name; empty where there are no test images.
        validation: Of the validation labels, by name; empty where none were bought.
        per_class: Of the test set, by name; a value a class.
        seconds: By phase, see :data:`PHASES`.
        steps: Steps of the optimizer in its fit.
        index: Number of the round, which names its files.
        test: Of the labels bought for test, by name; empty where none were bought.
        validation_labels: How many labels ``validation`` was measured on: in a project, more may be
            bought later, and images may go.
        test_labels: How many ``test`` was measured on.
    """

    labels: int
    metrics: Mapping[str, float]
    validation: Mapping[str, float]
    per_class: Mapping[str, Sequence[float]]
    seconds: Mapping[str, float] = field(compare=False)  # the same rounds take other times
    steps: int
    index: int = 0
    test: Mapping[str, float] = field(default_factory=dict)
    validation_labels: int = 0
    test_labels: int = 0


@dataclass(frozen=True)
class Run:
    """A journal.

    Attributes:
        folder: Its folder, as the user named it.
        dataset: What its data set is called.
        model: What its model is called.
        strategy: What its strategy is called.
        seed: By which it is paired with other runs; None where its configuration holds none.
        config: What it was made of.
        versions: By package.
        hardware: By property; device and precision included.
        classes: Names.
        data: Number of training and test images, and their fingerprint.
        trainable_parameters: None where the journal does not say.
        start: Digest of the labels that it started from, validation and test included.
        initial_mix: Labels of each class among the initial ones.
        query_mix: Labels of each class that were queried for each of ``rounds`` after the first.
        validation_labels: Labels bought for validation.
        test_labels: Labels bought for the final accuracy.
        skipped: Images queried before round 0 that got no label.
        rounds: Finished rounds, oldest first; of a project, those of its last classes.
        finished: Whether the run is finished.
        overrides: As they were given on the command line, such as "budget.total=150"; None where the
            library made the run.
        advice: On when to stop, after its last round; None where none was wanted.
        changes: What a project changed on its way of strategy, model and classes, and when.
    """

    folder: Path
    dataset: str
    model: str
    strategy: str
    seed: int | None
    config: Mapping[str, Any]
    versions: Mapping[str, Any]
    hardware: Mapping[str, Any]
    classes: tuple[str, ...]
    data: Mapping[str, Any]
    trainable_parameters: int | None
    start: str
    initial_mix: tuple[int, ...]
    query_mix: tuple[tuple[int, ...], ...]
    validation_labels: int
    rounds: tuple[Round, ...]
    finished: bool
    skipped: int = 0
    overrides: tuple[str, ...] | None = ()
    test_labels: int = 0
    advice: Advice | None = None
    changes: tuple[str, ...] = ()

    @cached_property
    def labels(self) -> tuple[int, ...]:
        """Labels bought until each finished round, ascending."""
        return tuple(entry.labels for entry in self.rounds)

    @property
    def passive(self) -> bool:
        """Whether it started from all labels there are, and so has nothing to choose."""
        held_out = self.validation_labels + self.test_labels
        taken = sum(self.initial_mix) + held_out + self.skipped
        return taken == int(self.data["train"]) and len(self.rounds) <= 1  # no images came later

    @property
    def tested(self) -> bool:
        """Whether each of its rounds was tested on test images; not so where there are none."""
        return all(entry.metrics for entry in self.rounds)

    def predictions_of(self, entry: Round) -> Path:
        """Return the file with what a round of it predicts of the test images."""
        return self.folder / "predictions" / f"round_{entry.index:02d}.npz"

    def at(self, labels: int) -> Round:
        """Return the round with so many labels.

        Raises:
            ValueError: If there is none.
        """
        row = bisect_left(self.labels, labels)
        if row == len(self.labels) or self.labels[row] != labels:
            raise ValueError(f"{self.folder} has no round with {labels} labels")
        return self.rounds[row]


def read_runs(folders: Iterable[Path]) -> tuple[list[Run], list[str]]:
    """Read the runs in and below some folders.

    Returns:
        The runs that have begun, and a message on each other journal.
    """
    runs, problems = [], []
    for path in find_journals(folders):
        try:
            run = read_run(path)
        except JournalError as error:
            problems.append(_shown(str(error)))
        else:
            runs += [run] if run is not None else []
            problems += [] if run is not None else [_shown(_not_begun(path))]
    return runs, problems


def read_run(path: Path) -> Run | None:
    """Read a journal; None if its run has not begun.

    Raises:
        JournalError: If it is damaged, or lacks what a report needs; names the file.
    """
    try:
        journal = Journal(path)
        if journal.start is None:
            return None
        require_reportable(journal.start, journal.rounds, journal.classes_in)
        return _run(journal, Path(readable_name(path.parent)))
    except JournalError:
        raise
    except OSError as error:
        raise JournalError(f"{path} cannot be read: {error.strerror}. Check permissions") from error
    except Exception as error:  # what a stranger has written must not take the others' report away
        raise JournalError(
            f"{path}: cannot be reported on ({_kind(error)}{error}). It was written by "
            "something else than al_lightning's loop; restore it, or leave its folder out"
        ) from error


def _not_begun(path: Path) -> str:
    why = "is empty: its run has not begun" if path.exists() else "is a link to nothing"
    return f"{path} {why}"


def _kind(error: Exception) -> str:
    return "" if isinstance(error, NotReportableError | UsageError) else f"{type(error).__name__}: "


def _shown(message: str) -> str:
    """Return a message as a console and a page can show it, cut where it is long."""
    text = "".join(c if c.isprintable() or c == "\n" else ascii(c).strip("'") for c in message)
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[:_LONGEST_MESSAGE]}..."


def _run(journal: Journal, folder: Path) -> Run:
    start: Event = journal.start or {}
    events = rounds_of_curve(rounds_of_one_task(journal))
    # Of a setting that was changed since the last round, no result is known yet.
    config = dict(journal.config_in(events[-1]["round"]) if events else journal.config)
    classes = tuple(journal.classes)
    initial, validation = journal.labels("initial"), journal.labels("validation")
    test = journal.labels("test")
    names = config.get("names", {})
    return Run(
        folder=folder,
        dataset=str(names.get("dataset", "data")),
        model=str(names.get("model", "model")),
        strategy=str(names.get("strategy") or _strategy_name(config.get("strategy"))),
        seed=config["seed"] if type(config.get("seed")) is int else None,
        config=config,
        versions=start["versions"],
        hardware={**start["hardware"], **start.get("trainer", {})},
        classes=classes,
        data=start["data"],
        trainable_parameters=start.get("model", {}).get("trainable_parameters"),
        start=_digest([all_of(origin, "ids") for origin in (initial, validation, test)]),
        initial_mix=mix(all_of(initial, "labels"), len(classes)),
        query_mix=query_mix(journal.labels("query"), events, len(classes)),
        validation_labels=len(all_of(validation, "ids")),
        skipped=len(all_of([*initial, *validation, *test], "skipped")),
        rounds=tuple(_round(event, journal, classes) for event in events),
        finished=journal.finished,
        overrides=tuple(map(str, start.get("overrides", ()))) if names else None,
        test_labels=len(all_of(test, "ids")),
        advice=_advice(journal, config.get("advice", {})),
        changes=_changes(journal, events),
    )


def _changes(journal: Journal, rounds: Sequence[Event]) -> tuple[str, ...]:
    """Return what was changed; and where the curve begins, if not with the first round."""
    first = rounds[0]["round"] if rounds else 0
    begins = [f"the curve begins with round {first}, the first with the classes of now"]
    return (*changes(journal), *(begins if first else []))


def _advice(journal: Journal, settings: Mapping[str, Any] | None) -> Advice | None:
    if settings is None:
        return None
    return advice_on(journal, journal.path.parent, AdviceSettings.of(settings))


def _round(event: Event, journal: Journal, classes: Sequence[str]) -> Round:
    """Return a round; figures a class are left out where there were other classes than in the end."""
    metrics, index = event["metrics"], event["round"]
    pool = journal.pool_in(index) if event.get("validation") or event.get("test") else None
    return Round(
        labels=event["labels_bought"],
        metrics={**metrics, "accuracy": float(metrics["accuracy"])} if metrics else {},
        validation=event.get("validation", {}),
        per_class=event["per_class"] if journal.classes_in(index) == classes else {},
        seconds={phase: float(event["seconds"].get(phase, 0.0)) for phase in PHASES},
        steps=event["steps"],
        index=index,
        test=event.get("test", {}),
        validation_labels=0 if pool is None else len(pool.validation_ids),
        test_labels=0 if pool is None else len(pool.test_ids),
    )


def _strategy_name(strategy: Any) -> str:
    """Name a strategy after its type, as the choices of the command line are named."""
    known = strategy if isinstance(strategy, Mapping) else {}
    path = str(known.get("_target_") or known.get("type") or "strategy")
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", path.rpartition(".")[2]).lower()


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]
