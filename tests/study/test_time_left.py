from dataclasses import replace

from study.part import PlannedRun
from study.time_left import TimeLeft, time_left
from tests.study.tiny import PART

OTHER = replace(PART, name="u")


def run(strategy: str, seed: int, part: object = PART) -> PlannedRun:
    return PlannedRun(part, strategy, seed)  # type: ignore[arg-type]


def test_a_run_takes_as_long_as_those_of_its_part_and_strategy() -> None:
    finished = {run("random", 0): 10.0, run("random", 1): 30.0, run("margin", 0): 500.0}
    # Two of random at 10 s each, the shorter, in two processes.
    assert time_left([run("random", 2), run("random", 3)], finished, 2) == TimeLeft(10.0, 0)
    finished[run("random", 4)] = 12.0
    assert time_left([run("random", 2), run("random", 3)], finished, 2) == TimeLeft(12.0, 0)


def test_where_there_are_none_those_of_its_part_count() -> None:
    finished = {run("random", 0): 10.0, run("random", 1): 30.0, run("margin", 0): 500.0}
    finished[run("badge", 0, OTHER)] = 9999.0
    assert time_left([run("badge", 0), run("margin", 1)], finished, 1) == TimeLeft(30 + 500, 0)


def test_runs_of_parts_that_nothing_is_known_of_are_counted_apart() -> None:
    left = [run("random", 1), run("random", 0, OTHER), run("margin", 0, OTHER)]
    found = time_left(left, {run("random", 0): 60.0}, 1)
    assert found == TimeLeft(60.0, 2)
    assert str(found) == "1 min left, without 2 runs of parts not yet begun"


def test_time_is_shown_in_words() -> None:
    assert str(TimeLeft(0, 0)) == "0 s left"
    assert str(TimeLeft(29, 0)) == "29 s left"
    assert str(TimeLeft(90, 0)) == "2 min left"
    assert str(TimeLeft(3600 * 26 + 61, 0)) == "26 h 1 min left"
