import os
import subprocess
import sys
from pathlib import Path

import pytest

from al_lightning.utils.errors import UsageError
from al_lightning.utils.files import remove_leftovers, replacing, require_file, reserve, write_whole


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_put_into_place_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "new" / "table.csv"
    with replacing(path) as partial:
        partial.write_text("all of it")
        assert partial.parent == path.parent
        assert not path.exists()
    assert path.read_text() == "all of it"
    assert names(path.parent) == ["table.csv"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_block_that_fails_leaves_what_was_there(
    tmp_path: Path, error: type[BaseException]
) -> None:
    path = tmp_path / "table.csv"
    path.write_text("old")

    def fail() -> None:
        with replacing(path) as partial:
            partial.write_text("half")
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["table.csv"]


def test_a_full_disk_is_an_error_of_usage(tmp_path: Path) -> None:
    def fail() -> None:
        with replacing(tmp_path / "table.csv"):
            raise OSError("disk full")

    with pytest.raises(UsageError, match=r"table\.csv cannot be written: disk full"):
        fail()
    assert names(tmp_path) == []


def test_what_is_no_file_is_refused_before_the_block(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no file"), replacing(tmp_path):
        pytest.fail("too late")


def test_a_folder_that_cannot_be_is_refused_before_the_block(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "table.csv"
    with pytest.raises(UsageError, match="cannot be written"), replacing(path):
        pytest.fail("too late")


@pytest.mark.skipif(os.name == "nt", reason="links take a privilege on Windows")
def test_a_link_may_be_replaced_itself(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    write_whole(tmp_path / "link", b"new", follow_links=False)
    assert not (tmp_path / "link").is_symlink()
    assert [(tmp_path / name).read_text() for name in ("link", "target")] == ["new", "old"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with replacing(tmp_path / "link") as partial:
        partial.write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "new"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_the_file_may_be_read_as_any_other_new_file(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    with replacing(tmp_path / "table.csv"):
        pass
    assert (tmp_path / "table.csv").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_text_is_written_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "sheet.csv"
    for text in ("a,b\r\né\n", "c\n"):
        write_whole(path, text)
        assert path.read_bytes() == text.encode()
    assert names(path.parent) == ["sheet.csv"]


def test_a_crash_while_writing_leaves_the_old_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "sheet.csv"
    write_whole(path, "old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match="No space"):
        write_whole(path, "new")
    assert path.read_text() == "old"


def test_room_is_taken_and_what_is_there_stays(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    reserve(path, 100_000)
    assert path.stat().st_size == 100_000
    assert path.read_bytes()[:4] == b"abc\0"
    reserve(path, 2)
    assert path.read_bytes() == b"ab"
    reserve(tmp_path / "none", 0)
    assert (tmp_path / "none").stat().st_size == 0


def test_too_little_room_is_an_error_with_figures(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"MiB are needed, .* MiB are free, and 5 MiB are left"):
        reserve(tmp_path / "file", 2**60, left_free=5 * 2**20)


@pytest.mark.skipif(os.name == "nt", reason="files that are open cannot be removed there")
def test_what_a_killed_process_left_is_removed_and_what_a_live_one_writes_is_not(
    tmp_path: Path,
) -> None:
    program = (
        "import sys, pathlib\n"
        "from al_lightning.utils.files import replacing\n"
        "with replacing(pathlib.Path(sys.argv[1])) as partial:\n"
        "    partial.write_text('half')\n"
        "    print('writing', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "a.npy")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"writing\n"
        (tmp_path / ".mine.1.txt").write_text("a person's")
        remove_leftovers(tmp_path)
        (partial,) = tmp_path.glob(".a.npy.*.partial")
        assert partial.read_text() == "half"
        writer.kill()
        writer.wait()
    assert partial.exists()
    write_whole(tmp_path / "b.txt", "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".mine.1.txt", "b.txt"]
    remove_leftovers(tmp_path / "nowhere")


def test_what_would_never_end_or_is_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    require_file(tmp_path / "file", 3)
    os.mkfifo(tmp_path / "pipe")
    for path, said in (
        (tmp_path, "it is a folder"),
        (tmp_path / "pipe", "it is no file, but a device or a pipe"),
        (Path("/dev/zero"), "it is no file, but a device or a pipe"),
        (tmp_path / "file", "it has 3 bytes, and at most 2 are read"),
    ):
        with pytest.raises(OSError, match=said):
            require_file(path, 2)
