"""Tables of text with separators, as spreadsheets and programs write them."""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence

_SEPARATORS = ",;\t"  # spreadsheets write what their language's decimal comma leaves
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # "Unicode text" of a spreadsheet


def decoded(content: bytes) -> str:
    """Return the text of a file in UTF-8, or in UTF-16 with its byte-order mark.

    Raises:
        ValueError: If it is neither; names the first such row.
    """
    try:
        return content.decode("utf-16" if content.startswith(_UTF16) else "utf-8-sig")
    except UnicodeDecodeError as error:
        row = 1 + content.count(b"\n", 0, error.start)
        raise ValueError(f"it is not UTF-8 in row {row} ({error}); save it as CSV UTF-8") from error


class DelimitedRows:
    r"""The rows of a table whose separator is a comma, a semicolon or a tab.

    Spreadsheets add columns without a name, and leave out the separators of trailing empty cells: the
    cells of nameless columns, and those beside the last column, are under the key "". Empty rows are
    left out.

    >>> rows = DelimitedRows("file;label\n'a;b.png';cat\n".replace("'", '"'))
    >>> rows.header
    ['file', 'label']
    >>> list(rows)
    [(2, {'file': 'a;b.png', 'label': 'cat', '': ''})]

    Attributes:
        first_line: As it was written.
        header: The names of the columns without outer blanks; "" for columns without a name.

    Raises:
        ValueError: If the header, or later a row, is not valid; names the row.
    """

    def __init__(self, text: str) -> None:
        self.first_line = re.split(r"[\r\n]", text, maxsplit=1)[0]
        separator = max(_SEPARATORS, key=self.first_line.count)
        self._cells = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        self.header = [name.strip() for name in self._next() or []]

    @property
    def named(self) -> list[str]:
        """The names of the columns that have one."""
        return [name for name in self.header if name]

    def __iter__(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield the rows, each with its number in the file, where the header is row 1."""
        while (cells := self._next()) is not None:
            if any(text.strip() for text in cells):
                yield self._cells.line_num, _row(self.header, cells)

    def _next(self) -> list[str] | None:
        try:
            return next(self._cells, None)
        except csv.Error as error:
            raise ValueError(f"row {self._cells.line_num}: {error}") from error


def _row(header: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    """Return the cells by the names of their columns; "" has all that stands beside these."""
    width = max(len(header), len(cells))
    names = [*header, *[""] * (width - len(header))]
    padded = [*cells, *[""] * (width - len(cells))]
    row = {name: text for name, text in zip(names, padded, strict=True) if name}
    return {**row, "": " ".join(t for n, t in zip(names, padded, strict=True) if not n)}
