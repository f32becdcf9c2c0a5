import logging
import os
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from al_lightning.data import ImageData, ImageFolder, ImageTable
from al_lightning.data.pixels.remote_file import RemoteFile
from al_lightning.utils.errors import DataError, UsageError
from tests.data.folders import fill, save
from tests.data.table.tables import table, write


def load(path: Path | str, **options: object) -> ImageData:
    return ImageTable(str(path), image_size=4, **options).load()  # type: ignore[arg-type]


def labels(data: ImageData) -> dict[str, int]:
    assert data.train.files is not None
    return dict(zip(data.train.files, data.train.labels.tolist(), strict=True))


def shades(data: ImageData) -> list[int]:
    shown: list[int] = data.train.pixels[:][:, 0, 0, 0].tolist()
    return shown


# What a table is read as


def test_labeled_test_and_unlabeled_rows(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        "file,label,split,note",
        "u/2.png,,,",
        "dog.png,dog,train,x",
        "cat2.jpg,cat,,",
        "cat1.png,cat,train,",
        "t/cat.png,cat,test,",
        "u/1.png,,unlabeled,",
        "t/dog.png,dog,test,",
    )
    data = load(path)
    assert data.classes == ("cat", "dog")
    assert [*labels(data).items()] == [
        ("cat1.png", 0),
        ("cat2.jpg", 0),
        ("dog.png", 1),
        ("u/1.png", -1),
        ("u/2.png", -1),
    ]
    assert shades(data) == [3, 2, 1, 5, 0]
    assert data.given_ids.tolist() == [0, 1, 2]
    assert data.test.files == ("t/cat.png", "t/dog.png")
    assert data.test.labels.tolist() == [0, 1]
    assert data.folder == tmp_path
    assert data.train.groups is None


def test_a_table_of_a_folder_is_that_folder(tmp_path: Path) -> None:
    """The same images in the same order: a run may go on with the other one."""
    fill(tmp_path / "train")
    fill(tmp_path / "test", first=50)
    save(tmp_path / "unlabeled" / "b.png", shade=90)
    save(tmp_path / "unlabeled" / "a" / "b.png", shade=91)
    rows = []
    for file in sorted(tmp_path.rglob("*.png"), key=lambda path: path.name):
        part, *_ = name = file.relative_to(tmp_path).parts
        rows.append(f"{'/'.join(name)},{'' if part == 'unlabeled' else name[1]},{part}")
    path = write(tmp_path / "labels.csv", "file,label,split", *rows)
    folder = ImageFolder(str(tmp_path), image_size=4).load()
    assert load(path).fingerprint() == folder.fingerprint()
    assert load(path).train.files == folder.train.files


def test_where_all_is_labeled_a_part_is_split_off_as_of_a_folder(tmp_path: Path) -> None:
    fill(tmp_path, count=10)
    rows = [f"{name}/{i}.png,{name}" for i in range(10) for name in ("dog", "cat")]
    path = write(tmp_path / "labels.csv", "file,label", *rows)
    for options in ({}, {"test_fraction": 0.3}):
        data = load(path, **options)
        folder = ImageFolder(str(tmp_path), image_size=4, **options).load()  # type: ignore[arg-type]
        assert data.fingerprint() == folder.fingerprint()
        assert data.test.files == folder.test.files
        assert len(data.given_ids) == 0


def test_the_order_of_rows_does_not_matter(tmp_path: Path) -> None:
    rows = ["a.png,cat", "b.png,dog", "c.png,", "d.png,cat"]
    path = table(tmp_path, "file,label", *rows)
    before = load(path).fingerprint()
    write(path, "file,label", *reversed(rows))
    assert load(path).fingerprint() == before
    write(path, "label;file", *(";".join(reversed(row.split(","))) for row in rows))
    assert load(path).fingerprint() == before


def test_columns_of_other_names(tmp_path: Path) -> None:
    path = table(tmp_path, "image,class,file", "a.png,cat,1", "b.png,dog,2", "c.png,,3")
    data = load(path, columns={"file": "image", "label": "class"})
    assert labels(data) == {"a.png": 0, "b.png": 1, "c.png": -1}


def test_files_elsewhere(tmp_path: Path) -> None:
    save(tmp_path / "other" / "a.png", 7)
    rows = [f"{tmp_path}/other/a.png,cat", "../other/b.png,dog", "./c.png,"]
    path = table(tmp_path / "photos", "file,label", *rows[1:])
    write(path, "file,label", *rows)
    data = load(path)
    assert labels(data) == {f"{tmp_path}/other/a.png": 0, "../other/b.png": 1, "c.png": -1}
    assert shades(data) == [7, 0, 1]


def test_without_labels_the_classes_are_given(tmp_path: Path) -> None:
    path = table(tmp_path, "file", "b.png", "a.png")
    data = load(path, classes=["dog", "cat"])
    assert data.classes == ("dog", "cat")
    assert labels(data) == {"a.png": -1, "b.png": -1}
    with pytest.raises(DataError, match=r"labels\.csv needs at least 2 classes, has none\. Name"):
        load(path)


def test_parquet(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = table(tmp_path, "file,label", "a.png,7", "b.png,12", "c.png,")
    columns = {"file": ["a.png", "b.png", "c.png"], "label": [7.0, 12.0, None]}
    parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
    data = load(tmp_path / "t.parquet")
    assert data.classes == ("12", "7")
    assert data.fingerprint() == load(path).fingerprint()
    parquet.write_table(pa.table({**columns, "file": ["a.png", "b.png", "x.png"]}), path)
    with pytest.raises(DataError, match=r"row 3, x\.png: there is no such file"):
        load(path)


def test_imbalance_and_flip(tmp_path: Path) -> None:
    rows = [f"{name}{i}.png,{name},train" for name in ("cat", "dog") for i in range(10)]
    tests = ["t1.png,cat,test", "t2.png,dog,test"]
    path = table(tmp_path, "file,label,split", *rows, *tests)
    data = load(path, horizontal_flip=True, imbalance="step", imbalance_ratio=5)
    assert data.train.labels.bincount().tolist() == [10, 2]
    write(path, "file,label,split", *rows, "t1.png,,")
    with pytest.raises(UsageError, match=r"dataset\.imbalance=step is not possible with unl"):
        load(path, imbalance="step")


# Splits and groups


def test_labels_that_somebody_chose_are_nothing_to_measure_by(tmp_path: Path) -> None:
    path = table(tmp_path, "file,label", "a.png,cat", "b.png,dog", "c.png,")
    with pytest.raises(
        UsageError,
        match=r"test_fraction=0\.3 .* give a random sample of the labeled rows the split",
    ):
        load(path, test_fraction=0.3)
    assert len(load(path, test_fraction=0).test) == 0
    write(path, "file,label", "a.png,cat", "b.png,dog", "c.png,cat")
    with pytest.raises(
        UsageError, match=r"or give some rows the split test; only with rows without"
    ):
        load(path, test_fraction=0)


def test_groups_are_never_divided(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    names = [f"{i}.png" for i in range(120)]
    group = dict(zip(names, generator.integers(0, 15, 120).tolist(), strict=True))
    rows = [
        f"{name},{'cat' if i % 3 else 'dog'},patient {group[name]}" for i, name in enumerate(names)
    ]
    path = table(tmp_path, "file,label,group", *rows)
    data = load(path, test_fraction=0.25)
    assert data.train.files is not None
    assert data.test.files is not None
    sides = [{group[file] for file in part} for part in (data.train.files, data.test.files)]
    assert not sides[0] & sides[1]
    assert 25 <= len(data.test) <= 35
    assert bool((data.test.labels.bincount(minlength=2) > 0).all())
    assert data.train.groups is not None
    together = defaultdict(set)
    for file, number in zip(data.train.files, data.train.groups.tolist(), strict=True):
        together[number].add(group[file])
    assert all(len(patients) == 1 for patients in together.values())
    assert len(together) == len(sides[0])


def test_a_group_on_both_sides_of_the_tables_own_split_is_refused(tmp_path: Path) -> None:
    path = table(
        tmp_path, "file,label,split,group", "a.png,cat,train,7", "b.png,dog,,8", "c.png,cat,test,7"
    )
    with pytest.raises(
        DataError, match=r"'7': row 4, c\.png \(test\), and row 2, a\.png \(train\)\nMove"
    ):
        load(path)


def test_a_class_of_one_group_cannot_be_split(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        "file,label,group",
        *(f"{i}.png,cat,{i}" for i in range(5)),
        *(f"d{i}.png,dog,x" for i in range(5)),
    )
    with pytest.raises(
        DataError, match="images of class 'dog' are of 1 group, and a group is never"
    ):
        load(path)


# Files that are not as they should be


def test_missing_files_are_named_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = table(tmp_path, "file,label", *(f"{i}.png,{'cd'[i % 2]}" for i in range(20)))
    for number in range(12):
        (tmp_path / f"{number}.png").unlink()
    with pytest.raises(DataError) as raised:
        load(path)
    said = str(raised.value)
    assert said.startswith(
        f"12 of the 20 images of {path} are missing:\n  - row 2, 0.png: there is no such file\n"
    )
    assert "row 11, 9.png" in said
    assert "row 12" not in said
    assert said.endswith(
        f"  - and 2 more\nCorrect the table, or add them; relative names start at {tmp_path}, or "
        "leave them out with dataset.on_error=skip"
    )
    with caplog.at_level(logging.WARNING):
        data = load(path, on_error="skip")
    assert len(data.train) + len(data.test) == 8
    assert "row 13, 11.png: it no longer exists, or is a broken link" in caplog.text
    assert len(caplog.messages) == 1


def test_paths_of_another_system_are_explained(tmp_path: Path) -> None:
    path = table(tmp_path, "file,label", "cat/a.png,cat", "dog/b.png,dog", make=False)
    write(path, "file,label", "cat\\a.png,cat", "dog\\b.png,dog")
    with pytest.raises(DataError, match=r"and folders are separated by /, not by \\"):
        load(path)


def test_a_table_whose_files_are_all_left_out_is_refused(tmp_path: Path) -> None:
    path = table(tmp_path, "file,label", "a.png,cat", "b.png,dog", make=False)
    with pytest.raises(DataError, match="None of the training images of class 'cat' can be used"):
        load(path, on_error="skip")
    write(path, "file,label", "a.png,cat", "a.png,dog")
    with pytest.raises(DataError, match=r"None of the images of .*labels\.csv can be used"):
        load(path, on_error="skip")


def test_skipping_makes_no_labels_a_random_sample(tmp_path: Path) -> None:
    """Without its unlabeled images, a table would look as if all of it were labeled."""
    path = table(tmp_path, "file,label", *(f"{i}.png,{'cd'[i % 2]}" for i in range(10)), "u.png,")
    (tmp_path / "u.png").unlink()
    (tmp_path / "folder").mkdir()
    with pytest.raises(
        DataError, match=r"None of the unlabeled images can be read; repair them, or"
    ):
        load(path, on_error="skip")
    write(path, "file,label", "1.png,c", "2.png,d", "folder,", "3.png,")
    assert load(path, on_error="skip").train.files == ("1.png", "2.png", "3.png")
    with pytest.raises(DataError, match="row 4, folder: it is a folder"):
        load(path)


def test_a_file_in_two_rows(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = [f"{i}.png,{'cd'[i % 2]}" for i in range(10)]
    path = table(tmp_path, "file,label", *rows, "./3.png,d", "4.png,d")
    with pytest.raises(DataError) as raised:
        load(path)
    assert str(raised.value) == (
        f"3 of the rows of {path} have a file that another row has:\n"
        "  - row 6, 4.png: row 13 has the same file, with the label 'd' instead of 'c'\n"
        "  - row 12, ./3.png: row 5 has the same file\n"
        "  - row 13, 4.png: row 6 has the same file, with the label 'c' instead of 'd'\n"
        "Keep one row for each file, or leave them out with dataset.on_error=skip"
    )
    with caplog.at_level(logging.WARNING):
        data = load(path, on_error="skip")
    files = {*(data.train.files or ()), *(data.test.files or ())}
    assert files == {f"{i}.png" for i in range(10) if i != 4}


def test_damaged_files_are_named_with_their_rows(tmp_path: Path) -> None:
    path = table(tmp_path, "file,label", *(f"{i}.png,{'cd'[i % 2]}" for i in range(20)))
    (tmp_path / "3.png").write_bytes(b"")
    (tmp_path / "5.png").write_text("<html>")
    (tmp_path / "6.png").write_bytes((tmp_path / "6.png").read_bytes()[:50])
    with pytest.raises(DataError) as raised:
        load(path)
    assert str(raised.value).startswith(f"3 of the images of {path} cannot be read:\n")
    assert "  - row 5, 3.png: it is empty, 0 bytes\n" in str(raised.value)
    assert "  - row 7, 5.png: its content is no image of a format that is read\n" in str(
        raised.value
    )
    data = load(path, on_error="skip")
    assert len(data.train) + len(data.test) == 17


def test_names_that_cannot_be_shown_are_named(tmp_path: Path) -> None:
    path = table(tmp_path, "file,label", '"two\nlines.png",cat', "b.png,dog", "c.png,")
    with pytest.raises(
        DataError, match=r"row 3, two\\nlines\.png: its name has the character \\n,"
    ):
        load(path)


def test_copies_and_contradictions_are_named_with_their_rows(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = table(tmp_path, "file,label", "a.png,cat", "b.png,dog", "c.png,", "d.png,")
    save(tmp_path / "d.png", shade=0)
    with caplog.at_level(logging.WARNING):
        data = load(path)
    assert data.train.files == ("a.png", "b.png", "c.png")
    assert "row 2, a.png = row 5, d.png" in caplog.text
    save(tmp_path / "b.png", shade=0)
    with pytest.raises(DataError) as raised:
        load(path)
    assert str(raised.value).startswith(
        f"1 of the images of {path} have different labels, equal in every pixel at 4 x 4:\n"
        "  - row 2, a.png: the same image as row 3, b.png\nKeep each in one class"
    )


def test_images_in_training_and_test_are_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = table(
        tmp_path, "file,label,split", "a.png,cat,", "b.png,dog,", "c.png,cat,test", "d.png,dog,test"
    )
    save(tmp_path / "c.png", shade=0)
    with caplog.at_level(logging.WARNING):
        load(path)
    (message,) = caplog.messages
    assert "1 of the test images are training images too" in message
    assert "row 2, a.png = row 4, c.png" in message


def test_a_class_whose_images_are_all_skipped_is_named(tmp_path: Path) -> None:
    path = table(
        tmp_path, "file,label,split", "a.png,cat,", "b.png,dog,", "c.png,cat,test", "d.png,dog,test"
    )
    (tmp_path / "d.png").write_bytes(b"")
    with pytest.raises(DataError, match="None of the test images of class 'dog' can be used"):
        load(path, on_error="skip")
    write(path, "file,label", "a.png,cat", "b.png,dog", "d.png,")
    with pytest.raises(
        DataError, match=r"None of the unlabeled images can be read; .* remove their"
    ):
        load(path, on_error="skip")


def test_deep_images_need_one_range_for_the_table(tmp_path: Path) -> None:
    path = table(tmp_path, "file,label", "a.png,cat", "b.png,dog", "c.png,")
    Image.fromarray(np.full((8, 8), 4000, dtype=np.uint16)).save(tmp_path / "b.png")
    with pytest.raises(
        UsageError,
        match=r"1 of the 3 images of .*labels\.csv have more than 8 bits .* row 3, b\.png",
    ):
        load(path)
    assert shades(load(path, value_range=[0, 4000])) == [0, 255, 2]


def test_arguments_are_checked() -> None:
    with pytest.raises(UsageError, match=r"dataset\.columns has 'fle'"):
        ImageTable("labels.csv", columns={"fle": "image"})
    with pytest.raises(UsageError, match=r"dataset\.on_error=ignore is unknown"):
        ImageTable("labels.csv", on_error="ignore")


# Where pixels are, and files behind addresses


@pytest.mark.parametrize("storage", ["memory", "disk", "stream"])
def test_no_result_depends_on_the_storage(tmp_path: Path, storage: str) -> None:
    path = table(tmp_path / "a", "file,label", *(f"{i}.png,{'cd'[i % 2]}" for i in range(10)))
    options = {"storage": storage, "cache_dir": str(tmp_path / "cache"), "workers": 1}
    data = load(path, **options)
    assert data.fingerprint() == load(path).fingerprint()
    assert torch.equal(data.train.pixels[:], load(path).train.pixels[:])


def test_two_tables_of_one_folder_have_their_own_caches(tmp_path: Path) -> None:
    rows = [f"{i}.png,{'cd'[i % 2]}" for i in range(10)]
    one = table(tmp_path / "a", "file,label", *rows)
    two = write(tmp_path / "a" / "two.csv", "file,label", *rows[:8])
    for path in (one, two, one):
        load(path, storage="disk", cache_dir=str(tmp_path / "cache"), workers=1)
    assert len([*(tmp_path / "cache").glob("*/pixels.bin")]) == 2


@pytest.fixture(params=["memory", "file"])
def bucket(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a folder with the images 0.png to 5.png."""
    fsspec = pytest.importorskip("fsspec")
    address = {"memory": "memory://bucket", "file": f"file://{tmp_path}/bucket"}[request.param]
    system, folder = fsspec.core.url_to_fs(address)
    system.makedirs(folder, exist_ok=True)
    for shade in range(6):
        system.pipe_file(f"{folder}/{shade}.png", save(tmp_path / "x.png", shade).read_bytes())
    return address


def test_files_behind_addresses_are_read_once(
    tmp_path: Path, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path / "here.png", 99)
    names = [f"{bucket}/{i}.png,{label}" for i, label in enumerate(["cat", "dog", "", ""])]
    path = write(tmp_path / "labels.csv", "file,label", *names, "here.png,cat")
    options = {"cache_dir": str(tmp_path / "cache"), "workers": 1}
    data = load(path, **options)
    assert labels(data) == {
        "here.png": 0,
        **{f"{bucket}/{i}.png": label for i, label in enumerate([0, 1, -1, -1])},
    }
    assert sorted(shades(data)) == [0, 1, 2, 3, 99]
    monkeypatch.setattr(RemoteFile, "read", None)
    again = load(path, **options)
    assert again.fingerprint() == data.fingerprint()


def test_a_table_behind_an_address_names_files_beside_it(tmp_path: Path, bucket: str) -> None:
    fsspec = pytest.importorskip("fsspec")
    system, path = fsspec.core.url_to_fs(f"{bucket}/labels.csv")
    system.pipe_file(path, b"file,label\n4.png,dog\n./5.png,cat\n3.png,\n")
    data = load(f"{bucket}/labels.csv", cache_dir=str(tmp_path / "cache"))
    assert data.train.files is not None
    assert [file.rpartition("/")[2] for file in data.train.files] == ["5.png", "4.png", "3.png"]
    assert data.folder == Path()


def test_addresses_without_a_file_are_named(tmp_path: Path, bucket: str) -> None:
    names = [f"{bucket}/{i}.png,{label}" for i, label in enumerate(["cat", "dog", ""])]
    path = write(tmp_path / "labels.csv", "file,label", *names, f"{bucket}/none.png,cat")
    with pytest.raises(DataError, match=r"row 5, .*/none\.png: there is no such file"):
        load(path, cache_dir=str(tmp_path / "cache"))
    data = load(path, on_error="skip", cache_dir=str(tmp_path / "cache"))
    assert len(data.train) == 3


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_linked_table_names_files_beside_the_link(tmp_path: Path) -> None:
    stored = write(tmp_path / "stored" / "7f", "file,label", "a.png,cat", "b.png,dog", "c.png,")
    for shade, name in enumerate("abc"):
        save(tmp_path / "photos" / f"{name}.png", shade)
    (tmp_path / "photos" / "labels.csv").symlink_to(stored)
    assert len(load(tmp_path / "photos" / "labels.csv").train) == 3
