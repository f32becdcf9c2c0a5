"""Class names as people spell them."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence

from al_lightning.utils.hints import did_you_mean
from al_lightning.utils.names import normal_name, plain
from al_lightning.utils.spreadsheet import cell

_WHOLE = re.compile(r"0*(\d{1,18})(?:[.,]0{0,2})?", re.ASCII)  # 1,000 is no 1


def look_alike_key(name: str) -> str:
    """Return a form of a name that is equal for names that look equal, in any case."""
    text = unicodedata.normalize("NFKC", plain(name).casefold())
    return plain("".join(c for c in text if unicodedata.category(c) != "Cf"))  # such as U+200B


def whole_number_in(written: str) -> int | None:
    """Return a whole number as spreadsheets and programs write it: 7 from 007, 3 from 3.0.

    Returns:
        The number; None where it is something else.
    """
    found = _WHOLE.fullmatch(look_alike_key(written))
    return None if found is None else int(found[1])


def _number(name: str) -> str:
    """Return a name, or the :func:`whole_number_in` it."""
    number = whole_number_in(name)
    return look_alike_key(name) if number is None else str(number)


def resolve_name(written: str, names: Iterable[str]) -> str | None:
    """Return the one name that a person has written, in any case, with other blanks or Unicode form.

    A spreadsheet writes the class 007 as 7, and a program that knows empty cells as NaN 7 as 7.0.

    Args:
        written: What they wrote: a name, or what a table shows of it.
        names: That there are; equal ones count once.

    Returns:
        The name; None where it is none of them, or could be several.
    """
    # Ever more lenient.
    readings: Sequence[Callable[[str], str]] = (
        str,
        plain,
        look_alike_key,
        _number,
    )
    for read in readings:
        form = read(written)
        if found := {name for name in names if form in (read(name), read(cell(name)))}:
            return found.pop() if len(found) == 1 else None
    return None


def read_class(written: str, names: Sequence[str], *, takes_new: bool = False) -> str:
    """Return the one name that a person has written; see :func:`resolve_name`.

    Args:
        written: What they wrote.
        names: That there are.
        takes_new: Whether another name is a new one.

    Raises:
        ValueError: If it is none of them, or could be several; names the nearest one.
    """
    if (name := resolve_name(written, names)) is not None:
        return name
    if takes_new:
        return normal_name(written)
    written = written.strip()
    raise ValueError(f"{written!r} is no class{did_you_mean(written, names)}")
