import json
from dataclasses import replace
from pathlib import Path

import pytest

from al_lightning.errors import JournalError
from al_lightning.report.run import Run, find_journals, read_run, read_runs
from tests.report.helpers import a_passive_run, a_run, write_run


def journal_of(folder: Path) -> Path:
    return folder / "journal.jsonl"


@pytest.mark.parametrize(
    "run",
    [
        a_run("margin", 3, validation=4),
        a_run("margin", 3, (0.5, 0.6), (10, 25), finished=False, mix=(15, 0, 0, 0)),
        a_passive_run(1),
    ],
)
def test_a_run_is_read_as_it_was_written(tmp_path: Path, run: Run) -> None:
    found = read_run(journal_of(write_run(tmp_path, run)))
    assert found is not None
    # Which ids it started from is known as a digest alone.
    assert replace(found, start=run.start, folder=run.folder) == run
    assert found.folder == tmp_path / run.folder


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


def test_a_round_is_found_by_its_labels() -> None:
    run = a_run(accuracy=(0.1, 0.2, 0.3, 0.4))
    assert run.at(30).metrics["accuracy"] == 0.3
    with pytest.raises(ValueError, match="not in tuple"):
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


def test_journals_are_found_once_and_in_order(tmp_path: Path) -> None:
    for name in ("b", "a", "a/deeper"):
        write_run(tmp_path, a_run(folder=name))
    (tmp_path / "link").symlink_to(tmp_path / "b")
    folders = [tmp_path / "link", tmp_path, tmp_path / "a", tmp_path / "a" / ".." / "b"]
    found = [path.resolve().relative_to(tmp_path) for path in find_journals(folders)]
    assert sorted(map(str, found)) == [
        "a/deeper/journal.jsonl",
        "a/journal.jsonl",
        "b/journal.jsonl",
    ]


def test_a_run_that_has_not_begun_is_no_run(tmp_path: Path) -> None:
    journal_of(tmp_path).touch()
    assert read_run(journal_of(tmp_path)) is None
    assert read_runs([tmp_path]) == ([], [])


def test_a_damaged_journal_does_not_take_the_others_away(tmp_path: Path) -> None:
    write_run(tmp_path, a_run("margin", folder="good"))
    bad = journal_of(write_run(tmp_path, a_run("random", folder="bad")))
    bad.write_text("{}\n", encoding="utf-8")
    runs, problems = read_runs([tmp_path])
    assert [run.strategy for run in runs] == ["margin"]
    assert len(problems) == 1
    assert str(bad) in problems[0]


@pytest.mark.parametrize(
    ("line", "change", "problem"),
    [
        (2, {"metrics": {"nll": 1.0}}, "accuracy"),
        (2, {"seconds": None}, "NoneType"),
        (0, {"config": ["seed"]}, "list"),
    ],
)
def test_a_journal_without_what_a_report_needs_is_named(
    tmp_path: Path, line: int, change: dict[str, object], problem: str
) -> None:
    path = journal_of(write_run(tmp_path, a_run()))
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[line] = json.dumps(json.loads(lines[line]) | change)
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    with pytest.raises(JournalError, match=rf"{path}: cannot be reported on.*{problem}"):
        read_run(path)
