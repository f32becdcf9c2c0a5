from pathlib import Path

import pytest

from al_lightning.inference.places import Places
from al_lightning.utils.errors import UsageError

CONFIG = {
    "output_root": "outputs",
    "data_root": "${oc.env:SOME_DATA,data}",
    "dataset": {"root": "${data_root}", "cache_dir": "${output_root}/.cache/images"},
}


def test_relative_paths_start_beside_the_folder_of_all_runs(tmp_path: Path) -> None:
    places = Places(CONFIG, tmp_path / "outputs" / "digits" / "seed=0")
    assert places.of("dataset", {"path": "images", "size": 3, "root": "", "columns": None}) == {
        "path": str(tmp_path / "images"),
        "size": 3,
        "root": "",
        "columns": None,
    }
    assert places.outputs == tmp_path / "outputs"


def test_elsewhere_they_start_from_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Places(CONFIG, Path("/runs/a")).of("dataset.path", "images") == str(tmp_path / "images")
    absolute = {"output_root": "/results"}
    assert Places(absolute, Path("/results/a")).outputs == Path("/results")
    assert Places(absolute, Path("/results/a")).of("x.path", "images") == str(tmp_path / "images")


def test_what_stands_for_a_place_is_resolved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = Places(CONFIG, tmp_path / "outputs" / "a")
    monkeypatch.delenv("SOME_DATA", raising=False)
    found = places.of("dataset", CONFIG["dataset"])
    cache = str(tmp_path / "outputs" / ".cache" / "images")
    assert found == {"root": str(tmp_path / "data"), "cache_dir": cache}
    monkeypatch.setenv("SOME_DATA", "/mnt/data")
    assert places.of("dataset.root", "${data_root}") == "/mnt/data"
    monkeypatch.setenv("HOME", "/home/ada")
    assert places.of("dataset.path", "~/images") == "/home/ada/images"


def test_addresses_and_other_texts_stay(tmp_path: Path) -> None:
    places = Places(CONFIG, tmp_path / "outputs" / "a")
    assert places.of("dataset.path", "s3://bucket/a.csv") == "s3://bucket/a.csv"
    assert places.of("dataset.storage", "auto") == "auto"


@pytest.mark.parametrize("text", ["${oc.env:NOT_SET_ANYWHERE}", "${nowhere.at.all}"])
def test_what_is_not_there_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match=r"dataset\.path of the run is \$\{.*--data"):
        Places(CONFIG, tmp_path).of("dataset.path", text)


def test_a_circle_ends(tmp_path: Path) -> None:
    places = Places({"a": "${b}", "b": "${a}"}, tmp_path)
    assert "${" in places.of("dataset.storage", "${a}")
