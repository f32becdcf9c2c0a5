"""Folders of classes that get another name between the starts of a project."""

from pathlib import Path

import pytest

from al_lightning.data import ImageTable
from al_lightning.run.class_change import ClassChange
from al_lightning.utils.errors import DataError
from tests.data.project.living import OPTIONS, Living, pets

CAT, DOG = 0, 1
FIRST = {0: CAT, 1: CAT, 2: DOG, 3: DOG}


def labeled(folder: Path, **options: object) -> Living:
    living = pets(folder, **options)
    living.label(FIRST)
    return living


def test_a_renamed_class_folder_is_a_renamed_class(tmp_path: Path) -> None:
    living = labeled(tmp_path)
    living.move("train/cat", "train/kitten")
    data = living.start()
    assert data.classes == ("kitten", "dog")
    assert living.seen.lines == ["classes cat -> kitten", "images 2 renamed"]
    assert data.aliases == living.journal.aliases == {"cat": "kitten"}
    assert living.journal.label_of == FIRST
    living.start()
    assert living.seen.lines == []


def test_a_kill_after_the_rename_changes_nothing(tmp_path: Path) -> None:
    living = labeled(tmp_path)
    living.move("train/cat", "train/kitten")
    living.journal.record_classes(ClassChange(renamed={"cat": "kitten"}))
    data = living.start()
    assert data.classes == ("kitten", "dog")
    assert living.seen.lines == ["images 2 renamed"]


def test_a_class_that_only_loses_its_files_to_a_new_one_is_corrected(tmp_path: Path) -> None:
    living = labeled(tmp_path)
    for name in "ab":
        living.move(f"train/cat/{name}.png", f"train/kitten/{name}.png")
    data = living.start()  # the folder cat is still there
    assert data.classes == ("cat", "dog", "kitten")
    assert living.seen.lines[:2] == ["classes new kitten", "corrected {0: 2, 1: 2}"]


def test_a_class_folder_that_is_divided_is_no_rename(tmp_path: Path) -> None:
    living = labeled(tmp_path)
    living.move("train/cat/a.png", "train/kitten/a.png")
    living.move("train/cat/b.png", "train/lion/b.png")
    (living.images / "train/cat").rmdir()
    assert living.start().classes == ("cat", "dog", "kitten", "lion")
    assert living.journal.label_of == {**FIRST, 0: 2, 1: 3}


def test_two_class_folders_in_one_new_one_are_corrections(tmp_path: Path) -> None:
    living = labeled(tmp_path)
    living.move("train/cat/a.png", "train/pet/0.png")
    living.move("train/cat/b.png", "train/pet/1.png")
    living.move("train/dog/a.png", "train/pet/2.png")
    living.move("train/dog/b.png", "train/pet/3.png")
    (living.images / "train/cat").rmdir()
    (living.images / "train/dog").rmdir()
    assert living.start().classes == ("cat", "dog", "pet")
    assert {*living.journal.label_of.values()} == {2}


def test_a_folder_may_keep_the_name_that_a_class_had(tmp_path: Path) -> None:
    living = labeled(tmp_path)
    living.journal.record_classes(ClassChange(renamed={"cat": "kitten"}))
    data = living.start()
    assert data.classes == ("kitten", "dog")
    assert data.train.labels.tolist()[:4] == [0, 0, 1, 1]
    living.save("train/cat/c.png", 99)
    living.start()
    assert living.journal.label_of[8] == CAT


def test_a_merged_class_may_keep_its_folder(tmp_path: Path) -> None:
    living = labeled(tmp_path)
    living.save("train/owl/1.png", 99)
    living.start()
    living.journal.record_classes(ClassChange(merged={"cat": "dog"}))
    data = living.start()
    assert data.classes == ("dog", "owl")
    assert data.train.labels.tolist() == [0, 0, 0, 0, -1, -1, -1, -1, 1]
    assert living.journal.label_of == {0: 0, 1: 0, 2: 0, 3: 0, 8: 1}


def test_a_class_folder_that_gets_its_earlier_name_back_gives_it_to_the_class(
    tmp_path: Path,
) -> None:
    living = labeled(tmp_path)
    living.move("train/cat", "train/kitten")
    living.start()
    living.move("train/kitten", "train/cat")
    assert living.start().classes == ("cat", "dog")
    assert living.seen.lines == ["classes kitten -> cat", "images 2 renamed"]
    assert living.journal.aliases == {"kitten": "cat"}
    assert living.journal.label_of == FIRST
    living.start()
    assert living.seen.lines == []


def test_a_table_gives_a_class_its_earlier_name_back(tmp_path: Path) -> None:
    table = Living(tmp_path)
    for shade in range(4):
        table.save(f"{shade}.png", shade)

    def start(name: str) -> None:
        path = table.images / "labels.csv"
        path.write_text(f"file,label\n0.png,{name}\n1.png,dog\n2.png,\n3.png,\n")
        table.source = ImageTable(str(path), **OPTIONS)
        table.start()

    for name in ("cat", "kitten", "cat"):
        start(name)
        assert table.journal.classes == (name, "dog")
    table.journal.record_classes(ClassChange(renamed={"cat": "kitten"}))
    start("cat")  # the table has only kept the name
    assert table.journal.classes == ("kitten", "dog")


def test_a_class_keeps_its_name_where_some_files_always_were_under_another(
    tmp_path: Path,
) -> None:
    living = labeled(tmp_path)
    living.journal.record_classes(ClassChange(renamed={"cat": "kitten"}))
    living.save("train/kitten/c.png", 99)
    living.start()
    living.move("train/kitten/c.png", "train/cat/c.png")
    (living.images / "train/kitten").rmdir()
    assert living.start().classes == ("kitten", "dog")


def test_a_class_keeps_its_name_where_some_files_are_under_it(tmp_path: Path) -> None:
    living = labeled(tmp_path)
    living.move("train/cat", "train/kitten")
    living.start()
    living.move("train/kitten", "train/cat")
    living.save("test/kitten/1.png", 99)
    assert living.start().classes == ("kitten", "dog")


def test_files_under_an_earlier_name_are_said_to_be_of_the_class(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    living = labeled(tmp_path)
    living.move("train/cat", "train/kitten")
    living.start()
    assert not caplog.text
    living.save("train/cat/1.png", 99)
    living.move("train/dog/a.png", "train/cat/2.png")
    living.start()
    said = "2 image(s) of 'cat' are read as of class 'kitten', which was called so before"
    assert caplog.text.count(said) == 1
    assert living.journal.label_of == {**FIRST, 2: CAT, 8: CAT}
    living.start()
    assert caplog.text.count(said) == 1


@pytest.mark.parametrize("name", ["Dog", "DOG", "Cat", "SKIP"])
def test_a_new_folder_that_could_be_another_class_is_refused(tmp_path: Path, name: str) -> None:
    living = labeled(tmp_path)
    living.journal.record_classes(ClassChange(renamed={"cat": "kitten"}))
    living.journal.record_setting("oracle.skip_mark", "skip")
    before = living.journal.path.read_bytes()
    living.save(f"unlabeled/{name}/1.png", 99)
    living.load()
    living.move(f"unlabeled/{name}", f"train/{name}")
    with pytest.raises(DataError, match=f"'{name}' (looks like|marks skipped)"):
        living.start()
    living.move(f"train/{name}", f"unlabeled/{name}")
    living.options["classes"] = ["kitten", "dog", name]
    with pytest.raises(DataError, match=f"'{name}' (looks like|marks skipped)"):
        living.start()
    assert living.journal.path.read_bytes() == before


def test_a_class_folder_may_be_renamed_to_another_case(tmp_path: Path) -> None:
    living = labeled(tmp_path)
    living.move("train/cat", "train/Cat")
    assert living.start().classes == ("Cat", "dog")
    assert living.seen.lines == ["classes cat -> Cat", "images 2 renamed"]
