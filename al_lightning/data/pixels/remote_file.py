"""Image files behind addresses such as s3://bucket/cat.jpg, which fsspec reads."""

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from al_lightning.data.pixels.stopped import DecodingStoppedError
from al_lightning.utils.errors import DataError, UsageError
from al_lightning.utils.names import readable, readable_name
from al_lightning.utils.redaction import redacted

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.:-]+://")  # also chained: simplecache::s3://
# What file systems know of a file without reading it, under one name or another.
_CHANGES_WITH_CONTENT = (
    *("size", "mtime", "created", "modified", "updated", "LastModified", "last_modified"),
    *("ETag", "etag", "md5", "md5Hash", "content_md5", "checksum", "generation"),
)


@dataclass(frozen=True)
class RemoteFile:
    """A file behind an address, which is read as a whole.

    >>> RemoteFile("s3://bucket/pets/labels.csv").beside("cat/1.jpg")
    RemoteFile(url='s3://bucket/pets/cat/1.jpg')

    Attributes:
        url: The address, of any protocol that fsspec knows.
    """

    url: str

    @property
    def name(self) -> str:
        """The last part of the address."""
        return str(self).rpartition("/")[2]

    def __str__(self) -> str:
        """Return the address as messages and tables show it, without passwords and tokens."""
        return readable(redacted(self.url))

    def as_posix(self) -> str:
        """Return the address, as a path with slashes."""
        return self.url

    def beside(self, name: str) -> "RemoteFile":
        """Return the file of a name in the same folder, or below it."""
        protocol, _, place = self.url.partition("://")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(place), name))
        return RemoteFile(f"{protocol}://{path}")

    def read(self) -> bytes:
        """Return the content.

        Raises:
            DataError: If there is no such file; leaves it to the caller to name the file.
            DecodingStoppedError: If it cannot be read now, such as without network; names the file.
        """
        try:
            system, path = self._located()
            content: bytes = system.cat_file(path)
        except (FileNotFoundError, IsADirectoryError) as error:
            raise DataError("there is no such file") from error
        except Exception as error:  # each protocol has its own
            raise self._unreachable(error) from error
        return content

    def state(self) -> bytes:
        """Return what changes when the file does, without reading it; b"gone" without such a file.

        Raises:
            DecodingStoppedError: If that cannot be known now; names the file.
        """
        try:
            system, path = self._located()
            facts = system.info(path)
        except FileNotFoundError:  # reading it will say so
            return b"gone"
        except Exception as error:  # each protocol has its own
            raise self._unreachable(error) from error
        return repr([(key, facts.get(key)) for key in _CHANGES_WITH_CONTENT]).encode()

    def _located(self) -> tuple[Any, str]:
        """Return the file system, and the path in it; both belong to this process alone."""
        from fsspec.core import url_to_fs  # noqa: PLC0415 - an extra

        system, path = url_to_fs(self.url)
        return system, path

    def _unreachable(self, error: Exception) -> DecodingStoppedError:
        return DecodingStoppedError(
            f"{self} cannot be read now ({type(error).__name__}: {redacted(str(error))}): no image "
            "was left out. Check the address, your permissions and the network, and run the same "
            "command again"
        )


#: An image file on a disk of this machine, or behind an address.
ImageFile = Path | RemoteFile


def is_address(name: str) -> bool:
    """Return whether a name is an address instead of a path."""
    return _ADDRESS.match(name) is not None


def file_at(folder: Path, name: str) -> ImageFile:
    """Return the file of a name: an address, an absolute path, or a path in a folder."""
    return RemoteFile(name) if is_address(name) else folder / name


def shown_name(file: ImageFile) -> str:
    """Return a file as messages show it: see :func:`~al_lightning.utils.names.readable_name`."""
    return str(file) if isinstance(file, RemoteFile) else readable_name(file)


def shown_names(files: Sequence[ImageFile]) -> list[str]:
    """Return the :func:`shown_name` of many files: the environment is searched for secrets once."""
    masked = iter(redacted([file.url for file in files if isinstance(file, RemoteFile)]))
    return [
        readable(next(masked)) if isinstance(file, RemoteFile) else readable_name(file)
        for file in files
    ]


def require_protocol(url: str) -> None:
    """Check that files behind an address can be read, as far as that is known without reading one.

    Raises:
        UsageError: If fsspec, or the package that it needs for the protocol, is not installed, or it
            does not know the protocol.
    """
    try:
        from fsspec import get_filesystem_class  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise UsageError(
            f'{redacted(url)} is an address, which needs fsspec: pip install "al-lightning[url]"'
        ) from error
    for protocol in url.partition("://")[0].split("::"):
        try:
            get_filesystem_class(protocol)
        except (ImportError, ValueError) as error:
            raise UsageError(
                f"{redacted(url)} cannot be read: {error}. What fsspec reads, and what it needs for "
                "that: https://filesystem-spec.readthedocs.io/en/latest/api.html"
            ) from error
