"""Names of classes and of files: brought to one form, or refused, where they come in."""

import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from al_lightning.utils.errors import DataError

#: Of the name of a class, in characters.
LONGEST_NAME = 200
# Control characters, and separators of lines and paragraphs: no table keeps them.
_UNPRINTABLE = ("Cc", "Zl", "Zp")


def plain(name: str) -> str:
    """Return a name as it comes through spreadsheets, XML, browsers and other systems.

    Blanks are single, and none outside; accents are composed (Unicode NFC).
    """
    return " ".join(unicodedata.normalize("NFC", name).split())


def normal_name(text: str) -> str:
    """Return a name in its :func:`plain` form, which sheets, pages and reports know it by.

    Raises:
        ValueError: If nothing is left, or a character cannot be shown; says which.
    """
    name = plain(text)
    if not name:
        raise ValueError("it is empty")
    if len(name) > LONGEST_NAME:
        raise ValueError(f"it has {len(name)} characters, and at most {LONGEST_NAME} fit on a page")
    if not is_utf8(name):
        raise ValueError("it is not UTF-8")
    if hidden := unprintable(name):
        raise ValueError(f"it has the character {hidden}, which cannot be shown")
    return name


def check_class_names(classes: Sequence[str]) -> None:
    """Check that names of classes are in their :func:`normal_name`, and differ.

    Raises:
        DataError: If one is not, which says what to call it; or if two classes have one name.
    """
    for name in classes:
        if not isinstance(name, str):
            raise DataError(f"The class {name!r} needs a name, such as {str(name)!r}")
        try:
            normal = normal_name(name)
        except ValueError as error:
            raise DataError(f"The class {name!a} needs another name: {error}") from error
        if normal != name:
            raise DataError(
                f"The class {name!a} must be called {normal!r}: spreadsheets and browsers drop blanks "
                "outside and doubled ones, and compose accents"
            )
        if classes.count(name) > 1:
            raise DataError(f"The name {name!r} is that of {classes.count(name)} classes")


def below_folder(file: Path, folder: Path) -> str:
    """Return the name of a file relative to a folder, with slashes; its whole path if it is elsewhere.

    Much faster than :meth:`pathlib.Path.relative_to`, for hundreds of thousands of files.
    """
    name = file.as_posix()
    return name.removeprefix(f"{folder.as_posix().rstrip('/')}/") if folder.parts else name


def file_trouble(name: str) -> str | None:
    """Return why a file's name cannot be shown in tables; None if it can."""
    if not is_utf8(name):
        return "its name is not UTF-8; rename it"
    if hidden := unprintable(name):
        return f"its name has the character {hidden}, which cannot be shown; rename it"
    return None


def is_utf8(text: str) -> bool:
    """Return whether a text can be written into files and onto screens."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def unprintable(text: str) -> str | None:
    r"""Return the first character that cannot be shown, as "\\x0d"; None if there is none."""
    for character in "" if _is_plain_ascii(text) else text:
        if unicodedata.category(character) in _UNPRINTABLE:
            return _escaped(character)
    return None


def readable_name(path: Path) -> str:
    """Return a path as messages show it: :func:`readable`, with slashes."""
    return readable(path.as_posix())


def readable(text: str) -> str:
    r"""Return a text with ``\xff`` and ``\n`` for what cannot be shown."""
    if _is_plain_ascii(text):
        return text
    text = os.fsencode(text).decode("utf-8", "backslashreplace")
    return "".join(_escaped(c) if unicodedata.category(c) in _UNPRINTABLE else c for c in text)


def _is_plain_ascii(text: str) -> bool:
    """Return whether there is nothing to look for: names of files come by the hundred thousand."""
    return text.isascii() and text.isprintable()


def _escaped(character: str) -> str:
    return ascii(character).strip("'")
