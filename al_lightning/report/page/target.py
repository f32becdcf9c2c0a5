"""The folder of a report: its files are put there, those of an earlier one removed, and no others.

Such a folder may belong to other people. So no link in it is followed, and what is removed is what an
earlier report has written: named in its ``report.json``, with the digest of its content.
"""

import hashlib
import json
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from al_lightning.utils.errors import UsageError
from al_lightning.utils.files import write_whole

#: All numbers of a report, and the list of its files.
FACTS = "report.json"

_FOLDERS = ("figures", "tables")
_OURS = re.compile(
    r"(results\.(csv|parquet))|(figures/[\w-]+\.(svg|png))|(tables/[\w-]+\.(csv|md|tex))"
)
_LARGEST = 2**28  # bytes of a report.json that is read


def digest(content: bytes) -> str:
    """Return a digest of a file's content."""
    return hashlib.sha256(content).hexdigest()[:32]


def require_no_links(target: Path) -> None:
    """Check that a report written to a folder stays in it.

    Raises:
        UsageError: If the folder, or one that a report has in it, is a link; names it.
    """
    for folder in (target, *(target / name for name in _FOLDERS)):
        if folder.is_symlink():
            raise UsageError(
                f"{folder} is a link to {folder.readlink()}, and a report follows none. Remove the "
                "link, or name another folder by --output"
            )


def replace_files(target: Path, files: Mapping[str, bytes]) -> None:
    """Replace the files of an earlier report; other files stay.

    Args:
        target: The folder; made where it does not exist.
        files: By their paths in it, in the order of writing.

    Raises:
        UsageError: If the folder cannot be written, or is a link.
    """
    require_no_links(target)
    try:
        earlier = _earlier_files(target)
        for name, content in files.items():
            write_whole(target / name, content, follow_links=False)
        for name in earlier - files.keys():
            (target / name).unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"The report cannot be written to {target}: {error}") from error


def _earlier_files(target: Path) -> set[str]:
    """Return the figures and tables of the report that is there, those that are as it wrote them."""
    try:
        recorded = json.loads(_content(target / FACTS) or b"{}")["digests"]
        return {
            name
            for name, expected in recorded.items()
            if _OURS.fullmatch(name)
            and (content := _content(target / name)) is not None
            and digest(content) == expected
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return set()


def _content(path: Path) -> bytes | None:
    """Return the content of a regular file; None for anything else: a pipe would never end."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
        return None
    return path.read_bytes()
