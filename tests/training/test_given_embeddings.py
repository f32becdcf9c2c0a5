from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from al_lightning import EmbeddingCache, PoolDataModule, UsageError
from al_lightning.models import ImageClassifier
from al_lightning.training.given_embeddings import read_embeddings
from al_lightning.utils.errors import DataError
from tests.helpers import TinySource, tiny_trainer
from tests.models.zoo import NORMALIZATION, tiny_pretrained

DATA = TinySource(train=5, test=2).load()
NAMES = ["test/1", "train/4", "train/0", "other", "train/1", "train/2", "train/3", "test/0"]
ROWS = np.arange(24, dtype=np.float16).reshape(8, 3)


def write(folder: Path, rows: np.ndarray = ROWS, names: list[str] = NAMES) -> Path:
    np.save(folder / "made.npy", rows)
    (folder / "made.txt").write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    return folder / "made.npy"


def test_each_image_has_its_row_in_any_order(tmp_path: Path) -> None:
    found = read_embeddings(write(tmp_path), DATA, 3)
    assert found.train.dtype == torch.float32
    assert found.train[:, 0].tolist() == [6, 12, 15, 18, 3]
    assert found.test[:, 0].tolist() == [21, 0]


def test_images_of_files_go_by_their_files(tmp_path: Path) -> None:
    files = tuple(f"a/{i}.png" for i in range(5))
    data = replace(
        DATA,
        train=replace(DATA.train, files=files),
        test=DATA.test.rows(torch.tensor([], dtype=torch.int64)),
    )
    path = write(tmp_path, ROWS[:5], [*reversed(files)])
    assert read_embeddings(path, data, 3).train[:, 0].tolist() == [12, 9, 6, 3, 0]


@pytest.mark.parametrize(
    ("rows", "names", "message"),
    [
        (ROWS[:, :2], NAMES, r"must be \(M, 3\) float, .* not \(8, 2\)"),
        (ROWS.astype(np.int64), NAMES, "float, .* int64"),
        (ROWS[:7], NAMES, "has 7 rows, but .* names 8 images"),
        (ROWS, [*NAMES[:7], "train/2"], "more than once: train/2"),
        (ROWS, [*NAMES[:7], "x"], "no row for 1 of 2 test images: test/0"),
        (np.where(ROWS == 4, np.nan, ROWS), NAMES, "NaN or infinite, of train/4"),
    ],
)
def test_what_is_not_of_these_images_is_refused(
    rows: np.ndarray, names: list[str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=message):
        read_embeddings(write(tmp_path, rows, names), DATA, 3)


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"model\.embeddings=.*none\.npy cannot be read"):
        read_embeddings(tmp_path / "none.npy", DATA, 3)
    path = write(tmp_path)
    path.with_suffix(".txt").unlink()
    with pytest.raises(DataError, match=r"made\.txt cannot be read: .* a line for each row"):
        read_embeddings(path, DATA, 3)


def test_a_frozen_network_takes_them_instead_of_embedding(tmp_path: Path) -> None:
    datamodule = PoolDataModule(TinySource(train=5, test=2))
    datamodule.serve(NORMALIZATION)
    path = write(tmp_path, np.tile(ROWS, 2))
    backbone = tiny_pretrained(mode="linear", embeddings=str(path))
    classifier = ImageClassifier(backbone, 3)
    cache = EmbeddingCache(tmp_path / "cache")
    found = cache.fetch(tiny_trainer(), classifier, backbone, datamodule)
    assert found.train[:, 0].tolist() == [6, 12, 15, 18, 3]
    assert not (tmp_path / "cache").exists()
    before = backbone.pretrained_digest()
    write(tmp_path, np.tile(ROWS, 2) + 1)
    other = backbone.pretrained_digest()
    assert other != before  # another file is another run
    names = path.with_suffix(".txt")
    names.write_text("\n".join(reversed(names.read_text().splitlines())))
    assert backbone.pretrained_digest() not in (before, other)  # and so are other names of its rows


def test_images_that_have_gone_need_no_row(tmp_path: Path) -> None:
    update: Any = SimpleNamespace(absent=frozenset([1, 4]))
    names = [name for name in NAMES if name not in ("train/1", "train/4")]
    found = read_embeddings(write(tmp_path, ROWS[:6], names), replace(DATA, update=update), 3)
    assert found.train[[1, 4]].count_nonzero() == 0
    place = {name: row for row, name in enumerate(names)}
    for image in (0, 2, 3):
        assert torch.equal(
            found.train[image], torch.from_numpy(ROWS[place[f"train/{image}"]]).float()
        )


def test_a_network_that_trains_takes_none() -> None:
    with pytest.raises(
        UsageError, match=r"model\.embeddings=a\.npy is possible with model\.mode=linear"
    ):
        tiny_pretrained(mode="finetune", embeddings="a.npy")
