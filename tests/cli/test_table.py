"""Runs on tables: by their labels, and by a person's."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from PIL import Image

from tests.command_line import QUICK, Here, only_journal

WITHOUT_BUDGET = [argument for argument in QUICK if not argument.startswith("budget")]
SMALL = ("dataset=table", "dataset.image_size=16", "model=cnn")


def images(folder: Path, count: int = 72) -> list[str]:
    """Save noise, brighter in every second image; half of them are JPEG files."""
    folder.mkdir()
    generator = torch.Generator().manual_seed(0)
    names = [f"{i}.{'png' if i % 4 < 2 else 'jpg'}" for i in range(count)]
    for i, name in enumerate(names):
        noise = torch.randint(0, 128, (20, 18, 3), generator=generator) + 120 * (i % 2)
        Image.fromarray(noise.to(torch.uint8).numpy()).save(folder / name)
    return names


def write(path: Path, rows: Sequence[Sequence[object]], separator: str = ",") -> None:
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file, delimiter=separator).writerows(rows)


def test_a_table_with_labels_and_groups_answers_by_itself(here: Here, tmp_path: Path) -> None:
    names = images(tmp_path / "my")
    rows = [(n, ("dark", "bright")[i % 2], f"video {i // 6}", "") for i, n in enumerate(names)]
    table = tmp_path / "my" / "labels.csv"
    write(table, [("image", "class", "group", ""), *rows], ";")
    command = (
        *(*SMALL, f"dataset.path={table}", "dataset.columns={file: image, label: class}"),
        *(*QUICK, "budget.validation=6", "hydra.run.dir=outputs/run"),
    )
    result = here(tmp_path, *command)
    assert result.returncode == 0, result.stderr
    journal = only_journal(tmp_path)
    events = [json.loads(line) for line in journal.read_text().splitlines()]
    start = events[0]
    assert start["classes"] == ["bright", "dark"]
    assert start["data"]["train"] + start["data"]["test"] == 72
    assert start["data"]["test"] in (12, 18)
    (validation,) = (e for e in events if e.get("origin") == "validation")
    assert len(validation["ids"]) == 6
    sheets = sorted(journal.parent.glob("queries/*.csv"))
    with sheets[0].open(newline="") as file:
        (row, *_) = csv.DictReader(file)
    assert row["file"] in names

    before = journal.read_text()
    write(table, [("label", "group", "file"), *((r[1], r[2], r[0]) for r in reversed(rows))], "\t")
    again = here(tmp_path, *command[:-1], "dataset.columns=null", *command[-1:])
    assert again.returncode == 0, again.stderr
    assert journal.read_text() == before


def test_a_table_without_labels_asks_a_person(here: Here, tmp_path: Path) -> None:
    names = images(tmp_path / "my", 40)
    write(tmp_path / "my" / "photos.tsv", [("file",), *((name,) for name in names)])
    command = (
        *(*SMALL, "dataset.path=my/photos.tsv", "dataset.classes=[dark,bright]", "oracle=csv"),
        *(*WITHOUT_BUDGET, "budget.query=10", "budget.total=20"),
    )
    result = here(tmp_path, *command)
    assert result.returncode == 0, result.stderr
    assert "10 images need a label" in result.stdout
    (sheet,) = tmp_path.glob("outputs/**/queries/round_00.csv")
    assert sheet.with_suffix(".html").read_text().count("data:image/jpeg;base64,") == 10
    with sheet.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["file"] for row in rows} <= {*names}
    for row in rows:
        row["label"] = ("dark", "bright")[int(row["file"].split(".")[0]) % 2]
    with sheet.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    result = here(tmp_path, *command)
    assert "round  0       10 labels" in result.stdout
    assert sheet.with_name("round_01.csv").exists()


def test_what_is_wrong_with_a_table_is_said_before_any_work(here: Here, tmp_path: Path) -> None:
    names = images(tmp_path / "my", 4)
    table = tmp_path / "my" / "labels.csv"
    rows = [(name, ("dark", "bright")[i % 2]) for i, name in enumerate(names)]
    write(table, [("file", "label"), *rows, ("none.png", "dark")])
    result = here(tmp_path, *SMALL, f"dataset.path={table}", *QUICK)
    assert result.returncode == 1
    assert "row 6, none.png: there is no such file" in result.stderr
    assert "Traceback" not in result.stderr
    assert not [*tmp_path.glob("outputs/**/journal.jsonl")]


def test_labels_beside_unlabeled_images_are_the_first_labels(here: Here, tmp_path: Path) -> None:
    names = images(tmp_path / "my", 40)
    rows = [(n, ("dark", "bright")[i % 2] if i < 12 else "") for i, n in enumerate(names)]
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame(rows, columns=["file", "label"])
    frame.loc[frame["label"] == "", "label"] = None
    frame.to_parquet(tmp_path / "my" / "labels.parquet")
    command = (*SMALL, "dataset.path=my/labels.parquet", "oracle=csv", *WITHOUT_BUDGET)
    result = here(tmp_path, *command, "budget.query=5", "budget.total=30")
    assert "round  0       12 labels" in result.stdout
    assert "5 images need a label" in result.stdout
    (sheet,) = tmp_path.glob("outputs/**/queries/round_01.csv")
    with sheet.open(newline="") as file:
        assert all(int(row["file"].split(".")[0]) >= 12 for row in csv.DictReader(file))
