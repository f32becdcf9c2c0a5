"""Tables in Parquet, which pyarrow reads."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from al_lightning.utils.errors import UsageError

_BATCH = 65_536  # rows


class ParquetTable:
    """A table in Parquet; its first row is row 1.

    Args:
        content: The file, or what is in it.

    Raises:
        UsageError: If pyarrow is not installed.
        ValueError: If it cannot be read.
    """

    def __init__(self, content: Path | bytes) -> None:
        try:
            import pyarrow as pa  # noqa: PLC0415 - an extra
            from pyarrow import parquet  # noqa: PLC0415
        except ImportError as error:
            raise UsageError(
                'A table in Parquet needs pyarrow: pip install "al-lightning[table]", or save the '
                "table as CSV UTF-8"
            ) from error
        try:
            source = content if isinstance(content, Path) else pa.BufferReader(content)
            self._file = parquet.ParquetFile(source)
        except (pa.ArrowException, OSError) as error:
            raise ValueError(f"it is a damaged Parquet file ({error})") from error
        self._failures = (pa.ArrowException, OSError)
        self.columns: Sequence[str] = list(self._file.schema_arrow.names)

    def rows(self, columns: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
        """Yield the rows; see :class:`~al_lightning.data.table.table_file.Table`."""
        number = 0
        try:
            for batch in self._file.iter_batches(_BATCH, columns=[*columns]):
                cells = [batch.column(name).to_pylist() for name in columns]
                for row in zip(*cells, strict=True):
                    number += 1
                    yield number, [_text(value, number) for value in row]
        except self._failures as error:
            raise ValueError(f"it is a damaged Parquet file ({error})") from error


def _text(value: Any, number: int) -> str:
    """Return a cell as text; numbers that a missing one has made floats are whole again."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bytes | dict | list):
        raise ValueError(  # noqa: TRY004 - of a file, not of an argument
            f"row {number}: a cell is {type(value).__name__}, and text or a number is expected"
        )
    return str(value)
