"""Labels of a run as a table or as folders; what another project makes of them."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from al_lightning.data import ImageFolder, ImageTable
from al_lightning.inference.label_export import export_labels
from al_lightning.inference.label_table import COLUMNS
from al_lightning.inference.labels_command import main as labels_command
from al_lightning.run.journal import Journal
from al_lightning.utils.errors import DataError, UsageError
from tests.data.project.living import Living, pets
from tests.helpers import start_event
from tests.inference.label_projects import DOG, write_images, write_project

NOW = "2026-11-29T23:16:05+00:00"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Its image 3, "=x.png", was corrected from cat to dog; 4 was skipped."""
    monkeypatch.setattr("al_lightning.run.journal.utc_now", lambda: NOW)
    folder = write_project(tmp_path)
    Journal(folder / "journal.jsonl").record_correction(
        torch.tensor([3]), torch.tensor([DOG]), "Ben"
    )
    return folder


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def labels_of(table: Path, **options: Any) -> dict[str, str]:
    """What a data set has read from a table: the class of each file, as a whole path."""
    data = ImageTable(
        str(table), image_size=8, channels=1, storage="memory", classes=["cat", "dog"], **options
    ).load()
    found = {}
    for images in (data.train, data.test):
        for file, label in zip(images.files or (), images.labels.tolist(), strict=True):
            found[(table.parent / file).resolve().as_posix()] = label
    return {file: data.classes[label] for file, label in found.items() if label >= 0}


def expected(tmp_path: Path) -> dict[str, str]:
    names = {
        "train/cat/a": "cat",
        "train/cat/b": "cat",
        "train/dog/a": "dog",
        "unlabeled/=x": "dog",
    }
    return {f"{tmp_path}/pets/{name}.png": label for name, label in names.items()}


def test_the_table_has_all_that_became_of_the_images(run: Path, tmp_path: Path) -> None:
    said = export_labels(run, f"{tmp_path}/pets/labels.csv")
    assert said == (
        f"5 rows written to {tmp_path}/pets/labels.csv: 4 labeled, 1 skipped, 1 corrected"
    )
    rows = rows_of(tmp_path / "pets" / "labels.csv")
    assert [*rows[0]] == [*COLUMNS]
    assert [*rows[0].values()] == [
        *("train/cat/a.png", "cat", "train", "", "0", "initial", "", "", "0", "", "")
    ]
    assert [*rows[3].values()] == [
        *("unlabeled/=x.png", "dog", "train", "", "3", "query", "Ben", NOW, "1", "cat", "")
    ]
    assert [*rows[4].values()] == [
        *("unlabeled/deep/a.png", "", "unlabeled", "", "4", "query", "Ada", NOW, "1", "", "yes")
    ]


@pytest.mark.parametrize(
    "place", ["pets/labels.csv", "pets/unlabeled/labels.csv", "a/b/labels.csv"]
)
def test_a_table_data_set_reads_the_same_labels_wherever_the_table_is(
    run: Path, tmp_path: Path, place: str
) -> None:
    table = tmp_path / place
    table.parent.mkdir(parents=True, exist_ok=True)
    export_labels(run, str(table))
    assert labels_of(table) == expected(tmp_path)


def test_parquet_has_the_same_labels_and_numbers(run: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    table = tmp_path / "labels.parquet"
    export_labels(run, str(table))
    assert labels_of(table) == expected(tmp_path)
    columns = parquet.read_table(table).to_pydict()
    assert [*columns] == [*COLUMNS]
    assert columns["id"] == [0, 1, 2, 3, 4]
    assert columns["skipped"] == [False, False, False, False, True]
    assert columns["corrected"] == [None, None, None, "cat", None]
    assert columns["label"][-1] is None


def test_the_whole_data_set_may_be_written(run: Path, tmp_path: Path) -> None:
    table = tmp_path / "pets" / "all.csv"
    said = export_labels(run, str(table), everything=True)
    assert said.endswith("4 labeled, 1 skipped, 1 corrected, 4 others")
    rows = rows_of(table)
    assert [(row["file"], row["label"], row["split"]) for row in rows[5:]] == [
        ("unlabeled/p.png", "", "unlabeled"),
        ("unlabeled/q.png", "", "unlabeled"),
        ("test/cat/t.png", "cat", "test"),
        ("test/dog/t.png", "dog", "test"),
    ]
    data = ImageTable(str(table), image_size=8, channels=1, storage="memory").load()
    assert (len(data.train), len(data.given_ids), len(data.test)) == (7, 4, 2)


def test_names_are_never_formulas_and_are_still_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = write_images(tmp_path / "pets")
    (images / "train" / "dog").rename(images / "train" / "-1")
    (images / "test" / "dog").rename(images / "test" / "-1")
    monkeypatch.setattr("tests.inference.label_projects.write_images", lambda folder: folder)
    run = write_project(tmp_path)
    table = images / "unlabeled" / "labels.csv"
    export_labels(run, str(table))
    cells = [cell for line in table.read_text().splitlines() for cell in line.split(",")]
    assert not any(cell.startswith(("=", "-", "+", "@")) for cell in cells)
    assert {"./=x.png", "'-1"} < {*cells}
    read = ImageTable(str(table), image_size=8, channels=1, storage="memory").load()
    assert (read.classes, len(read.given_ids)) == (("-1", "cat"), 4)


def test_a_table_that_exists_is_replaced_only_when_told(run: Path, tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("mine")
    with pytest.raises(UsageError, match="exists, and is left as it is"):
        export_labels(run, str(table))
    assert table.read_text() == "mine"
    export_labels(run, str(table), overwrite=True)
    assert len(rows_of(table)) == 5


@pytest.mark.parametrize("copy", [False, True])
def test_a_folder_has_one_folder_a_class(run: Path, tmp_path: Path, copy: bool) -> None:
    said = export_labels(run, f"{tmp_path}/out/", copy=copy)
    how = "copied" if copy else "linked"
    assert said == (f"4 images {how} to {tmp_path}/out, one folder a class; 1 skipped and left out")
    out = tmp_path / "out"
    files = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.png"))
    assert files == ["cat/0_a.png", "cat/1_b.png", "dog/2_a.png", "dog/3_=x.png"]
    links = [path.is_symlink() for path in out.rglob("*.png")]
    assert links == [not copy] * 4
    original = tmp_path / "pets" / "unlabeled" / "=x.png"
    assert (out / "dog" / "3_=x.png").read_bytes() == original.read_bytes()
    data = ImageFolder(str(out), image_size=8, channels=1, storage="memory", test_fraction=0.5)
    assert len(data.load().train) + len(data.load().test) == 4


def test_images_that_were_moved_are_found_where_they_are_now(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = expected(tmp_path)
    (tmp_path / "pets").rename(tmp_path / "moved")
    arguments = [str(run), "--to", str(tmp_path / "new.csv")]
    assert labels_command([*arguments]) == 1
    assert "with --data" in capsys.readouterr().err
    assert labels_command([*arguments, "--data", str(tmp_path / "moved")]) == 0
    found = labels_of(tmp_path / "new.csv")
    assert found == {file.replace("/pets/", "/moved/"): name for file, name in before.items()}


def test_nothing_foreign_is_touched_and_nothing_half_is_left(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="out is not empty, and nothing in it is touched"):
        export_labels(run, str(out))
    with pytest.raises(UsageError, match=r"mine\.txt must end in \.csv or \.parquet"):
        export_labels(run, f"{out}/mine.txt")
    assert [path.name for path in out.iterdir()] == ["mine.txt"]
    before = sorted(path.name for path in tmp_path.iterdir())
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match="cannot be written"):
        export_labels(run, f"{tmp_path}/file/out")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*before, "file"])


def test_an_empty_folder_is_filled(run: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    export_labels(run, f"{tmp_path}/out")
    assert len([*(tmp_path / "out").rglob("*.png")]) == 4


def test_a_file_that_vanishes_leaves_nothing_behind(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "is_file", lambda path: path.suffix != ".png")
    with pytest.raises(DataError, match="is not there any more"):
        export_labels(run, f"{tmp_path}/out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pets", "run"]


def digits_run(folder: Path) -> tuple[Path, torch.Tensor]:
    from al_lightning.data import Digits  # noqa: PLC0415

    data = Digits().load()
    journal = Journal(folder / "digits" / "journal.jsonl")
    config = {"dataset": {"_target_": "al_lightning.data.Digits"}}
    facts = {"train": len(data.train), "test": 0, "fingerprint": data.fingerprint()}
    journal.begin(start_event(config=config, classes=list(data.classes), data=facts))
    ids = torch.tensor([5, 1200])
    journal.record_labels(0, ids, data.train.labels[ids], "initial")
    return folder / "digits", data.train.pixels[:][1200]


def test_groups_stay_together(tmp_path: Path) -> None:
    write_images(tmp_path / "pets")
    lines = ["file,label,split,group", "train/cat/a.png,cat,,one", "train/cat/b.png,cat,,one"]
    lines += ["train/dog/a.png,dog,,two", "unlabeled/p.png,,,two", "test/dog/t.png,dog,test,three"]
    (tmp_path / "pets" / "in.csv").write_text("\n".join(lines))
    path = str(tmp_path / "pets" / "in.csv")
    options: dict[str, Any] = {"path": path, "image_size": 8, "channels": 1, "storage": "memory"}
    data = ImageTable(**options).load()
    journal = Journal(tmp_path / "run" / "journal.jsonl")
    config = {"dataset": {"_target_": "al_lightning.data.ImageTable", **options}}
    facts = {"train": 4, "test": 1, "fingerprint": data.fingerprint()}
    journal.begin(start_event(config=config, classes=["cat", "dog"], data=facts))
    journal.record_labels(0, torch.arange(3), torch.tensor([0, 0, 1]), "initial")
    export_labels(tmp_path / "run", f"{tmp_path}/pets/out.csv", everything=True)
    rows = rows_of(tmp_path / "pets" / "out.csv")
    assert data.train.groups is not None
    assert [row["group"] for row in rows[:4]] == [str(g) for g in data.train.groups.tolist()]
    again = ImageTable(**{**options, "path": f"{tmp_path}/pets/out.csv"}).load()
    assert again.fingerprint() == data.fingerprint()


def test_images_without_files_are_named_by_id_and_decoded_into_pngs(tmp_path: Path) -> None:
    run, pixels = digits_run(tmp_path)
    said = export_labels(run, f"{tmp_path}/labels.csv")
    assert said.endswith("the column file is empty, and id says which they are")
    rows = rows_of(tmp_path / "labels.csv")
    assert [(row["file"], row["id"]) for row in rows] == [("", "5"), ("", "1200")]
    export_labels(run, f"{tmp_path}/pngs")
    (picture,) = (tmp_path / "pngs").rglob("1200.png")
    assert picture.parent.name == rows[1]["label"]
    assert np.array_equal(np.asarray(Image.open(picture)), pixels[0].numpy())


def test_a_run_of_the_library_has_ids_alone(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "run" / "journal.jsonl")
    journal.begin(start_event())
    journal.record_labels(0, torch.tensor([5, 2]), torch.tensor([0, 1]), "initial")
    said = export_labels(tmp_path / "run", f"{tmp_path}/labels.csv")
    assert said.endswith("The run does not say where its images are: the column file is empty")
    assert [row["label"] for row in rows_of(tmp_path / "labels.csv")] == ["top", "middle"]
    with pytest.raises(UsageError, match="made without the command line"):
        export_labels(tmp_path / "run", f"{tmp_path}/out")


def test_a_simulated_run_has_labels_too(tmp_path: Path) -> None:
    run = write_project(tmp_path, project=False)
    export_labels(run, f"{tmp_path}/labels.csv")
    assert len(rows_of(tmp_path / "labels.csv")) == 5


def labeled_pets(folder: Path) -> Living:
    """A project whose configuration names its images, as the command line records it."""
    living = pets(folder)
    living.label({0: 0, 1: 0, 2: 1, 3: 1})
    return living


def test_images_that_have_gone_are_left_out(
    tmp_path: Path,
) -> None:
    living = labeled_pets(tmp_path)
    living.remove("train/cat/a.png", "unlabeled/w.png")
    living.start()
    living.remove("unlabeled/x.png")  # and not started since
    text = export_labels(living.run, str(tmp_path / "labels.csv"), everything=True)
    assert text.endswith("3 labeled, 2 others; 1 left out, since their files have gone")
    assert {row["id"] for row in rows_of(tmp_path / "labels.csv")} == {*"12367"}
    text = export_labels(living.run, f"{tmp_path}/by_class/")
    assert text.endswith("one folder a class; 1 left out, since their files have gone")
