import io
import os
import sys
import zipfile
from pathlib import Path

import pytest

from al_lightning.data.pixels.remote_file import RemoteFile
from al_lightning.data.table.table_file import open_table
from al_lightning.utils.errors import DataError, UsageError
from tests.data.folders import save

ROWS = [("a, b.png", "käse"), ("c.png", "")]


def read(path: Path) -> list[tuple[int, list[str]]]:
    return list(open_table(path).rows(["file", "label"]))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", 'file,label\n"a, b.png",käse\nc.png,\n'),
        ("t.csv", "file;label;;\r\na, b.png;käse;;\r\nc.png;;;\r\n"),
        ("t.tsv", "label\tfile\nkäse\ta, b.png\n\tc.png\n"),
        ("t.txt", 'id,file,label,note\n1,"a, b.png",käse,"two, words"\n2,c.png\n'),
    ],
)
def test_tables_of_text(tmp_path: Path, name: str, text: str, encoding: str) -> None:
    (tmp_path / name).write_bytes(text.encode(encoding))
    assert read(tmp_path / name) == [(2, [*ROWS[0]]), (3, [*ROWS[1]])]


def test_an_apostrophe_before_a_formula_is_no_part_of_the_name(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("file,label\n'=a.png,'-1\n'b.png,'s\n")
    assert read(tmp_path / "t.csv") == [(2, ["=a.png", "-1"]), (3, ["'b.png", "'s"])]


def test_an_address_is_read_too() -> None:
    fsspec = pytest.importorskip("fsspec")
    fsspec.filesystem("memory").pipe_file("/tables/t.csv", b"file,label\na.png,cat\n")
    table = open_table(RemoteFile("memory://tables/t.csv"))
    assert list(table.rows(["label"])) == [(2, ["cat"])]
    with pytest.raises(
        DataError, match=r"memory://tables/none\.csv: there is no such file; expected"
    ):
        open_table(RemoteFile("memory://tables/none.csv"))
    with pytest.raises(UsageError, match="Protocol not known: nope"):
        open_table(RemoteFile("nope://tables/t.csv"))


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as book:
        # Not the time of now: each process of pytest must name the test equally.
        book.writestr(zipfile.ZipInfo("xl/workbook.xml", (2024, 1, 1, 0, 0, 0)), "<workbook/>")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "t.csv",
            b"file\n\xff\xfe\n",
            "is no table: it is not UTF-8 in row 2 (.*; save it as CSV UTF-8; exp",
        ),
        (
            "t.csv",
            b"a" * 5000 + b"\0",
            "is no table: it has bytes that are no text; expected a CSV",
        ),
        ("t.csv", b"\x7fELF\0\0", "is no table: it has bytes that are no text"),
        ("t.csv", b'file\n"a.png\n', "row 2: unexpected end of data"),
        ("t.csv", b"file,label\na.png,cat,dog\n", "row 2: 'dog' is in a column without a name"),
        ("t.xlsx", archive(), "is no table: it is a workbook or an archive; save the sheet as CSV"),
        (
            "t.parquet",
            b"file,label\na.png,cat\n",
            "is no Parquet file, whatever its name; expected",
        ),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises((DataError, ValueError), match=said.replace("(", r"\(")):
        read(path)


def test_an_image_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"0\.png is no table: it has bytes that are no text"):
        read(save(tmp_path / "0.png"))


def test_places_without_a_table_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"dataset\.path=.*none\.csv does not exist: expected a CSV"
    ):
        read(tmp_path / "none.csv")
    with pytest.raises(DataError, match=r"is a folder: .* dataset=image_folder reads folders"):
        read(tmp_path)
    with pytest.raises(DataError, match=r"is no file, but a device or a pipe"):
        read(Path(os.devnull))
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.csv")
        with pytest.raises(DataError, match=r"pipe\.csv is no file, but a device or a pipe"):
            read(tmp_path / "pipe.csv")
    if os.geteuid():  # root may read everything
        (tmp_path / "secret.csv").write_text("file\n")
        (tmp_path / "secret.csv").chmod(0)
        with pytest.raises(DataError, match=r"secret\.csv cannot be read: Permission denied"):
            read(tmp_path / "secret.csv")


def test_without_pyarrow_its_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "t.parquet").write_bytes(b"PAR1...")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(
        UsageError, match=r'pip install "al-lightning\[table\]", or save the table as'
    ):
        read(tmp_path / "t.parquet")
