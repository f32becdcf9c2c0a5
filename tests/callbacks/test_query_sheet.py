import csv
from pathlib import Path

import torch

from al_lightning import ImageData, Images, Journal, QueryResult
from al_lightning.callbacks.query_sheet import QuerySheets


def data(files: tuple[str, ...] | None) -> ImageData:
    pixels = torch.zeros(3, 1, 4, 4, dtype=torch.uint8)
    images = Images(pixels, torch.tensor([0, 1, 0]), files)
    return ImageData(images, images, ("cat", "dog"))


def write(folder: Path, files: tuple[str, ...] | None) -> list[dict[str, str]]:
    sheets = QuerySheets(folder / "queries")
    sheets.on_run_start(Journal(folder / "journal.jsonl"), data(files))
    query = QueryResult(
        round=3,
        name="round_03",
        ids=torch.tensor([2, 0]),
        scores=torch.tensor([0.1, -2.0]),
        predicted=torch.tensor([1, 1]),
        labels=torch.tensor([0, 1]),
    )
    sheets.on_query(query)
    with (folder / "queries" / "labeled_round_03.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_sheet_holds_ids_scores_and_labels(tmp_path: Path) -> None:
    first, second = write(tmp_path, None)
    assert first == {"id": "2", "score": "0.100000001", "label": "0", "class": "cat"}
    assert second == {"id": "0", "score": "-2", "label": "1", "class": "dog"}


def test_a_sheet_names_files_where_there_are_files(tmp_path: Path) -> None:
    first, second = write(tmp_path, ("a.png", "b.png", "sub/c d, é.png"))
    assert (first["file"], second["file"]) == ("sub/c d, é.png", "a.png")


def test_no_name_is_run_as_a_formula(tmp_path: Path) -> None:
    first, second = write(tmp_path, ("@a.png", "b.png", "\x1b[2J.png"))
    assert (first["file"], second["file"]) == ("\\x1b[2J.png", "'@a.png")
    assert second["score"] == "-2"  # a number
