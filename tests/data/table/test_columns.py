import re
from pathlib import Path

import pytest

from al_lightning.data.table.columns import check_columns, find_columns
from al_lightning.utils.errors import DataError, UsageError

TABLE = Path("labels.csv")


def test_columns_are_found_by_their_names() -> None:
    columns = ["id", "label", "file", "group"]
    assert find_columns(TABLE, columns, {}) == {"file": "file", "label": "label", "group": "group"}
    assert find_columns(TABLE, ["FILE", "Label"], {}) == {"file": "FILE", "label": "Label"}
    wanted = check_columns({"file": " image ", "label": "class"})
    assert find_columns(TABLE, ["image", "class", "label"], wanted) == {
        "file": "image",
        "label": "class",
    }
    assert check_columns(None) == {}


def test_the_exact_name_is_taken_before_another_case() -> None:
    assert find_columns(TABLE, ["File", "file"], {}) == {"file": "file"}
    with pytest.raises(DataError, match="no column 'file'"):
        find_columns(TABLE, ["File", "FILE"], {})


def test_a_table_without_files_names_the_columns_that_there_are() -> None:
    with pytest.raises(DataError) as raised:
        find_columns(TABLE, ["Filename", "class"], {})
    assert str(raised.value) == (
        "labels.csv has no column 'file': its columns are 'Filename', 'class'. Name the one that has "
        "the files: 'dataset.columns={file: Filename}'"
    )
    with pytest.raises(DataError, match=r"no column 'class': .*'dataset\.columns={label: label}'"):
        find_columns(TABLE, ["file", "label"], {"label": "class"})
    with pytest.raises(DataError, match=r"'dataset\.columns={file: NAME}'"):
        find_columns(TABLE, ["image", "class"], {})
    with pytest.raises(DataError, match="is empty: the first row must name the columns"):
        find_columns(TABLE, [], {})
    with pytest.raises(DataError, match="'c19', and 30 more"):
        find_columns(TABLE, [f"c{i}" for i in range(50)], {})


def test_columns_of_one_name_are_refused() -> None:
    with pytest.raises(DataError, match=r"labels\.csv has several columns label: rename them"):
        find_columns(TABLE, ["file", "label", "label"], {})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"fle": "image"}, r"dataset\.columns has 'fle', .* did you mean file\?"),
        ({"image": "file"}, r"dataset\.columns has 'image', which is none of file, label, split"),
        ({"label": 7}, r"dataset\.columns\.label=7 is no name of a column; quote it"),
        ({"label": " "}, r"dataset\.columns\.label=' ' is no name"),
        ({"label": None}, r"dataset\.columns\.label=None is no name"),
    ],
)
def test_names_that_are_none_are_refused(given: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        check_columns(given)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (
            ["file", "class"],
            "no column 'label', and its column 'class' is not read.*{label: class}",
        ),
        (["file", "Labels"], "no column 'label', and its column 'Labels' is not read"),
        (["file", "label", "splits"], "no column 'split', and its column 'splits' is not read"),
        (["file", "label", "groups"], "no column 'group', and its column 'groups' is not read"),
        (["file", "label", "patient_id"], "{group: patient_id}"),
    ],
)
def test_a_column_that_is_nearly_called_so_is_named(
    columns: list[str], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    find_columns(TABLE, columns, {})
    (record,) = caplog.records
    assert re.search(said, record.getMessage())


def test_other_columns_are_nobodys_business(caplog: pytest.LogCaptureFixture) -> None:
    find_columns(TABLE, ["file", "label", "width", "height", "notes", "date"], {})
    find_columns(TABLE, ["file", "class"], {"label": "class"})
    assert not caplog.records
