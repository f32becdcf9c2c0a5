import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from al_lightning.data import HuggingFaceSource
from al_lightning.utils.errors import DataError, UsageError

datasets = pytest.importorskip("datasets")


def images_of(count: int, size: tuple[int, int] = (6, 8)) -> list[Image.Image]:
    return [
        Image.fromarray(np.full((size[1], size[0], 3), [10 * i, 5, 250], dtype=np.uint8))
        for i in range(count)
    ]


def part(count: int, labels: list[Any], feature: Any, **images: Any) -> Any:
    columns = {"img": images_of(count, **images), "kind": labels}
    features = datasets.Features({"img": datasets.Image(), "kind": feature})
    return datasets.Dataset.from_dict(columns, features=features)


@pytest.fixture
def folder(tmp_path: Path) -> str:
    named = datasets.ClassLabel(names=["cat", "dog", "owl"])
    parts = {"train": part(6, [0, 1, 1, 0, 2, 2], named), "test": part(3, [2, 1, 0], named)}
    datasets.DatasetDict(parts).save_to_disk(str(tmp_path / "saved"))
    return str(tmp_path / "saved")


COLUMNS: dict[str, Any] = {"image": "img", "label": "kind"}


def test_images_labels_and_names_are_read(folder: str) -> None:
    data = HuggingFaceSource(folder, **COLUMNS).load()
    assert (len(data.train), len(data.test), data.image_shape) == (6, 3, (3, 8, 6))
    assert data.train.labels.tolist() == [0, 1, 1, 0, 2, 2]
    assert data.test.labels.tolist() == [2, 1, 0]
    assert data.classes == ("cat", "dog", "owl")
    assert data.train.pixels[4, :, 0, 0].tolist() == [40, 5, 250]


def test_images_are_resized_and_gray(folder: str) -> None:
    data = HuggingFaceSource(folder, **COLUMNS, image_size=4, channels=1).load()
    assert data.image_shape == (1, 4, 4)


def test_test_images_are_drawn_where_there_is_no_such_split(folder: str) -> None:
    source = HuggingFaceSource(folder, **COLUMNS, test=None, test_fraction=0.5)
    data = source.load()
    assert sorted(data.test.labels.tolist()) == sorted(data.train.labels.tolist()) == [0, 1, 2]
    assert data.test.labels.tolist() == source.load().test.labels.tolist()


def test_images_that_are_there_twice_are_on_one_side(tmp_path: Path) -> None:
    once = part(8, ["a", "b"] * 4, datasets.Value("string"))
    twice = datasets.concatenate_datasets([once, once])
    datasets.DatasetDict({"train": twice}).save_to_disk(str(tmp_path / "saved"))
    options: dict[str, Any] = {**COLUMNS, "test": None, "test_fraction": 0.25}
    data = HuggingFaceSource(str(tmp_path / "saved"), **options).load()
    trained, tested = (
        {*map(bytes, images.pixels[:].numpy())} for images in (data.train, data.test)
    )
    assert len(data.test) == 4
    assert not trained & tested


def test_labels_without_names_are_sorted(tmp_path: Path) -> None:
    text = datasets.Value("string")
    parts = {"train": part(4, ["b", "a", "b", "c"], text), "test": part(1, ["c"], text)}
    datasets.DatasetDict(parts).save_to_disk(str(tmp_path / "saved"))
    data = HuggingFaceSource(str(tmp_path / "saved"), **COLUMNS).load()
    assert data.classes == ("a", "b", "c")
    assert data.train.labels.tolist() == [1, 0, 1, 2]


def test_a_folder_of_parquet_files_is_read(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    (tmp_path / "files").mkdir()
    for name, split in datasets.load_from_disk(str(folder)).items():
        split.to_parquet(tmp_path / "files" / f"{name}.parquet")
    data = HuggingFaceSource(str(tmp_path / "files"), **COLUMNS).load()
    assert data.train.labels.tolist() == [0, 1, 1, 0, 2, 2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"train": "training"}, "no split 'training', but train, test: set dataset.train"),
        ({"test": "val"}, "no split 'val', .* set dataset.test, or null to draw"),
        ({"image": "image"}, "no column 'image', but img, kind: set dataset.image"),
        ({"label": "label"}, "no column 'label', but img, kind: set dataset.label"),
        ({"image": "kind"}, "Column 'kind' .* has no images, but int: set dataset.image"),
    ],
)
def test_what_is_not_there_is_named(options: dict[str, str], message: str, folder: str) -> None:
    with pytest.raises(DataError, match=message):
        HuggingFaceSource(folder, **{**COLUMNS, **options}).load()


def test_images_without_labels_are_refused(tmp_path: Path) -> None:
    named = datasets.ClassLabel(names=["cat", "dog"])
    parts = {"train": part(3, [0, 1, -1], named), "test": part(1, [0], named)}
    datasets.DatasetDict(parts).save_to_disk(str(tmp_path / "saved"))
    with pytest.raises(DataError, match=r"Row 2 .* has the label -1"):
        HuggingFaceSource(str(tmp_path / "saved"), **COLUMNS).load()


def test_what_cannot_be_loaded_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"could not be loaded by datasets: .*save_to_disk"):
        HuggingFaceSource(str(tmp_path / "empty")).load()


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(UsageError, match=r"al-lightning\[hugging_face\]"):
        HuggingFaceSource("somewhere").load()


@pytest.mark.parametrize(
    "options", [{"channels": 2}, {"test_fraction": 1.0}, {"image_size": 0}], ids=str
)
def test_arguments_out_of_range_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=rf"dataset\.{next(iter(options))} must be"):
        HuggingFaceSource("somewhere", **options)


def test_images_are_converted_as_those_of_folders(tmp_path: Path) -> None:
    clear = Image.new("RGBA", (6, 8), (9, 9, 9, 0))
    features = datasets.Features({"img": datasets.Image(), "kind": datasets.Value("int64")})
    for images, name in (([clear] * 3, "clear"), ([Image.new("I;16", (6, 8), 4000)] * 3, "deep")):
        content = {"img": images, "kind": [0, 1, 0]}
        part = datasets.Dataset.from_dict(content, features=features)
        datasets.DatasetDict({"train": part, "test": part}).save_to_disk(str(tmp_path / name))
    pixels = HuggingFaceSource(str(tmp_path / "clear"), **COLUMNS).load().train.pixels[:]
    assert bool((pixels == 255).all())  # transparent is white
    with pytest.raises(DataError, match="more than 8 bits"):
        HuggingFaceSource(str(tmp_path / "deep"), **COLUMNS).load()


@pytest.mark.parametrize(
    ("labels", "feature", "message"),
    [
        (["cat", None, "dog"], datasets.Value("string"), "leave out images without labels"),
        ([[0], [1, 2], [0]], datasets.List(datasets.Value("int64")), "not one label an image"),
    ],
)
def test_labels_that_are_missing_or_several_are_refused(
    tmp_path: Path, labels: list[Any], feature: Any, message: str
) -> None:
    parts = {name: part(3, labels, feature) for name in ("train", "test")}
    datasets.DatasetDict(parts).save_to_disk(str(tmp_path / "saved"))
    with pytest.raises(DataError, match=message):
        HuggingFaceSource(str(tmp_path / "saved"), **COLUMNS).load()
