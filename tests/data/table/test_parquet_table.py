import datetime
from pathlib import Path
from typing import Any

import pytest

from al_lightning.data.table.parquet_table import ParquetTable

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


def write(path: Path, **columns: Any) -> Path:
    parquet.write_table(pa.table(columns), path)
    return path


def labels(path: Path) -> list[str]:
    return [label for _, (label,) in ParquetTable(path).rows(["label"])]


def test_rows_are_counted_from_one_and_other_columns_are_not_read(tmp_path: Path) -> None:
    path = write(tmp_path / "t.parquet", label=["cat", None], other=[{"a": 1}, {"a": 2}], file="ab")
    table = ParquetTable(path)
    assert table.columns == ["label", "other", "file"]
    assert list(table.rows(["file", "label"])) == [(1, ["a", "cat"]), (2, ["b", ""])]
    assert list(ParquetTable(path.read_bytes()).rows(["file"])) == [(1, ["a"]), (2, ["b"])]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([7, 10], ["7", "10"]),
        ([7.0, None], ["7", ""]),
        ([7.0, float("nan")], ["7", ""]),
        ([0.5, 1.0], ["0.5", "1"]),
        ([True, None], ["True", ""]),
        ([datetime.date(2024, 1, 2)], ["2024-01-02"]),
        (pa.array(["a", "b", "a"]).dictionary_encode(), ["a", "b", "a"]),
        (pa.array(["a", None], pa.large_string()), ["a", ""]),
    ],
)
def test_values_become_text(tmp_path: Path, values: Any, expected: list[str]) -> None:
    assert labels(write(tmp_path / "t.parquet", label=values)) == expected


def test_pandas_writes_such_tables(tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"file": ["a.png", "b.png"], "label": pd.Categorical(["cat", None])})
    frame.to_parquet(tmp_path / "t.parquet")
    table = ParquetTable(tmp_path / "t.parquet")
    assert list(table.rows(["file", "label"])) == [(1, ["a.png", "cat"]), (2, ["b.png", ""])]


def test_many_rows_come_in_batches(tmp_path: Path) -> None:
    path = write(tmp_path / "t.parquet", label=[*range(70_000)])
    rows = [*ParquetTable(path).rows(["label"])]
    assert (len(rows), rows[-1]) == (70_000, (70_000, ["69999"]))


def test_cells_that_are_no_text_and_damage_are_named(tmp_path: Path) -> None:
    nested = write(tmp_path / "nested.parquet", label=["a", None], file=[{"bytes": b"x"}] * 2)
    with pytest.raises(ValueError, match="row 1: a cell is dict, and text or a number is expected"):
        list(ParquetTable(nested).rows(["file"]))
    content = write(tmp_path / "t.parquet", label=["cat"] * 1000).read_bytes()
    with pytest.raises(ValueError, match="it is a damaged Parquet file"):
        ParquetTable(content[: len(content) // 2])
    spoiled = bytearray(content)
    spoiled[4:40] = bytes(36)
    with pytest.raises(ValueError, match="it is a damaged Parquet file"):
        list(ParquetTable(bytes(spoiled)).rows(["label"]))
