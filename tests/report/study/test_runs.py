from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from al_lightning.report.analysis.classes import class_report
from al_lightning.report.study import runs as runs_module
from al_lightning.report.study.grouping import build_study
from al_lightning.report.study.runs import Run, read_run, read_runs
from al_lightning.run.class_change import ClassChange
from al_lightning.run.journal import Journal
from al_lightning.run.questions import Origin, Question
from al_lightning.utils.errors import JournalError
from tests.report.helpers import a_passive_run, a_run, round_event, the_setting, write_run
from tests.report.projects import Project


def journal_of(folder: Path) -> Path:
    return folder / "journal.jsonl"


@pytest.mark.parametrize(
    "run",
    [
        a_run("margin", 3, validation=4),
        a_run("margin", 3, (0.5, 0.6), (10, 25), finished=False, mix=(15, 0, 0, 0)),
        a_passive_run(1),
        a_run("margin", 3, overrides=["strategy=margin", "seed=3"]),
    ],
)
def test_a_run_is_read_as_it_was_written(tmp_path: Path, run: Run) -> None:
    found = read_run(journal_of(write_run(tmp_path, run)))
    assert found is not None
    # Which ids it started from is known as a digest alone. Advice follows from the rest.
    assert replace(found, start=run.start, folder=run.folder, advice=None) == run
    assert found.advice is not None
    assert found.folder == tmp_path / run.folder


def test_a_run_without_advice_has_none(tmp_path: Path) -> None:
    found = read_run(journal_of(write_run(tmp_path, a_run("margin", 3, config={"advice": None}))))
    assert found is not None
    assert found.advice is None


def test_runs_start_alike_where_their_first_ids_are_the_same(tmp_path: Path) -> None:
    runs = [a_run("margin", 0), a_run("random", 0), a_run("random", 1)]
    runs.append(a_run("random", 0, validation=4, folder="with validation"))
    same, as_well, other, validated = (
        read_run(journal_of(write_run(tmp_path, run))) for run in runs
    )
    assert same
    assert as_well
    assert other
    assert validated
    assert same.start == as_well.start
    assert len({same.start, other.start, validated.start}) == 3


def test_only_a_run_on_all_labels_is_passive() -> None:
    assert a_passive_run().passive
    assert a_passive_run(validation=20).passive
    assert not a_run().passive
    assert not a_run("passive", 0, [0.9], [100]).passive  # the name does not count
    grown = replace(a_passive_run(), rounds=a_run().rounds)  # images came to a labeled project
    assert not grown.passive


def test_a_round_is_found_by_its_labels() -> None:
    run = a_run(accuracy=(0.1, 0.2, 0.3, 0.4))
    assert run.at(30).metrics["accuracy"] == 0.3
    assert run.labels is run.labels  # thousands of rounds are looked up
    with pytest.raises(ValueError, match="no round with 31 labels"):
        run.at(31)


@pytest.mark.parametrize(
    ("strategy", "name"),
    [
        ({"type": "al_lightning.strategies.uncertainty.LeastConfidence"}, "least_confidence"),
        ({"_target_": "al_lightning.strategies.Random"}, "random"),
        ({"type": "__main__.MyOwn2Strategy"}, "my_own2_strategy"),
        (None, "strategy"),
    ],
)
def test_a_run_of_the_library_is_named_after_its_strategy(
    tmp_path: Path, strategy: object, name: str
) -> None:
    config = {"strategy": strategy, "names": {}}
    found = read_run(journal_of(write_run(tmp_path, a_run(config=config))))
    assert found is not None
    assert (found.strategy, found.dataset, found.model) == (name, "data", "model")


@pytest.mark.parametrize("seed", [None, "zero", True, 1.5])
def test_what_is_no_seed_is_none(tmp_path: Path, seed: object) -> None:
    found = read_run(journal_of(write_run(tmp_path, a_run(config={"seed": seed}))))
    assert found is not None
    assert found.seed is None


def test_a_run_that_has_not_begun_is_no_run(tmp_path: Path) -> None:
    journal_of(tmp_path).touch()
    assert read_run(journal_of(tmp_path)) is None
    assert read_runs([tmp_path]) == (
        [],
        [f"{journal_of(tmp_path)} is empty: its run has not begun"],
    )


def test_a_link_to_nothing_is_named(tmp_path: Path) -> None:
    journal_of(tmp_path).symlink_to(tmp_path / "gone")
    assert read_runs([tmp_path]) == ([], [f"{journal_of(tmp_path)} is a link to nothing"])


def test_a_damaged_journal_does_not_take_the_others_away(tmp_path: Path) -> None:
    write_run(tmp_path, a_run("margin", folder="good"))
    bad = journal_of(write_run(tmp_path, a_run("random", folder="bad")))
    bad.write_text("{}\n", encoding="utf-8")
    runs, problems = read_runs([tmp_path])
    assert [run.strategy for run in runs] == ["margin"]
    assert len(problems) == 1
    assert str(bad) in problems[0]


def test_a_journal_that_may_not_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = journal_of(write_run(tmp_path, a_run()))

    def refuse(*arguments: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(runs_module, "Journal", refuse)
    with pytest.raises(JournalError, match=r"cannot be read: Permission denied. Check permissions"):
        read_run(path)


@pytest.mark.parametrize(
    ("line", "change", "problem"),
    [
        (2, {"metrics": {"nll": 1.0}}, "accuracy"),
        (2, {"seconds": None}, "seconds must be a mapping"),
        (0, {"config": ["seed"]}, "config must be a mapping"),
    ],
)
def test_a_journal_without_what_a_report_needs_is_named(
    tmp_path: Path, line: int, change: dict[str, object], problem: str
) -> None:
    path = rewritten(journal_of(write_run(tmp_path, a_run())), line, change)
    with pytest.raises(JournalError, match=rf"{path}: cannot be reported on.*{problem}"):
        read_run(path)


def rewritten(path: Path, changed: int, change: dict[str, object]) -> Path:
    """Write a journal again, with other values in one of its lines."""
    events = [{**event} for event in Journal(path).events]
    events[changed] |= change
    path.unlink()
    journal = Journal(path)
    for event in events:
        journal._append(event)  # what a journal's own methods would refuse
    return path


def test_a_run_without_test_images_is_no_damaged_one(tmp_path: Path) -> None:
    folder = write_run(tmp_path, a_run("margin", accuracy=(0.5,), labels=(10,), finished=False))
    path = rewritten(journal_of(folder), 2, {"metrics": {}, "per_class": {}})
    run = read_run(path)
    assert run is not None
    assert not run.tested
    assert run.rounds[0].metrics == {}
    assert a_run().tested


def test_overrides_are_those_of_the_command_line(tmp_path: Path) -> None:
    given = ("strategy=margin", "budget.total=40")
    new = read_run(journal_of(write_run(tmp_path, a_run(overrides=given))))
    library = a_run(config={"names": {}}, folder="library")
    read = read_run(journal_of(write_run(tmp_path, library)))
    assert new
    assert read
    assert (new.overrides, read.overrides) == (given, None)


def test_questions_and_skipped_images_are_no_queries_of_their_own(tmp_path: Path) -> None:
    """A person skips three of the first images, and answers the first query in two parts."""
    template = a_run(accuracy=(0.5, 0.6), labels=(4, 8))
    write_run(tmp_path, template)
    start, *_ = Journal(journal_of(tmp_path / template.folder)).events
    path = tmp_path / "by hand" / "journal.jsonl"
    journal = Journal(path)
    journal.begin({k: v for k, v in start.items() if k not in ("event", "schema")})
    ids = torch.arange(20)

    def answer(index: int, asked: Tensor, labels: list[int]) -> None:
        origin: Origin = "query" if index else "initial"
        scored = torch.ones(len(asked)) if index else None
        guesses = torch.zeros(len(asked), dtype=torch.int64) if index else None
        journal.record_question(Question(index, origin, asked, 0, scored, guesses, scored))
        given = torch.tensor(labels, dtype=torch.int64)
        journal.record_labels(
            index, asked[: len(given)], given, origin, skipped=asked[len(given) :]
        )

    answer(0, ids[:7], [0, 1, 2, 3])
    journal.record_round(round_event(0, template.rounds[0]))
    answer(1, ids[7:10], [])
    answer(1, ids[10:12], [1])
    answer(1, ids[12:16], [1, 1, 2])
    journal.record_round(round_event(1, template.rounds[1]))
    journal.record_question(Question(2, "query", ids[16:18]))
    run = read_run(path)
    assert run is not None
    assert (run.labels, run.finished) == ((4, 8), False)
    assert run.query_mix == ((0, 3, 1, 0),)
    assert (run.initial_mix, run.skipped) == ((1, 1, 1, 1), 3)
    assert class_report(the_setting([run])).mix["random"] == (0, 0.75, 0.25, 0)


def test_the_curve_of_a_project_begins_with_its_last_classes(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.rounds(0.5, 0.6)
    project.journal.record_classes(ClassChange(added=("d",)))
    project.label(of=3)
    project.round(0.4)
    project.journal.record_setting("names.strategy", "entropy")
    project.label(of=1)
    project.round(0.7)
    project.journal.record_setting("names.strategy", "badge")  # nothing is known of it yet
    run = read_run(journal_of(tmp_path))
    assert run is not None
    assert (run.labels, run.strategy, run.classes) == ((30, 40), "entropy", ("a", "b", "c", "d"))
    assert run.query_mix == ((0, 10, 0, 0),)
    assert run.changes == (
        "classes with d in round 2 (30 labels)",
        "strategy from margin to entropy in round 3 (40 labels)",
        "the curve begins with round 2, the first with the classes of now",
    )
    (setting,) = build_study([run])
    assert setting.notes == (f"{tmp_path.as_posix()} changed on its way: {'; '.join(run.changes)}",)


def test_what_was_bought_for_test_is_read(tmp_path: Path) -> None:
    project = Project(tmp_path, test=0, bought_test=20)
    project.rounds(0.5)
    run = read_run(journal_of(tmp_path))
    assert run is not None
    assert (run.test_labels, run.rounds[0].test) == (20, {"accuracy": 0.5})


def test_a_round_was_measured_on_the_labels_of_its_time(tmp_path: Path) -> None:
    project = Project(tmp_path, test=0, validation=8, bought_test=20)
    project.rounds(0.5)
    project.label(4, "validation")
    project.rounds(0.6)
    project.label(5, "test")
    run = read_run(journal_of(tmp_path))
    assert run is not None
    assert (run.validation_labels, run.test_labels) == (12, 25)
    assert [(each.validation_labels, each.test_labels) for each in run.rounds] == [
        (8, 20),
        (12, 20),
    ]


def test_a_run_on_all_labels_that_there_are_is_passive() -> None:
    assert replace(a_run("passive", 0, [0.9], [197]), skipped=3).passive
