import pytest

from al_lightning.utils.delimited import DelimitedRows, decoded


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators(separator: str) -> None:
    text = f"file{separator} label \r\na.png{separator}cat\r\n"
    rows = DelimitedRows(text)
    assert rows.header == rows.named == ["file", "label"]
    assert list(rows) == [(2, {"file": "a.png", "label": "cat", "": ""})]


def test_quotes_line_ends_and_empty_rows() -> None:
    rows = DelimitedRows('file,label\n\n"a,b ""c"".png",cat\n,\n"two\nlines",dog\n')
    assert [(number, row["file"]) for number, row in rows] == [
        (3, 'a,b "c".png'),
        (6, "two\nlines"),
    ]


def test_columns_without_a_name_and_rows_without_their_end() -> None:
    rows = DelimitedRows("file,label,,\na.png,cat,,\nb.png\nc.png,dog,,late,more\n")
    assert rows.named == ["file", "label"]
    assert [row for _, row in rows] == [
        {"file": "a.png", "label": "cat", "": " "},
        {"file": "b.png", "label": "", "": " "},
        {"file": "c.png", "label": "dog", "": " late more"},
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings(encoding: str) -> None:
    assert decoded("file,label\nä.png,käse\n".encode(encoding)) == "file,label\nä.png,käse\n"


def test_what_is_no_such_text_is_refused() -> None:
    with pytest.raises(ValueError, match=r"not UTF-8 in row 2 \(.*; save it as CSV UTF-8"):
        decoded("file\nä\n".encode("cp1252"))
    rows = DelimitedRows('file,label\na.png,cat\n"b.png,dog\n')
    with pytest.raises(ValueError, match="row 3: unexpected end of data"):
        list(rows)
    with pytest.raises(ValueError, match="row 1: unexpected end of data"):
        DelimitedRows('"file,label\n')


def test_a_text_without_a_header_has_no_columns() -> None:
    assert DelimitedRows("").header == []
    assert list(DelimitedRows("")) == []
