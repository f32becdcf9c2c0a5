"""A folder of images that changes between the starts of a project: ids stay, changes are events."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from al_lightning.data import Digits
from al_lightning.data.project.project_source import ProjectSource, with_changed_classes
from al_lightning.loop.project_changes import record_changes
from al_lightning.run.class_change import ClassChange
from al_lightning.run.journal import Journal
from al_lightning.utils.errors import DataError, JournalError, UsageError
from tests.data.project.living import Living, pets, shades
from tests.helpers import CLASSES, TinySource, start_event

CAT, DOG = 0, 1
FIRST = {0: CAT, 1: CAT, 2: DOG, 3: DOG}
ALL = [1, 11, 21, 31, 41, 51, 61, 71]


def labeled(folder: Path, **options: object) -> Living:
    living = pets(folder, **options)
    living.label(FIRST)
    return living


def test_a_start_without_changes_writes_nothing(tmp_path: Path) -> None:
    living = labeled(tmp_path)
    before = living.journal.path.read_bytes(), (living.run / "images.csv").read_bytes()
    data = living.start()
    assert shades(data) == ALL
    assert data.train.labels.tolist() == [0, 0, 1, 1, -1, -1, -1, -1]
    assert (living.journal.path.read_bytes(), (living.run / "images.csv").read_bytes()) == before
    assert living.seen.lines == []


def test_new_images_have_the_next_ids_whatever_their_names(tmp_path: Path) -> None:
    living = labeled(tmp_path)
    living.save("unlabeled/aaa.png", 81)
    living.save("train/cat/0.png", 91)
    data = living.start()
    assert shades(data) == [*ALL, 91, 81]
    assert living.seen.lines == ["images 2 new", "imported 1"]
    assert living.journal.label_of == {**FIRST, 8: CAT}
    assert shades(living.start()) == [*ALL, 91, 81]
    assert living.seen.lines == []


def test_renamed_and_moved_files_keep_their_ids(tmp_path: Path) -> None:
    living = labeled(tmp_path)
    living.move("unlabeled/w.png", "unlabeled/deep/new.png")
    living.move("train/cat/a.png", "train/cat/zz.png")
    data = living.start()
    assert shades(data) == ALL
    assert data.train.files is not None
    assert (data.train.files[0], data.train.files[4]) == (
        "train/cat/zz.png",
        "unlabeled/deep/new.png",
    )
    assert living.seen.lines == ["images 2 renamed"]
    assert not living.journal.causes
    names = {0: {"train/cat/a.png"}, 4: {"unlabeled/w.png"}}
    assert data.earlier_files == names
    assert living.start().earlier_files == names  # sheets may still have them


def test_two_files_that_are_swapped_keep_their_ids(tmp_path: Path) -> None:
    living = labeled(tmp_path)
    living.move("train/cat/a.png", "swap.png")
    living.move("train/dog/a.png", "train/cat/a.png")
    living.move("swap.png", "train/dog/a.png")
    data = living.start()
    assert shades(data) == ALL
    assert living.seen.lines == ["corrected {0: 1, 2: 0}", "images 2 renamed"]
    assert living.journal.label_of == {**FIRST, 0: DOG, 2: CAT}


def test_files_of_one_size_and_time_that_swap_names_keep_their_ids(tmp_path: Path) -> None:
    living = labeled(tmp_path)
    contents = [(living.images / f"unlabeled/{name}.png").stat().st_size for name in "wxyz"]
    assert len({*contents}) == 1
    living.touch()
    living.start()
    living.move("unlabeled/w.png", "swap.png")
    living.move("unlabeled/x.png", "unlabeled/w.png")
    living.move("swap.png", "unlabeled/x.png")
    living.remove("unlabeled/y.png")
    living.move("unlabeled/z.png", "unlabeled/y.png")
    data = living.start()
    assert living.seen.lines == ["images 1 gone, 3 renamed"]
    assert data.train.files is not None
    assert data.train.files[4:6] == ("unlabeled/x.png", "unlabeled/w.png")
    assert living.journal.pool.absent_ids.tolist() == [6]
    assert data.update is not None
    assert data.update.absent == {6}


def test_a_pipe_among_the_images_is_refused(tmp_path: Path) -> None:
    living = labeled(tmp_path)
    os.mkfifo(living.images / "unlabeled/pipe.png")
    with pytest.raises(
        DataError, match=r"unlabeled/pipe\.png: it is no file, but a device or a pipe"
    ):
        living.start()
    living.options = {"on_error": "skip"}
    assert shades(living.start()) == ALL


def test_a_changed_manifest_is_refused(tmp_path: Path) -> None:
    living = labeled(tmp_path)
    path = living.run / "images.csv"
    for started in range(2):
        content = path.read_bytes()
        path.write_bytes(content.replace(b"a.png", b"b.png"))
        with pytest.raises(DataError, match="it was changed"):
            living.start()
        path.write_bytes(content)
        living.save(f"unlabeled/{started}.png", 99 + started)
        living.start()


def test_a_changed_file_keeps_its_id_and_is_reviewed(tmp_path: Path) -> None:
    living = labeled(tmp_path)
    living.save("train/cat/a.png", 99)
    living.save("unlabeled/w.png", 98)
    data = living.start()
    assert shades(data)[:5] == [99, 11, 21, 31, 98]
    assert living.seen.lines == ["images 2 changed"]
    assert living.journal.to_review == {0}
    assert living.journal.causes == ("images",)


def test_a_file_that_is_renamed_and_changed_at_once_is_another_image(tmp_path: Path) -> None:
    living = labeled(tmp_path)
    living.remove("train/cat/a.png")
    living.save("train/cat/new.png", 99)
    data = living.start()
    assert shades(data)[8] == 99
    assert living.seen.lines == ["images 1 new, 1 gone", "imported 1"]
    assert 0 not in living.journal.pool.labeled_ids


@pytest.mark.parametrize("place", ["train/cat/a.png", "train/cat/other.png"])
def test_an_image_that_comes_back_has_its_label(tmp_path: Path, place: str) -> None:
    living = labeled(tmp_path)
    living.move("train/cat/a.png", "../a.png")
    data = living.start()
    assert living.seen.lines == ["images 1 gone"]
    assert living.journal.pool.labeled_ids.tolist() == [1, 2, 3]
    assert living.journal.pool.labels_bought == 4
    assert data.train.files is not None
    assert data.train.files[0] == "train/cat/a.png"
    assert living.start() is not None
    assert living.seen.lines == []  # it is said once
    living.move("../a.png", place)
    assert shades(living.start()) == ALL
    assert "1 back" in living.seen.lines[0]
    assert living.journal.pool.labeled_ids.tolist() == [0, 1, 2, 3]


def test_an_image_that_comes_back_as_another_class_is_corrected(tmp_path: Path) -> None:
    living = labeled(tmp_path)
    living.move("train/cat/a.png", "../a.png")
    living.start()
    living.move("../a.png", "train/dog/c.png")
    living.start()
    assert living.journal.label_of[0] == DOG


def test_a_copy_takes_over_from_an_original_that_vanishes(tmp_path: Path) -> None:
    living = labeled(tmp_path)
    shutil.copy(living.images / "train/cat/a.png", living.images / "unlabeled/0.png")
    data = living.start()
    assert len(data.train) == 8
    assert living.seen.lines == ["images "]  # written down, and not worth a line
    living.remove("train/cat/a.png")
    data = living.start()
    assert shades(data) == ALL
    assert data.train.files is not None
    assert data.train.files[0] == "unlabeled/0.png"
    assert living.seen.lines == ["images 1 renamed"]
    assert living.journal.label_of[0] == CAT


def test_a_copy_that_appears_as_the_original_vanishes_is_a_renamed_file(tmp_path: Path) -> None:
    living = labeled(tmp_path)
    living.move("train/cat/a.png", "unlabeled/0.png")
    assert shades(living.start()) == ALL
    assert living.seen.lines == ["images 1 renamed"]
    assert living.journal.label_of == FIRST  # unlabeled/ takes no label away


def test_known_images_that_become_equal_are_both_kept(tmp_path: Path) -> None:
    living = labeled(tmp_path)
    living.save("unlabeled/w.png", 51)  # as x is
    data = living.start()
    assert shades(data)[4:6] == [51, 51]
    assert living.seen.lines == ["images 1 changed"]


def test_images_that_all_vanish_are_one_clear_message(tmp_path: Path) -> None:
    living = labeled(tmp_path)
    before = living.journal.path.read_bytes()
    living.images.rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="does not exist"):
        living.start()
    (living.images / "unlabeled").mkdir(parents=True)
    with pytest.raises(DataError, match=r"None of the 8 images of the project in .*dataset\.path="):
        living.start()
    living.save("unlabeled/other.png", 200)
    with pytest.raises(DataError, match=r"were train/cat/a\.png, .*, and 5 more"):
        living.start()
    assert living.journal.path.read_bytes() == before


def test_a_folder_without_images_begins_no_project(tmp_path: Path) -> None:
    living = Living(tmp_path, classes=["cat", "dog"])
    living.images.mkdir()
    with pytest.raises(DataError, match="which train has not"):
        living.start()
    assert not living.journal.path.exists()


@pytest.mark.parametrize("touched", [False, True])
def test_images_may_be_moved_to_another_root(tmp_path: Path, *, touched: bool) -> None:
    living = labeled(tmp_path)
    living.images.rename(tmp_path / "moved")
    living.images = tmp_path / "moved"
    if touched:
        living.touch()
    assert shades(living.start()) == ALL
    assert living.seen.lines == (["images "] if touched else [])
    assert not living.journal.causes


def test_a_project_may_be_moved(tmp_path: Path) -> None:
    living = labeled(tmp_path)
    living.run.rename(tmp_path / "other")
    living.run = tmp_path / "other"
    assert shades(living.start()) == ALL
    assert living.seen.lines == []


def test_a_file_in_another_class_folder_is_a_correction(tmp_path: Path) -> None:
    living = labeled(tmp_path)
    living.move("train/cat/a.png", "train/dog/c.png")
    living.start()
    assert living.seen.lines == ["corrected {0: 1}", "images 1 renamed"]
    (event,) = living.journal.corrections()
    assert (event["ids"], event["by"]) == ([0], "files")


def test_a_file_that_is_moved_to_a_class_folder_is_labeled(tmp_path: Path) -> None:
    living = labeled(tmp_path)
    living.move("unlabeled/w.png", "train/dog/w.png")
    living.start()
    assert living.seen.lines == ["images 1 renamed", "imported 1"]
    assert living.journal.labels("imported")[0]["labels"] == [DOG]


def test_nothing_is_imported_while_validation_images_are_asked_for(tmp_path: Path) -> None:
    living = labeled(tmp_path)
    living.ask(4, origin="validation")
    living.move("unlabeled/w.png", "train/dog/w.png")
    living.start()
    assert living.journal.labels("imported") == []
    assert living.journal.open_question is not None


def test_a_new_class_folder_is_a_new_class(tmp_path: Path) -> None:
    living = labeled(tmp_path)
    living.save("train/ant/1.png", 99)
    data = living.start()
    assert data.classes == ("cat", "dog", "ant")
    assert living.seen.lines == ["classes new ant", "images 1 new", "imported 1"]
    assert living.journal.label_of[8] == 2


def test_an_unreadable_new_file_is_refused_or_skipped(tmp_path: Path) -> None:
    living = labeled(tmp_path)
    (living.images / "unlabeled/broken.png").write_bytes(b"no picture")
    before = living.journal.path.read_bytes()
    with pytest.raises(DataError, match=r"broken.png"):
        living.start()
    assert living.journal.path.read_bytes() == before
    living.options = {"on_error": "skip"}
    assert shades(living.start()) == ALL
    living.save("unlabeled/broken.png", 99)
    assert shades(living.start()) == [*ALL, 99]
    assert living.seen.lines == ["images 1 new"]


def test_a_known_file_that_breaks_is_set_aside_and_comes_back(tmp_path: Path) -> None:
    living = labeled(tmp_path, on_error="skip")
    content = (living.images / "train/cat/a.png").read_bytes()
    (living.images / "train/cat/a.png").write_bytes(b"no picture")
    living.start()
    assert living.seen.lines == ["images 1 gone"]
    living.start()
    assert living.seen.lines == []
    (living.images / "train/cat/a.png").write_bytes(content)
    assert shades(living.start()) == ALL
    assert "1 back" in living.seen.lines[0]


def test_test_images_may_be_added(tmp_path: Path) -> None:
    living = labeled(tmp_path)
    living.save("test/cat/t.png", 99)
    data = living.start()
    assert (len(data.train), len(data.test)) == (8, 1)
    assert living.journal.test_images == 1


def all_labeled(folder: Path, count: int = 10) -> Living:
    living = Living(folder, test_fraction=0.2)
    for label, name in enumerate(("cat", "dog")):
        for number in range(count):
            living.save(f"{name}/{number}.png", 2 * number + label)
    living.start()
    return living


def test_the_test_images_of_a_labeled_folder_stay_and_grow(tmp_path: Path) -> None:
    living = all_labeled(tmp_path)
    before = living.load().test.files
    assert before is not None
    assert len(before) == 4
    for number in range(100):
        living.save(f"cat/new{number}.png", 100 + number)
    data = living.start()
    assert data.test.files is not None
    assert {*before} < {*data.test.files}
    assert 10 <= len(data.test) - 4 <= 30  # a fifth of 100, by their content: always the same
    assert living.load().test.files == data.test.files


def test_a_copy_of_a_test_image_is_left_out_and_the_test_image_stays(tmp_path: Path) -> None:
    living = all_labeled(tmp_path)
    before = living.start()
    assert before.test.files is not None
    for file in before.test.files:
        place = living.images / file
        shutil.copyfile(place, place.with_name(f"{place.stem} (1).png"))  # sorted before it
    for _ in range(3):  # also where the project knows what it left out
        data = living.start()
        assert (data.train.files, data.test.files) == (before.train.files, before.test.files)
        assert "new" not in "".join(living.seen.lines)


def test_unlabeled_images_in_a_labeled_project_are_no_test_images(tmp_path: Path) -> None:
    living = all_labeled(tmp_path)
    for number in range(20):
        living.save(f"unlabeled/{number}.png", 100 + number)
    data = living.start()
    assert (len(data.train), len(data.test)) == (36, 4)


def test_a_test_image_that_is_moved_to_unlabeled_keeps_its_class(tmp_path: Path) -> None:
    living = all_labeled(tmp_path)
    before = living.load().test
    assert before.files is not None
    living.move(before.files[0], "unlabeled/moved.png")
    for _ in range(2):
        data = living.start()
        assert (len(data.train), len(data.test)) == (16, 4)
        assert data.test.files is not None
        kept = data.test.files.index("unlabeled/moved.png")
        assert data.test.labels[kept] == before.labels[0]
    assert living.seen.lines == []


def flat(folder: Path) -> Living:
    """A project on images directly in a folder; two of them are labeled."""
    living = Living(folder, classes=["cat", "dog"])
    for i in range(8):
        living.save(f"{i}.png", 10 * i + 1)
    living.start()
    living.label({0: CAT, 1: DOG})
    return living


def test_images_in_a_folder_stay_where_class_folders_come(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    living = flat(tmp_path)
    (living.images / "cat").mkdir()
    assert shades(living.start()) == ALL
    assert living.seen.lines == []
    living.move("2.png", "cat/2.png")
    assert shades(living.start()) == ALL
    assert living.seen.lines == ["images 1 renamed", "imported 1"]
    assert living.journal.label_of == {0: CAT, 1: DOG, 2: CAT}
    living.save("unlabeled/new.png", 81)
    living.save("more.png", 91)
    assert shades(living.start()) == [*ALL, 91, 81]
    living.save("backup/0.png", 101)
    with pytest.raises(DataError, match=r"'backup'\. Name these too, rename .* into unlabeled/"):
        living.load()
    assert "left out" not in caplog.text


def test_images_that_come_beside_class_folders_are_read_where_all_others_were_moved(
    tmp_path: Path,
) -> None:
    living = flat(tmp_path)
    for i in range(8):
        living.move(f"{i}.png", f"{'cat' if i % 2 else 'dog'}/{i}.png")
    assert shades(living.start()) == ALL
    living.save("new.png", 81)
    assert shades(living.start()) == [*ALL, 81]


def test_no_test_images_are_drawn_once_all_are_labeled(tmp_path: Path) -> None:
    living = labeled(tmp_path)
    for name in "wxyz":
        living.move(f"unlabeled/{name}.png", f"train/dog/{name}.png")
    (living.images / "unlabeled").rmdir()
    for number in range(20):
        living.save(f"train/cat/{number}.png", 100 + number)
    assert len(living.start().test) == 0


def test_another_size_of_the_images_keeps_the_ids(tmp_path: Path) -> None:
    living = labeled(tmp_path)
    living.options = {"image_size": 16}
    data = living.start()
    assert shades(data) == ALL
    assert living.seen.lines == []


def test_an_imbalance_cannot_be_in_a_project_of_files(tmp_path: Path) -> None:
    living = Living(tmp_path, imbalance="step")
    living.save("cat/1.png", 3)
    with pytest.raises(UsageError, match="not possible in a project of image files"):
        living.start()


def test_a_project_that_another_process_continued_is_left_alone(tmp_path: Path) -> None:
    living = labeled(tmp_path)
    living.save("unlabeled/new.png", 99)
    late, event = living.load(), start_event(config={})
    living.start()
    before = living.journal.path.read_bytes()
    with pytest.raises(JournalError, match="continued by another process"):
        record_changes(living.journal, event, late, (), living.seen)
    living.journal.record_classes(ClassChange(renamed={"cat": "kitten"}))
    between = living.journal.path.read_bytes()
    with pytest.raises(JournalError, match="they were changed in the meantime"):
        record_changes(living.journal, event, late, (), living.seen)
    assert living.journal.path.read_bytes() == between
    assert between.startswith(before)


def test_other_data_sets_have_the_classes_of_the_project(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    source = ProjectSource(TinySource(), tmp_path, journal)
    whole = TinySource().load()
    assert source.load().fingerprint() == whole.fingerprint()
    journal.begin({"project": True, **start_event(data={"train": 60})})
    journal.record_classes(ClassChange(added=["other"], merged={"top": "bottom"}))
    data = source.load()
    assert data.classes == ("middle", "bottom", "other")
    expected = torch.tensor([1, 0, 1])[whole.train.labels]
    assert torch.equal(data.train.labels, expected)
    assert data.fingerprint() == whole.fingerprint()  # the images are the same
    assert data.update is None


def test_classes_change_while_a_project_is_open() -> None:
    data = replace(Digits().load(), aliases={"nought": "0"})
    change = ClassChange(added=["ten"], renamed={"0": "zero"}, merged={"1": "7"})
    found = with_changed_classes(data, change)
    assert found.classes == ("zero", *"23456789", "ten")
    assert found.aliases == {"nought": "zero", "0": "zero", "1": "7"}
    was_one = data.train.labels == 1
    assert {*found.train.labels[was_one].tolist()} == {6}
    assert len(CLASSES) == 3
