from dataclasses import replace
from pathlib import Path

import pytest

from study.part import PlannedRun
from study.record import read_record
from tests.study.tiny import PART, write_journal

RUN = PlannedRun(PART, "random", 3)


def test_a_journal_in_brief(tmp_path: Path) -> None:
    write_journal(tmp_path, RUN, rounds=2)
    record = read_record(RUN.journal(tmp_path))
    assert record is not None
    assert record.finished
    assert record.seconds == 2 * (1.0 + 0.5 + 0.25 + 0.125)
    assert record.accuracy == 0.5
    assert record.config == {"seed": 0}


@pytest.mark.parametrize("rounds", [0, 1])
def test_a_run_that_has_not_ended_is_not_finished(tmp_path: Path, rounds: int) -> None:
    write_journal(tmp_path, RUN, rounds=rounds, finished=False)
    record = read_record(RUN.journal(tmp_path))
    assert record is not None
    assert not record.finished
    assert record.accuracy == (0.5 if rounds else None)


def test_a_torn_line_does_not_count(tmp_path: Path) -> None:
    whole = write_journal(tmp_path, RUN)
    path = RUN.journal(tmp_path)
    path.write_bytes(whole[:-1])
    record = read_record(path)
    assert record is not None
    assert not record.finished


@pytest.mark.parametrize("content", [None, b"", b"no JSON\n", b"[]\n", b'{"event": "start"}\n'])
def test_what_cannot_be_read_is_no_record(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "journal.jsonl"
    if content is not None:
        path.write_bytes(content)
    assert read_record(path) is None


@pytest.mark.parametrize(
    ("given", "same"),
    [
        (RUN.overrides, True),
        (RUN.overrides[::-1], True),
        ((*RUN.overrides, "output_root=elsewhere", "progress=false"), True),
        ((*RUN.overrides, "recipe.epochs=2"), False),
        (RUN.overrides[1:], False),
        (replace(RUN, seed=4).overrides, False),
    ],
)
def test_overrides_that_decide_results_are_those_that_are_planned(
    tmp_path: Path, given: tuple[str, ...], same: bool
) -> None:
    write_journal(tmp_path, RUN, overrides=[*given])
    record = read_record(RUN.journal(tmp_path))
    assert record is not None
    assert record.is_of(RUN) is same
