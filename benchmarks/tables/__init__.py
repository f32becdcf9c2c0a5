"""Tables of docs/, made from the raw results in benchmarks/results/.

A table stands between ``<!-- table: NAME -->`` and ``<!-- /table -->``. NAME is a function of one of
these modules, which reads the results that a script has left and returns the rows. A test compares the
two.
"""

import re
from collections.abc import Callable

from benchmarks.tables import comparing, labeling, performance, recipe
from benchmarks.tables.cells import Rows

_MARKED = re.compile(r"(<!-- table: (\w+) -->\n)(.*?)(<!-- /table -->)", re.DOTALL)
TABLES: dict[str, Callable[[], Rows]] = {
    make.__name__: make
    for part in (recipe, labeling, performance, comparing)
    for make in part.TABLES
}


def with_tables(text: str) -> str:
    """Return a page with all of its tables made anew; one without results stays as it is.

    Raises:
        KeyError: If a marker names no table.
    """
    return _MARKED.sub(_made, text)


def _made(found: re.Match[str]) -> str:
    try:
        rows = TABLES[found[2]]()
    except FileNotFoundError:
        return found[0]
    return f"{found[1]}\n{_markdown(rows)}\n{found[4]}"


def _markdown(rows: Rows) -> str:
    # An empty cell has a single blank, as elsewhere in docs/.
    header, *body = [
        "|".join(["", *(f" {cell} " if cell else " " for cell in row), ""]) for row in rows
    ]
    line = "|".join(["", *(" --- " for _ in rows[0]), ""])
    return "\n".join([header, line, *body, ""])
