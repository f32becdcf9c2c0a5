"""Tables, and how they are written: raw numbers as CSV, rounded ones as Markdown and LaTeX."""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tabulate import tabulate

from al_lightning.utils import spreadsheet

#: What a CSV may hold.
Raw = str | int | float | bool | None

_TAG = re.compile(r"<(?=[A-Za-z/!?])")  # where a tag of HTML begins; "< 0.001" is none

# Signs that readers expect, and their LaTeX.
_LATEX = {
    "\u2265": r"$\geq$",
    "\u2264": r"$\leq$",
    "\u00b1": r"$\pm$",
    "\u2013": "--",
    "\u2212": "$-$",
    "\u2026": r"\ldots{}",
}
_ARGUMENT = re.compile(r"^( *)(?=[\[*])", re.MULTILINE)
_LAST_KNOWN = "\u017f"  # to pdfLaTeX as it comes: Latin letters with accents


@dataclass(frozen=True)
class Cell:
    """A cell.

    Attributes:
        text: For readers, rounded.
        raw: For programs: the columns that the cell has in a CSV, and their values.
    """

    text: str
    raw: Mapping[str, Raw]


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        heading: For readers.
        numeric: Whether it is aligned as numbers are.
    """

    heading: str
    numeric: bool = True


@dataclass(frozen=True)
class Table:
    """A table. The first cell of a row names the row.

    Attributes:
        name: Of its files.
        caption: What it shows, and how to read it.
        columns: From left to right.
        rows: A cell a column; those of one column have the same raw keys.
    """

    name: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]


def word(key: str, text: str) -> Cell:
    """Return a cell that holds the same for readers and programs."""
    return Cell(text, {key: text})


def to_csv(table: Table) -> str:
    """Return a table with all raw values, unrounded; no text is a formula of a spreadsheet."""
    buffer = io.StringIO()
    records = [_record(row) for row in table.rows]
    header = list(records[0]) if records else [column.heading for column in table.columns]
    writer = csv.DictWriter(buffer, header, lineterminator="\n")
    writer.writerow({key: spreadsheet.cell(key) for key in header})
    writer.writerows(
        {key: spreadsheet.cell(raw) if isinstance(raw, str) else raw for key, raw in record.items()}
        for record in records
    )
    return buffer.getvalue()


def to_markdown(table: Table) -> str:
    """Return a table for GitHub and its like, with its caption below."""
    body = [[_markdown(cell.text) for cell in row] for row in table.rows]
    return f"{_tabulate(table, body, 'pipe', _markdown)}\n\n{_markdown(table.caption)}\n"


def to_latex(table: Table) -> str:
    """Return a table for LaTeX; it needs the package booktabs."""
    body = [[" ".join(cell.text.split()) for cell in row] for row in table.rows]
    # After the end of a row, LaTeX would take what begins so for an argument.
    text = _ARGUMENT.sub(r"\1{}", _tabulate(table, body, "latex_booktabs"))
    return f"% needs \\usepackage{{booktabs}}\n{''.join(map(_latex, text))}\n"


def to_records(table: Table) -> list[dict[str, Raw]]:
    """Return the raw values, a record a row."""
    return [_record(row) for row in table.rows]


def _record(row: Sequence[Cell]) -> dict[str, Raw]:
    return {key: value for cell in row for key, value in cell.raw.items()}


def _latex(character: str) -> str:
    """Return a character as every LaTeX can print it; as itself where XeLaTeX or LuaLaTeX runs."""
    if character in _LATEX:
        return _LATEX[character]
    if character == "\n" or (character.isprintable() and character <= _LAST_KNOWN):
        return character
    code = f"U+{ord(character):04X}"
    return (
        rf"\ifdefined\Umathchar {character}\else {code}\fi{{}}" if character.isprintable() else code
    )


def _markdown(text: str) -> str:
    """Return a text that Markdown shows as it is: no tag, no link, no other column or line."""
    one_line = " ".join(text.split("\n")).replace("\\", "\\\\")
    shown = _TAG.sub("&lt;", one_line).replace("](", "]\\(")
    return shown.replace("|", "\\|")


def _plain(text: str) -> str:
    return text


def _tabulate(
    table: Table,
    body: Sequence[Sequence[str]],
    form: str,
    escape: Callable[[str], str] = _plain,
) -> str:
    alignments = ["right" if column.numeric else "left" for column in table.columns]
    headings = [escape(column.heading) for column in table.columns]
    return tabulate(
        body,
        headers=headings,
        tablefmt=form,
        disable_numparse=True,
        colalign=alignments if body else None,
    )
