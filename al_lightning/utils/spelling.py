"""Class names as people spell them."""

import unicodedata
from collections.abc import Callable, Iterable, Sequence

from al_lightning.utils.hints import nearest
from al_lightning.utils.names import normal_name, plain
from al_lightning.utils.spreadsheet import cell


def _uncased(name: str) -> str:
    return unicodedata.normalize("NFKC", plain(name).casefold())


def resolve_name(written: str, names: Iterable[str]) -> str | None:
    """Return the one name that a person has written, in any case, with other blanks or Unicode form.

    Args:
        written: What they wrote: a name, or what a table shows of it.
        names: That there are; equal ones count once.

    Returns:
        The name; None where it is none of them, or could be several.
    """
    readings: Sequence[Callable[[str], str]] = (str, plain, _uncased)  # ever more lenient
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
    spelled = {name.casefold(): name for name in names}
    near = nearest(written.strip().casefold(), spelled)
    hint = f"; did you mean {spelled[near]!r}?" if near is not None else ""
    raise ValueError(f"{written.strip()!r} is no class{hint}")
