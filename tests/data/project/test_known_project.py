"""What a project knows of its images and classes."""

from pathlib import Path

from al_lightning.data.project.known_project import KnownProject
from al_lightning.data.project.manifest import Manifest
from al_lightning.run.class_change import ClassChange


def known(tmp_path: Path) -> KnownProject:
    return KnownProject(Manifest(tmp_path / "images.csv"), ["kitten", "dog"], {"cat": "kitten"})


def test_new_classes_come_last_and_earlier_names_are_known(tmp_path: Path) -> None:
    assert known(tmp_path).with_new(["ant", "cat", "dog"]) == ("kitten", "dog", "ant")
    assert known(tmp_path).names == ("kitten", "dog", "cat")


def test_labels_by_any_name(tmp_path: Path) -> None:
    project = known(tmp_path)
    classes = project.with_new(found := ["ant", "cat", "dog"])
    assert project.labels_of(found, classes).tolist() == [2, 0, 1, -1]


def test_classes_change(tmp_path: Path) -> None:
    after = known(tmp_path).after(ClassChange(renamed={"kitten": "lion"}))
    assert (after.classes, after.aliases) == (["lion", "dog"], {"cat": "lion", "kitten": "lion"})
