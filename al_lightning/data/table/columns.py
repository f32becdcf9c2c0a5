"""Which columns of a table have the files, the labels, the splits and the groups."""

import logging
from collections.abc import Mapping, Sequence

from al_lightning.data.pixels.remote_file import ImageFile
from al_lightning.utils.errors import DataError, UsageError
from al_lightning.utils.hints import did_you_mean, nearest
from al_lightning.utils.listing import shortened

FILE = "file"
ROLES = (FILE, "label", "split", "group")
_NAMED = 20  # columns in a message
_USUAL_NAMES = {  # in other people's tables
    "label": ("class", "category", "target", "labels", "class_name", "y"),
    "split": ("splits", "set", "subset", "partition", "fold"),
    "group": ("groups", "patient", "patient_id", "subject", "video"),
}
_logger = logging.getLogger(__name__)


def check_columns(given: Mapping[str, object] | None) -> dict[str, str]:
    """Return names of columns by what they have: a file, a label, a split or a group.

    Raises:
        UsageError: If one is of nothing else, or no name.
    """
    names: dict[str, str] = {}
    for role, name in (given or {}).items():
        if role not in ROLES:
            raise UsageError(
                f"dataset.columns has {role!r}, which is none of {', '.join(ROLES)}"
                + did_you_mean(role, ROLES)
            )
        if not isinstance(name, str) or not name.strip():
            raise UsageError(
                f"dataset.columns.{role}={name!r} is no name of a column; quote it if it is one"
            )
        names[role] = name.strip()
    return names


def find_columns(
    table: ImageFile, columns: Sequence[str], wanted: Mapping[str, str]
) -> dict[str, str]:
    """Return the names of the columns that a table has, by what they have.

    A name in another case is taken where it is clear which column is meant.

    Args:
        table: Where it is, for messages.
        columns: That it has.
        wanted: Names other than the roles' own, as :func:`check_columns` returns them.

    Raises:
        DataError: If two columns have one name, there is no column for the files, or a wanted one is
            missing; names the columns that there are.
    """
    if repeated := {name for name in columns if columns.count(name) > 1}:
        raise DataError(f"{table} has several columns {', '.join(sorted(repeated))}: rename them")
    found = {}
    for role in ROLES:
        name = wanted.get(role, role)
        same = [other for other in columns if other == name] or [
            other for other in columns if other.casefold() == name.casefold()
        ]
        if len(same) == 1:
            found[role] = same[0]
        elif role == FILE or role in wanted:
            raise DataError(_refusal(table, columns, role, name))
    for role, name in _overlooked(columns, found).items():
        _logger.warning(
            "%s has no column '%s', and its column '%s' is not read. If that has the %ss: "
            "'dataset.columns={%s: %s}'",
            *(table, role, name, role, role, name),
        )
    return found


def _overlooked(columns: Sequence[str], found: Mapping[str, str]) -> dict[str, str]:
    """Return columns that are called nearly as a part that has none is, by these parts."""
    others = {name.casefold(): name for name in columns if name not in found.values()}
    missing = [role for role in ROLES if role not in found]
    usual = {role: next(filter(others.__contains__, _USUAL_NAMES[role]), None) for role in missing}
    meant = {role: usual[role] or nearest(role, others) for role in missing}
    return {role: others[name] for role, name in meant.items() if name is not None}


def _refusal(table: ImageFile, columns: Sequence[str], role: str, name: str) -> str:
    if not columns:
        return f"{table} is empty: the first row must name the columns, of which '{FILE}' is needed"
    likely = nearest(name, columns) or nearest(role, columns) or "NAME"
    there = ", ".join(shortened((f"'{other}'" for other in columns), _NAMED))
    return (
        f"{table} has no column '{name}': its columns are {there}. Name the one that has the {role}s: "
        f"'dataset.columns={{{role}: {likely}}}'"
    )
