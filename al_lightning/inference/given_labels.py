"""A table of labels from elsewhere: its rows, and which images of a project they are of."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from al_lightning.data.pixels.remote_file import file_at
from al_lightning.data.source import ImageData
from al_lightning.data.table.table_file import open_table
from al_lightning.inference.source_files import SourceFiles, key_of
from al_lightning.utils.errors import UsageError
from al_lightning.utils.listing import shortened
from al_lightning.utils.names import readable
from al_lightning.utils.spelling import read_class, whole_number_in

FILE, ID, LABEL = COLUMNS = ("file", "id", "label")
_NAMED = 10  # rows in a message


@dataclass(frozen=True)
class GivenRow:
    """A row of a table of labels.

    Attributes:
        number: In the file.
        file: As it is written; "" without one.
        id: As it is written; "" without one.
        label: The name of the class; "" without one.
    """

    number: int
    file: str
    id: str
    label: str

    def __str__(self) -> str:
        """Return which row it is, for messages."""
        return f"row {self.number}, {readable(self.file) if self.file else f'id {self.id}'}"


def read_given(table: Path) -> list[GivenRow]:
    """Read a table of labels, CSV or Parquet, with a column label and a column file, id or both.

    Raises:
        UsageError: If there is no such table, or a column is missing; names it.
    """
    if not table.is_file():
        raise UsageError(f"{table} is no file: expected a table, CSV or Parquet")
    opened = open_table(table)
    there = {name.casefold(): name for name in reversed(opened.columns)}
    columns = {name: there[name] for name in COLUMNS if name in there}
    if LABEL not in columns or len(columns) == 1:
        raise UsageError(
            f"{table} needs a column {LABEL}, and a column {FILE} or {ID}: its columns are "
            f"{', '.join(opened.columns) or 'none'}"
        )
    try:
        rows = [
            dict(zip(columns, (text.strip() for text in cells), strict=True)) | {"number": number}
            for number, cells in opened.rows([*columns.values()])
        ]
    except ValueError as error:
        raise UsageError(f"{table} cannot be read: {error}") from error
    return [GivenRow(**{FILE: "", ID: "", **row}) for row in rows]  # type: ignore[arg-type]


def labels_by_image(
    table: Path,
    rows: Iterable[GivenRow],
    find: Callable[[GivenRow], int],
    classes: Sequence[str],
    aliases: Mapping[str, str] = MappingProxyType({}),
) -> dict[int, int]:
    """Return the class of each image that a table gives a label.

    Args:
        table: Where the rows are, for messages.
        rows: Of the table; those without a label are left out.
        find: Returns the image of a row, see :class:`ImageFinder`.
        classes: The names of the classes, by label.
        aliases: Classes by names that they had before.

    Raises:
        UsageError: If a row has no image or no class of the project, or two rows contradict each other;
            names the rows.
    """
    found: dict[int, int] = {}
    first: dict[int, GivenRow] = {}
    problems: list[str] = []
    for row in rows:
        if not row.label:
            continue
        try:
            image, name = find(row), read_class(row.label, [*classes, *aliases])
            label = classes.index(aliases.get(name, name))
        except ValueError as error:
            problems.append(f"{row}: {error}")
            continue
        other = first.setdefault(image, row)
        if found.setdefault(image, label) != label:
            problems.append(f"{row}: it is {row.label!r} here, and {other.label!r} in {other}")
    if problems:
        listed = "\n".join(f"  - {line}" for line in shortened(problems, _NAMED))
        raise UsageError(
            f"{table} cannot be imported, and nothing was changed:\n{listed}\nCorrect these rows or "
            "remove them"
        )
    return found


class ImageFinder:
    """Finds the image of a row: by its file, or by its dataset id where it names no file.

    A file is relative to the folder of the data set, or to that of the table, or absolute.

    Args:
        table: Where the rows are.
        size: The number of training images.
        data: The images of the project; None where no row names a file.
    """

    def __init__(self, table: Path, size: int, data: ImageData | None = None) -> None:
        self._folders = ((data and data.folder) or Path(), table.parent)
        self._size = size
        self._files = None if data is None else SourceFiles(data)

    def __call__(self, row: GivenRow) -> int:
        """Return the dataset id.

        Raises:
            ValueError: If there is no such image, it could be several, or it is a test image.
        """
        return self._by_file(row.file) if row.file else self._by_id(row.id)

    def _by_file(self, name: str) -> int:
        assert self._files is not None
        keys = {key_of(file_at(folder, name)) for folder in self._folders}
        found = sorted(self._files.train[key] for key in keys if key in self._files.train)
        if len(found) == 1:
            return found[0]
        if found:
            raise ValueError(
                "it names a file in the folder of the images, and another in the folder of the table; "
                "write its whole path"
            )
        if keys & self._files.test:
            raise ValueError("it is a test image, whose label is not a matter of this project")
        raise ValueError("no image of this project, or a copy of another one")

    def _by_id(self, written: str) -> int:
        image = whole_number_in(written)
        if image is None or image >= self._size:
            raise ValueError(f"no image of this project: ids are 0 to {self._size - 1}")
        return image
