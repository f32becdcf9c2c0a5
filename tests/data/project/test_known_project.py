"""What a project knows of its images and classes."""

from pathlib import Path

from al_lightning.data.project.known_project import KnownProject
from al_lightning.data.project.manifest import Manifest


def known(tmp_path: Path) -> KnownProject:
    return KnownProject(Manifest(tmp_path / "images.csv"), ["kitten", "dog"], {"cat": "kitten"})


def test_new_classes_come_last_and_earlier_names_are_known(tmp_path: Path) -> None:
    assert known(tmp_path).with_classes(["ant", "cat", "dog"]).classes == ["kitten", "dog", "ant"]
    assert known(tmp_path).names == ("kitten", "dog", "cat")


def test_labels_by_any_name(tmp_path: Path) -> None:
    project = known(tmp_path).with_classes(found := ["ant", "cat", "dog"])
    assert project.labels_of(found).tolist() == [2, 0, 1, -1]


def test_classes_change(tmp_path: Path) -> None:
    after = known(tmp_path).with_classes(["dog"], {"kitten": "lion"})
    assert (after.classes, after.aliases) == (["lion", "dog"], {"cat": "lion", "kitten": "lion"})
