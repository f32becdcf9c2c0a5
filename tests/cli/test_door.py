import errno
from pathlib import Path

import pytest

from al_lightning.cli import door
from al_lightning.errors import UsageError


def test_a_disk_without_room_for_a_folder_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**options: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(door, "mkdtemp", full)
    with pytest.raises(UsageError, match=r"No folder can be made for .*: No space left on device"):
        door._check_output_root(str(tmp_path))


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="File name too long"):
        door._check_output_root(str(tmp_path / ("x" * 300)))
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(UsageError, match="file is no folder"):
        door._check_output_root(str(file / "outputs"))
    door._check_output_root(str(tmp_path / "new" / "outputs"))
    assert not list(tmp_path.glob("*/"))
