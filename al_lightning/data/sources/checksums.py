"""The published checksums of files."""

import hashlib
from pathlib import Path

from al_lightning.utils.errors import DataError


def require_md5(path: Path, expected: str) -> None:
    """Check the MD5 sum of a file.

    Args:
        path: The file.
        expected: Its published sum, in hexadecimal.

    Raises:
        DataError: If it is another, or the file cannot be read; names the file.
    """
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, _md5).hexdigest()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}. Check its permissions") from error
    if found != expected:
        raise DataError(
            f"{path} is damaged or not the original file: expected the MD5 sum {expected}, found "
            f"{found} ({path.stat().st_size} bytes). Replace it with the original, or delete it so "
            "that it is downloaded again"
        )


def _md5() -> "hashlib._Hash":
    return hashlib.md5(usedforsecurity=False)
