"""The files of a table that is the data set of a project: rows come, go and change."""

from pathlib import Path

import pytest

from al_lightning.data import ImageTable
from al_lightning.utils.errors import DataError
from tests.data.project.living import OPTIONS, Living, shades

CAT, DOG = 0, 1


class Table(Living):
    """A project on ``images/labels.csv``; rows are file, label, split, group."""

    def __init__(self, folder: Path, *rows: str) -> None:
        super().__init__(folder)
        self.write(*rows)

    def write(self, *rows: str) -> None:
        self.images.mkdir(exist_ok=True)
        path = self.images / "labels.csv"
        path.write_text("\n".join(["file,label,split,group", *rows]))
        self.source = ImageTable(str(path), **{**OPTIONS, **self.options})


ROWS = ("1.png,cat,,", "2.png,dog,,", "3.png,,,", "4.png,,,")


def started(folder: Path, *rows: str) -> Table:
    table = Table(folder, *(rows or ROWS))
    for shade in range(1, 9):
        table.save(f"{shade}.png", shade)
    table.start()
    table.label({0: CAT, 1: DOG})
    return table


def test_rows_come_in_any_order(tmp_path: Path) -> None:
    table = started(tmp_path)
    table.write("6.png,,,", *reversed(ROWS), "5.png,cat,,")
    assert shades(table.start()) == [1, 2, 3, 4, 5, 6]
    assert table.seen.lines == ["images 2 new", "imported 1"]


def test_rows_go_and_come_back(tmp_path: Path) -> None:
    table = started(tmp_path)
    table.write(*ROWS[1:])
    assert len(table.start().train) == 4
    assert table.seen.lines == ["images 1 gone"]
    table.write(*ROWS)
    assert shades(table.start()) == [1, 2, 3, 4]
    assert table.seen.lines == ["images 1 back"]


def test_another_label_is_a_correction_and_none_changes_nothing(tmp_path: Path) -> None:
    table = started(tmp_path)
    table.write("1.png,dog,,", "2.png,,,", *ROWS[2:])
    table.start()
    assert table.seen.lines == ["corrected {0: 1}", "images "]
    assert table.journal.label_of == {0: DOG, 1: DOG}


def test_a_label_for_an_image_that_a_person_labeled_is_a_correction(tmp_path: Path) -> None:
    table = started(tmp_path)
    table.label({2: CAT}, "query")
    table.write(*ROWS[:2], "3.png,dog,,", ROWS[3])
    table.start()
    assert table.seen.lines == ["corrected {2: 1}", "images "]


def test_a_class_that_has_another_name_in_all_rows_is_renamed(tmp_path: Path) -> None:
    table = started(tmp_path)
    table.write("1.png,kitten,,", *ROWS[1:])
    assert table.start().classes == ("kitten", "dog")
    assert table.seen.lines == ["classes cat -> kitten", "images "]


def test_a_file_that_is_missing_is_refused_and_can_be_skipped(tmp_path: Path) -> None:
    table = started(tmp_path)
    table.remove("1.png")
    with pytest.raises(DataError, match=r"row 2, 1\.png: there is no such file"):
        table.start()
    table.options = {"on_error": "skip"}
    table.write(*ROWS)
    table.start()
    assert table.seen.lines == ["images 1 gone"]
    table.save("1.png", 1)
    assert shades(table.start()) == [1, 2, 3, 4]
    assert "1 back" in table.seen.lines[0]


def test_a_row_that_becomes_a_test_image_is_set_aside(tmp_path: Path) -> None:
    table = started(tmp_path)
    table.write("1.png,cat,test,", *ROWS[1:])
    data = table.start()
    assert (len(data.train), len(data.test)) == (4, 1)
    assert table.seen.lines == ["images 1 gone, 1 test image(s) new"]
    table.start()
    assert table.seen.lines == []
    table.write(*ROWS)
    data = table.start()
    assert (shades(data), len(data.test)) == ([1, 2, 3, 4], 0)
    table.start()
    assert table.seen.lines == []


def test_images_in_groups_come_and_go(tmp_path: Path) -> None:
    rows = ("1.png,cat,,a", "2.png,dog,,b", "3.png,,,a", "4.png,,,c")
    table = started(tmp_path, *rows)
    table.write(*rows[1:], "5.png,,,a", "6.png,,,")
    data = table.start()
    groups = data.train.groups
    assert groups is not None
    assert groups[2] == groups[4]  # both a
    assert len({*groups.tolist()}) == 5  # the first has gone: it is a group of its own


def test_new_images_of_a_group_are_where_the_group_is(tmp_path: Path) -> None:
    def rows(groups: int, frames: int) -> list[str]:
        classes = ("cat", "dog")
        return [f"{g}_{f}.png,{classes[g % 2]},,{g}" for g in range(groups) for f in range(frames)]

    table = Table(tmp_path, *rows(10, 2))
    for number in range(30):
        for frame in range(4):
            table.save(f"{number}_{frame}.png", 1 + 4 * number + frame)
    before = table.start()
    assert len(before.test) == 4
    table.write(*rows(30, 4))
    data = table.start()
    trained, tested, before_tested = (
        {file.split("_")[0] for file in part.files or ()}
        for part in (data.train, data.test, before.test)
    )
    assert not trained & tested
    assert before_tested < tested
    assert table.start().test.files == data.test.files


def test_images_that_were_split_off_to_test_on_are_named_where_the_files_say_otherwise(
    tmp_path: Path,
) -> None:
    rows = [f"{shade}.png,{('cat', 'dog')[shade % 2]},,{shade}" for shade in range(1, 11)]
    table = Table(tmp_path, *rows)
    for shade in range(1, 11):
        table.save(f"{shade}.png", shade)
    before = table.start()
    assert before.train.files is not None
    assert before.test.files is not None
    tested, trained = len(before.test), before.train.files[:2]
    table.write(*(row.replace(",,", ",test,") if row.startswith(trained) else row for row in rows))
    table.start()
    (line,) = table.seen.lines
    assert f"2 test image(s) new, {tested} test image(s) now in training" in line
    table.start()
    assert table.seen.lines == []
