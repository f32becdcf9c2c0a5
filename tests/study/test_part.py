from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from study.part import Part, PlannedRun

PART = Part("x", "a title", "Why?", ("dataset=digits", "budget.query=[5,9]"), ("random", "margin"))


def test_seeds_are_the_outer_loop() -> None:
    runs = [(run.strategy, run.seed) for run in PART.runs([3, 4])]
    assert runs == [("random", 3), ("margin", 3), ("random", 4), ("margin", 4)]


def test_a_run_has_a_folder_and_arguments_of_its_own() -> None:
    run = PlannedRun(PART, "margin", 7)
    assert str(run) == "x margin seed=7"
    assert run.journal(Path("out")) == Path("out/x/r1/margin/seed=7/journal.jsonl")
    assert run.arguments(Path("out")) == [
        *("dataset=digits", "budget.query=[5,9]", "strategy=margin", "seed=7", "threads=1"),
        *("output_root=out/x/r1", "hydra.run.dir='out/x/r1/margin/seed=7'"),
    ]


def test_a_strategy_may_have_overrides_of_its_own() -> None:
    part = replace(PART, strategy_overrides={"margin": ("strategy.pool_subset=50",)})
    random, margin = (run.overrides for run in part.runs([0]))
    assert random == (
        "dataset=digits",
        "budget.query=[5,9]",
        "strategy=random",
        "seed=0",
        "threads=1",
    )
    assert margin[2:] == ("strategy.pool_subset=50", "strategy=margin", "seed=0", "threads=1")


def test_a_strategy_of_fewer_seeds_comes_last() -> None:
    part = replace(PART, strategies=("random", "passive", "margin"), strategy_seeds={"passive": 1})
    runs = [(run.strategy, run.seed) for run in part.runs(range(2))]
    assert runs == [
        *(("random", 0), ("margin", 0), ("random", 1), ("margin", 1)),
        ("passive", 0),
    ]
    assert [run.strategy for run in part.runs(range(2, 4))] == ["random", "margin"] * 2
    assert {run.strategy for run in replace(part, strategies=("random",)).runs([0])} == {"random"}


def test_a_revision_moves_the_runs_that_it_touches_and_no_other() -> None:
    changed = replace(PART, strategy_revisions={"margin": 2})
    assert str(PlannedRun(changed, "margin", 0).place) == "r1/margin-r2/seed=0"
    assert str(PlannedRun(changed, "random", 0).place) == "r1/random/seed=0"
    again = replace(PART, revision=2)
    assert {str(run.place) for run in again.runs([0])} == {"r2/random/seed=0", "r2/margin/seed=0"}
    # A cached fit may be older than the change.
    assert "output_root=out/x/r2" in PlannedRun(again, "margin", 0).arguments(Path("out"))


@pytest.mark.parametrize(
    ("place", "revision", "of_margin", "superseded"),
    [
        ("r1/margin/seed=0", 1, 1, False),
        ("r1/margin/seed=0", 2, 1, True),
        ("r1/margin/seed=0", 1, 2, True),
        ("r1/margin-r2/seed=0", 1, 2, False),
        ("r1/margin-r2/seed=0", 2, 1, True),
        ("r2/margin/seed=0", 2, 1, False),
        ("r1/random/seed=0", 1, 2, False),
        ("r9/margin-r10/seed=0", 10, 1, True),
        ("r10/margin-r10/seed=0", 10, 9, False),
        ("r1/no_more_planned/seed=0", 1, 2, False),
    ],
)
def test_runs_of_earlier_revisions_are_superseded(
    place: str, revision: int, of_margin: int, superseded: bool
) -> None:
    part = replace(PART, revision=revision, strategy_revisions={"margin": of_margin})
    assert part.is_superseded(PurePosixPath(place)) is superseded
