import os
import time
from pathlib import Path

import pytest

from al_lightning.cli.cache_command import main
from al_lightning.utils.locks import exclusive

DAY = 86_400
NOW = time.time()  # once: midnight may come between


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    """Runs, and three things that they keep, used 1, 2 and 3 days ago."""
    cache = tmp_path / "outputs" / ".cache"
    files = {
        "ab12.ckpt": 1_000_000,
        "ab12.lock": 0,
        "embeddings/cd34.npy": 2_000_000,
        "embeddings/cd34.json": 500_000,
        "images/ef56-78/pixels.bin": 4_000_000,
        "images/ef56-78/facts.json": 0,
    }
    for name, size in files.items():
        path = cache / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(size))
    for days, name in (
        (1, "ab12.ckpt"),
        (2, "embeddings/cd34.json"),
        (4, "embeddings/cd34.npy"),  # made then, and used since
        (3, "images/ef56-78/facts.json"),
    ):
        moment = NOW - days * DAY
        os.utime(cache / name, (moment, moment))
    (tmp_path / "outputs" / "digits").mkdir()
    return tmp_path / "outputs"


def test_what_is_kept_is_listed(outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--output-root", str(outputs)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:3] for line in lines[:-1]] == [
        ["images", "4.0", "MB"],
        ["embeddings", "2.5", "MB"],
        ["fits", "1.0", "MB"],
    ]
    for days, line in zip((3, 2, 1), lines, strict=False):
        assert time.strftime("%Y-%m-%d", time.localtime(NOW - days * DAY)) in line
    assert lines[-1].startswith("3 entries, 7.5 MB, in ")
    assert (outputs / ".cache" / "ab12.ckpt").exists()


def test_what_is_asked_for_is_removed(outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--output-root", str(outputs), "--clear", "--unused-for", "1.5", "--kind", "embeddings"])
    assert capsys.readouterr().out.startswith("Removed 1 entry, 2.5 MB, in ")
    assert not list((outputs / ".cache" / "embeddings").glob("cd34.[nj]*"))
    main(["--output-root", str(outputs), "--clear"])
    assert capsys.readouterr().out.startswith("Removed 2 entries, 5.0 MB, in ")
    assert not (outputs / ".cache" / "images" / "ef56-78").exists()
    assert (outputs / "digits").is_dir()


def test_what_is_in_use_stays(outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with exclusive(outputs / ".cache" / "images" / "ef56.lock"):
        main(["--output-root", str(outputs), "--clear", "--kind", "images"])
    assert capsys.readouterr().out.rstrip().endswith("; 1 in use, or removal not permitted")
    assert (outputs / ".cache" / "images" / "ef56-78" / "pixels.bin").exists()


def test_where_nothing_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--output-root", str(tmp_path)]) == 1
    assert "is not there: name the folder of the runs" in capsys.readouterr().err


def test_an_embedding_that_was_killed_and_never_finished_is_listed_and_removed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / ".cache" / "embeddings"
    folder.mkdir(parents=True)
    for name, size in (("ab.0f.part", 3_000_000), ("ab.0f.sums", 1_000), ("ab.lock", 0)):
        (folder / name).write_bytes(bytes(size))
    main(["--output-root", str(tmp_path)])
    assert capsys.readouterr().out.split()[:3] == ["embeddings", "3.0", "MB"]
    with exclusive(folder / "ab.lock"):  # a process goes on with it
        main(["--output-root", str(tmp_path), "--clear"])
        assert (folder / "ab.0f.part").exists()
    main(["--output-root", str(tmp_path), "--clear"])
    assert not [*folder.glob("ab.0f.*")]


def test_a_folder_that_cannot_be_looked_into_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--output-root", str(tmp_path / ("x" * 300))]) == 1
    assert ".cache cannot be read: File name too long" in capsys.readouterr().err
