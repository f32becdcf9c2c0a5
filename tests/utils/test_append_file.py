import os
from pathlib import Path

import pytest

from al_lightning.utils.append_file import AppendOnlyFile
from al_lightning.utils.errors import DataError, UsageError


def test_what_is_appended_is_read_and_what_was_torn_is_written_over(tmp_path: Path) -> None:
    file = AppendOnlyFile(tmp_path / "folder" / "file")
    assert (file.read(), file.size) == (b"", 0)
    file.append(b"one")
    file.append(b"two")
    assert (file.read(), file.size) == (b"onetwo", 6)
    with file.path.open("ab") as torn:
        torn.write(b"thr")
    AppendOnlyFile(file.path, size=6).append(b"four")
    assert file.path.read_bytes() == b"onetwofour"


@pytest.mark.parametrize("change", [b"", b"onetwo and more"])
def test_what_another_process_has_written_is_left_alone(tmp_path: Path, change: bytes) -> None:
    file = AppendOnlyFile(tmp_path / "file", error=DataError)
    file.append(b"onetwo")
    file.path.write_bytes(change)
    with pytest.raises(DataError, match="was changed, probably by another process"):
        file.append(b"three")
    assert file.path.read_bytes() == change
    file.path.unlink()
    with pytest.raises(UsageError, match="was changed"):
        file.append(b"three")
    assert not file.path.exists()


def test_what_the_disk_refuses_does_not_count_and_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    file = AppendOnlyFile(tmp_path / "file")
    file.append(b"one")
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            file.append(b"a long line that is torn")
    assert file.size == 3
    file.append(b"two")
    assert file.path.read_bytes() == b"onetwo"
