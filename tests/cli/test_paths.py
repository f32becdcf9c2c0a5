import os
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from al_lightning.cli.paths import (
    absolute,
    is_path,
    is_there,
    places_as_written,
    portable,
    weights_files,
    with_absolute_paths,
)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("dataset.path", "imgs", True),
        ("data_root", "data", True),
        ("dataset.cache_dir", "x", True),
        ("trainer.default_root_dir", "x", True),
        ("hydra.run.dir", "x", True),
        ("dataset.path", "s3://bucket/x", False),
        ("dataset.path", "???", False),
        ("dataset.path", "", False),
        ("dataset.path", None, False),
        ("model.weights", "DEFAULT", False),
        ("model.weights", "IMAGENET1K_V1", False),
        ("model.weights", "a.pth", True),
        ("model.weights", "folder/weights", True),
        ("dataset.classes", "a/b", False),
        ("strategy", "margin", False),
        ("dataset.columns.file", "image", False),
        ("dataset.columns.path", "file", False),
    ],
)
def test_which_keys_hold_paths(key: str, value: object, expected: bool, tmp_path: Path) -> None:
    assert is_path(key, value, tmp_path) is expected


def test_weights_without_a_suffix_are_a_path_where_there_is_such_a_file(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    assert is_path("model.weights", "mine", tmp_path)


def test_one_folder_has_one_spelling(tmp_path: Path) -> None:
    (tmp_path / "imgs").mkdir()
    (tmp_path / "link").symlink_to("imgs")
    spellings = ("imgs", "imgs/", "./imgs", "imgs/../imgs", "link", str(tmp_path / "imgs"))
    assert {absolute(s, tmp_path) for s in spellings} == {str((tmp_path / "imgs").resolve())}


def test_a_link_to_a_file_stays_in_its_folder(tmp_path: Path) -> None:
    (tmp_path / "stored" / "7f").mkdir(parents=True)
    (tmp_path / "stored" / "7f" / "labels.csv").touch()
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "labels.csv").symlink_to("../stored/7f/labels.csv")
    (tmp_path / "link").symlink_to("photos")
    expected = str(tmp_path.resolve() / "photos" / "labels.csv")
    assert absolute("link/labels.csv", tmp_path) == absolute(expected, tmp_path) == expected


def test_a_name_depends_on_where_things_lie_and_not_on_the_working_folder(tmp_path: Path) -> None:
    root = str(tmp_path / "outputs")
    assert portable("imgs", tmp_path, "outputs") == "imgs"
    assert portable(str(tmp_path / "imgs"), tmp_path / "other", root) == "imgs"
    assert portable("../imgs", tmp_path / "other", root) == "imgs"
    assert portable("/elsewhere/imgs", tmp_path, "outputs") == "/elsewhere/imgs"


def test_columns_of_a_table_are_no_places(tmp_path: Path) -> None:
    columns = {"file": "image", "label": "class"}
    cfg = OmegaConf.create(
        {"output_root": "outputs", "dataset": {"path": "./t.csv", "columns": columns}}
    )
    assert with_absolute_paths(cfg, tmp_path).dataset.columns == columns
    assert places_as_written(cfg, tmp_path) == {"output_root": "outputs", "dataset.path": "t.csv"}


def test_what_is_built_from_absolute_paths_is_recorded_in_one_short_spelling(
    tmp_path: Path,
) -> None:
    cfg = OmegaConf.create(
        {
            "output_root": f"{tmp_path}/outputs/",
            "data_root": "${oc.env:NOBODY_SETS_THIS,data}",
            "dataset": {"root": "${data_root}", "path": "imgs/", "sizes": [1, 2]},
            "model": {"weights": "a.pth"},
            "seed": 0,
        }
    )
    ready = with_absolute_paths(cfg, tmp_path)
    assert ready.dataset.root == ready.data_root == str((tmp_path / "data").resolve())
    assert ready.dataset.path == str((tmp_path / "imgs").resolve())
    assert ready.model.weights == str((tmp_path / "a.pth").resolve())
    assert weights_files(ready, tmp_path) == ["model.weights"]
    assert cfg.dataset.path == "imgs/"
    assert places_as_written(cfg, tmp_path) == {
        "output_root": "outputs",
        "data_root": "${oc.env:NOBODY_SETS_THIS,data}",
        "dataset.root": "${data_root}",
        "dataset.path": "imgs",
    }


@pytest.mark.skipif(os.name == "nt", reason="Windows has other limits")
def test_a_name_that_no_file_can_have_has_a_spelling_too(tmp_path: Path) -> None:
    name = "x" * 300
    assert absolute(name, tmp_path) == f"{tmp_path}/{name}"
    assert not is_path("model.weights", name, tmp_path)
    assert not is_there(name)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may look everywhere")
def test_what_lies_below_a_closed_folder_has_a_spelling_too(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    assert absolute("closed/x", tmp_path) == f"{closed}/x"
    assert not is_there(closed / "x")
