import os
from pathlib import Path

import pytest

from al_lightning.oracles.page.page_log import Entry, PageLog, pace
from al_lightning.utils.errors import UsageError

ADA = Entry(4, "label", "cat", "Ada", 12.5)
SKIP = Entry(5, "skip", "", "", 13.0)


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    log = PageLog(tmp_path / "queries" / "page.jsonl")
    assert log.entries == []
    log.append([ADA, SKIP])
    log.append([Entry(4, "undo", "", "Ada", 14.0)])
    assert (
        PageLog(log.path).entries == log.entries == [ADA, SKIP, Entry(4, "undo", "", "Ada", 14.0)]
    )


def test_a_torn_line_is_dropped_and_written_over(tmp_path: Path) -> None:
    log = PageLog(tmp_path / "page.jsonl")
    log.append([ADA])
    with log.path.open("ab") as file:
        file.write(b'{"id": 9, "ki')
    again = PageLog(log.path)
    assert again.entries == [ADA]
    again.append([SKIP])
    assert PageLog(log.path).entries == [ADA, SKIP]


def test_zeros_that_a_power_loss_leaves_are_dropped(tmp_path: Path) -> None:
    log = PageLog(tmp_path / "page.jsonl")
    log.append([ADA])
    with log.path.open("ab") as file:
        file.write(b"\0\0\0\0\n\n")
    assert PageLog(log.path).entries == [ADA]


@pytest.mark.parametrize("gap", [b"\n", b"\0\0\0\n", b"  \n"])
def test_no_label_is_lost_behind_an_empty_line(tmp_path: Path, gap: bytes) -> None:
    log = PageLog(tmp_path / "page.jsonl")
    log.append([ADA])
    first = log.path.read_bytes()
    log.append([SKIP])
    content = log.path.read_bytes()
    log.path.write_bytes(first + gap + content[len(first) :])
    with pytest.raises(UsageError, match="line 2 is damaged"):
        PageLog(log.path)


def test_a_file_that_somebody_edits_meanwhile_is_left_as_it_is(tmp_path: Path) -> None:
    log = PageLog(tmp_path / "page.jsonl")
    log.append([ADA])
    log.path.write_bytes(log.path.read_bytes() * 2)
    with pytest.raises(UsageError, match=r"page\.jsonl was changed"):
        log.append([SKIP])
    assert log.entries == [ADA]
    assert len(PageLog(log.path).entries) == 2


@pytest.mark.parametrize(
    "line",
    [
        *("no json", "[]", '{"id": 1}', '{"id": true, "kind": "skip", "by": "", "at": 1}'),
        '{"id": 1, "kind": "label", "by": "", "at": 1}',
        '{"id": 1, "kind": "eat", "by": "", "at": 1}',
    ],
)
def test_a_damaged_line_is_refused_by_file_and_line(tmp_path: Path, line: str) -> None:
    log = PageLog(tmp_path / "page.jsonl")
    log.append([ADA])
    with log.path.open("a") as file:
        file.write(f"{line}\n")
    log.path.write_bytes(log.path.read_bytes() + b'{"id": 5, "kind": "skip", "by": "", "at": 1}\n')
    with pytest.raises(UsageError, match=r"page\.jsonl, line 2 is damaged"):
        PageLog(log.path)


def test_what_the_disk_refuses_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = PageLog(tmp_path / "page.jsonl")
    log.append([ADA])

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            log.append([SKIP])
    assert log.entries == [ADA]
    log.append([Entry(6, "skip", "", "", 15.0)])
    assert [entry.id for entry in PageLog(log.path).entries] == [4, 6]


def test_the_pace_is_that_of_the_last_minutes() -> None:
    old, undo = Entry(9, "label", "cat", "Bob", 0.0), Entry(4, "undo", "", "Ada", 1030.0)
    given = [Entry(i, "label", "cat", "Ada", 1000.0 + i) for i in range(30)]
    found = pace([old, *given, undo], now=1060.0)
    assert found == {"per_minute": 30.0, "people": {"Bob": 1, "Ada": 30}}
    assert pace([old], now=1000.0) == {"per_minute": 0.0, "people": {"Bob": 1}}
