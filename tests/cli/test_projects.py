"""The projects of persons who label: their names, and how they go on by other commands."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import DictConfig, OmegaConf
from PIL import Image

from al_lightning.cli.projects import others_with, project_of
from al_lightning.inference import classes_command
from al_lightning.run.journal import Journal
from tests.command_line import QUICK, Here, comparable, only_journal

QUICKLY = [argument for argument in QUICK if not argument.startswith("budget")]


def config(project: str | None, path: str | None = None) -> DictConfig:
    dataset = {} if path is None else {"path": path}
    return OmegaConf.create(
        {"project": project, "names": {"dataset": "digits"}, "dataset": dataset}
    )


@pytest.mark.parametrize(
    ("project", "path", "name"),
    [
        (None, "pets", None),
        ("birds", "pets", "birds"),
        ("auto", None, "digits"),
        ("auto", "some/pets", "pets"),
        ("auto", "some/my pets!/", "my-pets"),
        ("auto", "some/größe", "größe"),
        ("auto", "some/...", "images"),
        ("auto", "???", "digits"),
    ],
)
def test_a_project_is_named_after_its_images(
    project: str | None, path: str | None, name: str | None
) -> None:
    assert project_of(config(project, path), is_sweep=False) == name


def test_a_table_is_named_after_its_folder(tmp_path: Path) -> None:
    (tmp_path / "pets").mkdir()
    (tmp_path / "pets" / "labels.csv").write_text("file\n")
    cfg = config("auto", str(tmp_path / "pets" / "labels.csv"))
    assert project_of(cfg, is_sweep=False) == "pets"


def test_the_jobs_of_a_sweep_are_projects_only_if_they_are_named() -> None:
    assert project_of(config("auto", "pets"), is_sweep=True) is None
    assert project_of(config("birds", "pets"), is_sweep=True) == "birds"


def test_projects_of_the_same_images_are_found(tmp_path: Path) -> None:
    images = tmp_path / "pets"
    for name, path in (("a", images), ("b", images), ("c", tmp_path / "others")):
        (tmp_path / "projects" / name).mkdir(parents=True)
        start = {"event": "start", "config": {"dataset": {"path": str(path)}}}
        (tmp_path / "projects" / name / "journal.jsonl").write_text(json.dumps(start) + "\n")
    (tmp_path / "projects" / "d").mkdir()
    (tmp_path / "projects" / "d" / "journal.jsonl").write_text("{}")
    assert others_with(str(images), tmp_path / "projects" / "b") == ["a"]
    assert others_with(f"{images}/../pets", tmp_path / "projects" / "new") == ["a", "b"]
    assert others_with(None, tmp_path / "projects" / "new") == []


def test_projects_are_found_from_another_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "there" / "projects" / "a"
    (project / ".hydra").mkdir(parents=True)
    start = {"event": "start", "config": {"dataset": {"path": "pets"}}}
    (project / "journal.jsonl").write_text(json.dumps(start) + "\n")
    images, new = tmp_path / "there" / "pets", project.parent / "new"
    monkeypatch.chdir(tmp_path)
    record = project / ".hydra" / "hydra.yaml"
    for damaged in ("", "[", "hydra: 3"):
        record.write_text(damaged)
        assert others_with(str(images), new) == []
    record.write_text(f"hydra:\n  runtime:\n    cwd: {tmp_path / 'there'}\n")
    assert others_with(str(images), new) == ["a"]
    assert others_with("there/pets", new) == ["a"]


def write_images(folder: Path, numbers: range, part: str = "unlabeled") -> None:
    """Save noise; images of odd numbers are bright."""
    (folder / part).mkdir(parents=True, exist_ok=True)
    for number in numbers:
        generator = torch.Generator().manual_seed(number)
        noise = torch.randint(0, 100, (20, 20), generator=generator) + 150 * (number % 2)
        Image.fromarray(noise.to(torch.uint8).numpy()).save(folder / part / f"{number}.png")


def fill_in(project: Path, *names: str) -> None:
    """Fill in all empty sheets, by the numbers of the files."""
    for sheet in project.glob("queries/round_*.csv"):
        with sheet.open(newline="") as file:
            rows: list[dict[str, Any]] = list(csv.DictReader(file))
        if any(row.get("label", "x") for row in rows):
            continue
        for row in rows:
            row["label"] = names[int(Path(row["file"]).stem) % len(names)]
        with sheet.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)


def test_a_person_gets_a_project_that_lives(here: Here, tmp_path: Path) -> None:
    write_images(tmp_path / "my photos", range(40))
    command = (
        *("oracle=csv", "dataset=image_folder", "dataset.path=my photos", "model=cnn", *QUICKLY),
        *("dataset.image_size=16", "dataset.classes=[dark,bright]", "budget.query=6"),
    )
    project = tmp_path / "outputs" / "projects" / "my-photos"
    assert "6 images need a label" in here(tmp_path, *command).stdout
    fill_in(project, "dark", "bright")
    assert "round  0        6 labels" in here(tmp_path, *command).stdout

    # Images come, one is broken, and the size is another.
    write_images(tmp_path / "my photos", range(40, 50))
    (tmp_path / "my photos" / "unlabeled" / "bad.png").write_bytes(b"no picture")
    content = (project / "journal.jsonl").read_bytes()
    refused = here(tmp_path, *command)
    assert refused.returncode == 1
    assert "bad.png" in refused.stderr
    assert (project / "journal.jsonl").read_bytes() == content
    result = here(tmp_path, *command, "dataset.on_error=skip", "dataset.image_size=20")
    assert "dataset.on_error: refuse -> skip, from here on" in result.stdout
    assert "dataset.image_size: 16 -> 20, from here on" in result.stdout
    assert "Images since the last start: 10 new" in result.stdout
    assert result.returncode == 0, result.stderr

    # A new class in the sheet, once that is wanted; the images are elsewhere.
    fill_in(project, "dark", "bright", "odd")
    (tmp_path / "my photos").rename(tmp_path / "moved")
    command = (*command, "dataset.on_error=skip", "dataset.image_size=20", "project=my-photos")
    command = (*command, "dataset.path=moved")
    refused = here(tmp_path, *command)
    assert refused.returncode == 1
    assert "odd" in refused.stderr
    result = here(tmp_path, *command, "classes=open")
    assert result.returncode == 0, result.stderr
    assert "Classes: new odd" in result.stdout
    journal = Journal(project / "journal.jsonl")
    assert journal.classes == ("dark", "bright", "odd")
    assert journal.config["dataset"]["path"] == "moved"
    assert journal.rounds[-1]["because"] == ["settings", "classes"]

    # Another project on these images is told of this one; starting anew keeps what was done.
    other = here(tmp_path, *command[:-2], "dataset.path=moved", "project=second")
    assert "is labeled in my-photos too. This project is a new one" in other.stdout
    assert (tmp_path / "outputs" / "projects" / "second" / "images.csv").exists()
    result = here(tmp_path, *command, "overwrite=true")
    assert result.returncode == 0, result.stderr
    kept = project / "overwritten_00"
    assert (kept / "images.csv").exists()
    assert Journal(kept / "journal.jsonl").classes == ("dark", "bright", "odd")
    assert Journal(project / "journal.jsonl").rounds == []


def test_classes_are_added_to_a_project_of_other_data(here: Here, tmp_path: Path) -> None:
    command = ("project=numbers", *QUICK)
    assert here(tmp_path, *command).returncode == 0
    folder = tmp_path / "outputs" / "projects" / "numbers"
    assert classes_command.main([str(folder), "--add", "ten", "--rename", "0=zero"]) == 0
    result = here(tmp_path, *command)
    assert result.returncode == 0, result.stderr
    journal = Journal(folder / "journal.jsonl")
    assert journal.classes == ("zero", *"123456789", "ten")
    assert journal.rounds[-1]["because"] == ["classes"]
    assert journal.finished


def test_the_passive_baseline_of_a_project_takes_all_that_is_left_at_once(
    here: Here, tmp_path: Path
) -> None:
    for strategy in ("margin", "passive"):
        result = here(tmp_path, *QUICK, "project=p", f"strategy={strategy}")
        assert result.returncode == 0, result.stderr
    rounds = [
        e["labels_bought"] for e in comparable(only_journal(tmp_path)) if e["event"] == "round"
    ]
    assert rounds == [20, 30, 40, 1297]
