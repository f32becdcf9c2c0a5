from pathlib import Path

import pytest

from al_lightning.cli.run_folder import clear

FILES = (
    "summary.json",
    "images.csv",
    "csv/metrics.csv",
    "checkpoints/last.ckpt",
    "queries/round_01.csv",
)


def a_folder(folder: Path, *, journal: str | None) -> Path:
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "notes.txt").write_text("of somebody")
    if journal is not None:
        (folder / "journal.jsonl").write_text(journal)
    return folder


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_folder_that_no_run_has_is_left_alone(tmp_path: Path) -> None:
    clear(a_folder(tmp_path, journal=None))
    assert files(tmp_path) == {*FILES, "notes.txt"}


def test_what_a_run_has_written_goes_and_nothing_else(tmp_path: Path) -> None:
    clear(a_folder(tmp_path, journal='{"event": "start"}\n{"event": "labels", "origin": "query"}'))
    assert files(tmp_path) == {"notes.txt"}


@pytest.mark.parametrize(
    "line",
    [
        '{"event": "question", "round": 0}',
        '{"event": "correction", "ids": [3]}',
        '{"event": "classes", "added": ["owl"]}',
        '{"event": "labels", "origin": "imported"}',
    ],
)
def test_what_people_have_answered_and_changed_is_kept(tmp_path: Path, line: str) -> None:
    (tmp_path / "overwritten_01").mkdir()  # 00 was removed by hand
    for number in ("00", "02"):
        clear(a_folder(tmp_path, journal=line))
        kept = files(tmp_path / f"overwritten_{number}")
        assert kept == {"images.csv", "journal.jsonl", "queries/round_01.csv"}
    assert not (tmp_path / "journal.jsonl").exists()
