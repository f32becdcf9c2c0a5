import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from al_lightning import EmbeddingCache, PoolDataModule
from al_lightning.data.embeddings import Embeddings
from al_lightning.data.pixels.duplicates import image_digests
from al_lightning.data.source import ImageData
from al_lightning.data.transforms import Normalize
from al_lightning.models import ImageClassifier
from tests.background import Background
from tests.helpers import TinySource, tiny_trainer
from tests.models.zoo import NORMALIZATION, tiny_pretrained


class Counting(ImageClassifier):
    """Counts the images it has embedded."""

    count = 0

    def embed(self, images: torch.Tensor) -> torch.Tensor:
        Counting.count += len(images)
        return super().embed(images)


def fetch(folder: Path, said: list[str] | None = None, seed: int = 0, **source: Any) -> Embeddings:
    datamodule = PoolDataModule(TinySource(**source), eval_batch_size=25)
    datamodule.serve(NORMALIZATION)
    classifier = Counting(tiny_pretrained(seed, mode="linear"), 3)
    return fetch_by(classifier, datamodule, folder, said)


def fetch_by(
    classifier: Counting, datamodule: PoolDataModule, folder: Path, said: list[str] | None = None
) -> Embeddings:
    say = (lambda _: None) if said is None else said.append
    cache = EmbeddingCache(folder, say)
    return cache.fetch(tiny_trainer(), classifier, classifier.backbone, datamodule)


@pytest.fixture(autouse=True)
def start_to_count() -> None:
    Counting.count = 0


def test_all_images_are_embedded_once_in_their_order(tmp_path: Path) -> None:
    said: list[str] = []
    found = fetch(tmp_path, said)
    data, backbone = TinySource().load(), tiny_pretrained(mode="linear").eval()
    normalize = Normalize(NORMALIZATION)
    for rows, images in ((found.train, data.train), (found.test, data.test)):
        with torch.no_grad():
            torch.testing.assert_close(rows, backbone.embed(normalize(images.pixels)))
    again = fetch(tmp_path, said)
    assert Counting.count == 90
    assert torch.equal(again.train, found.train)
    assert torch.equal(again.test, found.test)
    assert again.seconds == found.seconds > 0
    (path,) = tmp_path.glob("*.npy")
    assert said[0] == "Embedding 90 images, once for all rounds and runs"
    assert said[1].startswith("Embedded 90 images, ")
    assert said[2].startswith("Embedded in ")
    assert str(path) in said[2]
    assert len(said) == 3
    assert not [*tmp_path.glob("*.part"), *tmp_path.glob("*.sums")]


def test_other_weights_or_images_make_other_entries(tmp_path: Path) -> None:
    fetch(tmp_path)
    fetch(tmp_path, seed=1)
    fetch(tmp_path, train=59)
    assert len(list(tmp_path.glob("*.npy"))) == 3


def test_a_set_without_test_images_is_embedded(tmp_path: Path) -> None:
    assert fetch(tmp_path, test=0).test.shape == (0, 6)


@pytest.mark.parametrize("damage", ["flipped", "cut", "emptied", "untold", "unread"])
def test_a_damaged_entry_is_named_and_made_again(tmp_path: Path, damage: str) -> None:
    found = fetch(tmp_path).train.clone()
    (path,), (about,) = tmp_path.glob("*.npy"), tmp_path.glob("*.json")
    content = bytearray(path.read_bytes())
    if damage == "flipped":
        content[-1] ^= 1
        path.write_bytes(content)
    elif damage == "cut":
        path.write_bytes(content[:-7])
    elif damage == "emptied":
        path.write_bytes(b"")
    elif damage == "untold":
        about.write_text("{}")
    else:
        about.write_text("no json")
    with pytest.warns(UserWarning, match=rf"{path.name} is damaged .* embedded again"):
        assert torch.equal(fetch(tmp_path).train, found)
    assert Counting.count == 180
    fetch(tmp_path)
    assert Counting.count == 180


def test_an_entry_that_was_not_finished_is_made_again(tmp_path: Path) -> None:
    fetch(tmp_path)
    (about,) = tmp_path.glob("*.json")
    assert json.loads(about.read_text())["made_of"]["network"]["features"] == 6
    about.unlink()
    fetch(tmp_path)
    assert Counting.count == 180


class Killed(BaseException):
    """As a kill in the middle of a pass."""


@pytest.mark.parametrize("batch", [0, 2, 3])
def test_an_embedding_that_was_killed_goes_on(
    batch: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fetch(tmp_path / "whole")
    Counting.count = 0
    embed = Counting.embed

    def dying(self: Counting, images: torch.Tensor) -> torch.Tensor:
        if Counting.count == [0, 25, 50, 60, 85][batch]:
            raise Killed
        return embed(self, images)

    monkeypatch.setattr(Counting, "embed", dying)
    with pytest.raises(Killed):
        fetch(tmp_path / "killed")
    monkeypatch.setattr(Counting, "embed", embed)
    said: list[str] = []
    found = fetch(tmp_path / "killed", said)
    left = 90 - [0, 25, 50, 60, 85][batch]
    assert said[0] == f"Embedding {left} images, once for all rounds and runs"
    assert Counting.count == 90
    assert torch.equal(found.train, whole.train)
    assert torch.equal(found.test, whole.test)
    assert not [*(tmp_path / "killed").glob("*.part")]


def test_many_at_once_embed_once(tmp_path: Path) -> None:
    calls = []
    for _ in range(3):  # torch's random state is one for all threads: the weights are made before
        datamodule = PoolDataModule(TinySource())
        datamodule.serve(NORMALIZATION)
        classifier = Counting(tiny_pretrained(mode="linear"), 3)
        calls.append(partial(fetch_by, classifier, datamodule, tmp_path))
    for thread in [Background(call) for call in calls]:
        thread.end()
    assert Counting.count == 90


def test_what_is_written_to_embeddings_stays_in_memory(tmp_path: Path) -> None:
    fetch(tmp_path).train.zero_()
    assert fetch(tmp_path).train.abs().sum() > 0


class Digested(TinySource):
    """With digests, as image files have them; some images alone."""

    def __init__(self, ids: list[int]) -> None:
        super().__init__()
        self.ids = ids

    def load(self) -> ImageData:
        data = super().load()
        train, test = (
            replace(images, digests=image_digests(images.pixels[:]))
            for images in (data.train, data.test)
        )
        return replace(data, train=train.rows(torch.tensor(self.ids)), test=test)


def fetch_some(folder: Path, ids: list[int], said: list[str], seed: int = 0) -> Embeddings:
    datamodule = PoolDataModule(Digested(ids), eval_batch_size=25)
    datamodule.serve(NORMALIZATION)
    classifier = Counting(tiny_pretrained(seed, mode="linear"), 3)
    return fetch_by(classifier, datamodule, folder, said)


def test_only_the_images_are_embedded_that_came(tmp_path: Path) -> None:
    said: list[str] = []
    fetch_some(tmp_path, [*range(40)], said)
    assert Counting.count == 70
    found = fetch_some(tmp_path, [50, *range(39, 4, -1), 55], said)  # 2 came, 5 have gone
    assert said[3] == "Embedding 2 images, once for all rounds and runs"
    assert Counting.count == 72
    whole = fetch_some(tmp_path / "whole", [50, *range(39, 4, -1), 55], said)
    torch.testing.assert_close(found.train, whole.train)
    assert torch.equal(found.test, whole.test)


def test_nothing_is_embedded_where_images_have_only_gone_or_moved(tmp_path: Path) -> None:
    said: list[str] = []
    fetch_some(tmp_path, [*range(40)], said)
    fetch_some(tmp_path, [*range(30, 10, -1)], said)
    assert Counting.count == 70


def test_no_embeddings_of_another_network_are_taken_over(tmp_path: Path) -> None:
    said: list[str] = []
    fetch_some(tmp_path, [*range(40)], said)
    fetch_some(tmp_path, [*range(41)], said, seed=1)
    assert Counting.count == 70 + 71


def test_an_earlier_entry_that_is_damaged_is_not_taken_over(tmp_path: Path) -> None:
    said: list[str] = []
    fetch_some(tmp_path, [*range(40)], said)
    (path,) = tmp_path.glob("*.npy")
    path.write_bytes(path.read_bytes()[:-4] + b"oops")
    with pytest.warns(UserWarning, match="is damaged"):
        fetch_some(tmp_path, [*range(41)], said)
    assert Counting.count == 70 + 71
