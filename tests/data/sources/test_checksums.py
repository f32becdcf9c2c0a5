import hashlib
from pathlib import Path

import pytest

from al_lightning.data.sources.checksums import require_md5
from al_lightning.utils.errors import DataError


def test_the_right_file_passes_and_another_is_named(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    right = hashlib.md5(b"abc", usedforsecurity=False).hexdigest()
    require_md5(path, right)
    with pytest.raises(
        DataError, match=rf"{path} is damaged .*{'0' * 32}, found {right} \(3 bytes\)"
    ):
        require_md5(path, "0" * 32)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"{tmp_path} cannot be read"):
        require_md5(tmp_path, "0" * 32)
