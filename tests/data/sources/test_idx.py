import gzip
import hashlib
from pathlib import Path

import pytest
import torch

from al_lightning.data.sources.idx import IdxFile, read_idx
from al_lightning.utils.errors import DataError

CONTENT = bytes((0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3)) + bytes(range(6))
EXPECTED = IdxFile((2, 3), hashlib.md5(CONTENT, usedforsecurity=False).hexdigest())
# Without the time: parameters name tests, and every process must find the same tests.
PACKED, PACKED_TWICE = (gzip.compress(content, mtime=0) for content in (CONTENT, CONTENT * 2))


def _file(tmp_path: Path, content: bytes, name: str = "images") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def test_plain_and_compressed_files_read_the_same(tmp_path: Path) -> None:
    expected = torch.arange(6, dtype=torch.uint8).reshape(2, 3)
    assert torch.equal(read_idx(_file(tmp_path, CONTENT), EXPECTED), expected)
    packed = _file(tmp_path, PACKED, "images.gz")
    assert torch.equal(read_idx(packed, EXPECTED), expected)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "found 0 bytes"),
        (CONTENT[:3], "begins with 00 00 08 02, found 00 00 08"),
        (b"<!DOCTYPE html>", "begins with 00 00 08 02, found 3c 21 44 4f"),
        (PACKED, "begins with 00 00 08 02, found 1f 8b"),
        (CONTENT[:3] + b"\x01" + CONTENT[4:], "found 00 00 08 01"),
        (CONTENT[:7] + b"\x09" + CONTENT[8:], "expected 2 x 3 bytes, found 9 x 3"),
        (CONTENT[:-1], "expected 18 bytes uncompressed, found 17"),
        (CONTENT + b"\0", "expected 18 bytes uncompressed, found more"),
        (CONTENT[:-1] + b"\x09", f"MD5 sum {EXPECTED.md5} uncompressed, found "),
    ],
)
def test_damaged_and_foreign_files_are_named(tmp_path: Path, content: bytes, said: str) -> None:
    path = _file(tmp_path, content)
    with pytest.raises(DataError) as raised:
        read_idx(path, EXPECTED)
    message = str(raised.value)
    assert message.startswith(f"{path} is damaged or not the original file: expected ")
    assert said in message
    assert "Replace it with the original, or delete it" in message


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "found 0 bytes"),
        (CONTENT, "Not a gzipped file"),
        (PACKED[:-12], "truncated or damaged"),
        (PACKED[:-8] + b"\0" * 8, "CRC check failed"),
        (PACKED[:10] + b"\xff" * 30, "truncated or damaged"),
        (PACKED_TWICE, "found more"),
    ],
)
def test_damaged_gzip_files_are_named(tmp_path: Path, content: bytes, said: str) -> None:
    path = _file(tmp_path, content, "images.gz")
    with pytest.raises(DataError, match=said) as raised:
        read_idx(path, EXPECTED)
    assert str(path) in str(raised.value)


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"images cannot be read: .*permissions"):
        read_idx(tmp_path / "images", EXPECTED)
