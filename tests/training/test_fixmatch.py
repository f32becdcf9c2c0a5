from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim import SGD

from al_lightning import FixMatch, PoolDataModule, RoundTrainers, UsageError
from al_lightning.data import RandomShift
from al_lightning.data.batches import FitPosition, ShuffledBatches
from al_lightning.data.transforms import DrawsPerImage
from al_lightning.run.pool import Pool
from al_lightning.run.record import RunRecord
from al_lightning.training import fixmatch as module
from al_lightning.training.fitting import fit_watched
from al_lightning.training.identity import FitIdentity
from al_lightning.training.mid_fit import MidFit
from al_lightning.training.recipe import one_cycle
from al_lightning.utils.randomness import derive_seed
from tests.helpers import TinySource, same_weights, tiny_cnn, tiny_trainer
from tests.training.test_mid_fit import Stopped, StopsAfter

SEED = 5


class Darker(DrawsPerImage):
    """A strong augmentation without chance."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return (images.float() / 255 if images.dtype == torch.uint8 else images) * 0.6


PLAIN: dict[str, Any] = {
    "optimizer": partial(SGD, lr=0.05, momentum=0.9),
    "epochs": 3,
    "batch_size": 8,
    "precision": "32-true",
    "ratio": 2,
    "threshold": 0.4,
    "decay": 0.9,
    "strong": Darker(),
}


def served(recipe: FixMatch, labels: int = 23) -> PoolDataModule:
    datamodule = recipe.datamodule(TinySource())
    ids = torch.arange(labels)
    pool = Pool(60).reveal(ids, datamodule.data.train.labels[ids])
    datamodule.begin_round(pool, order_seed=3)
    return datamodule


def fit(
    recipe: FixMatch, mid_fit: MidFit | None = None, *callbacks: Any, labels: int = 23, **cnn: Any
) -> tuple[Any, dict[str, Any]]:
    datamodule = served(recipe, labels)
    torch.manual_seed(0)
    classifier = recipe.classifier(tiny_cnn(**cnn), 3)
    make = RoundTrainers(tiny_trainer, recipe, make_callbacks=lambda: list(callbacks))
    return classifier, fit_watched(make(0, labels), classifier, datamodule, 0, SEED, mid_fit)


@pytest.fixture(scope="module")
def drawn() -> FixMatch:
    """All that is drawn by chance, and that changes from step to step."""
    kept = {k: v for k, v in PLAIN.items() if k != "strong"} | {"epochs": 2}
    return FixMatch(**kept, scheduler=one_cycle, augmentation=RandomShift(0.2), adaptive=True)


@pytest.fixture(scope="module")
def whole(drawn: FixMatch) -> nn.Module:
    classifier: nn.Module = fit(drawn)[0]
    return classifier


def by_hand(recipe: FixMatch, adaptive: bool) -> nn.Module:
    """The algorithm of the paper as a plain loop."""
    datamodule = served(recipe)
    pixels, pool = datamodule.data.train.pixels, datamodule.pool
    torch.manual_seed(0)
    network = tiny_cnn(block_dropout=0.0, dense_dropout=0.0).to(memory_format=torch.channels_last)
    network.train()
    averages = [p.detach().clone() for p in network.parameters()]
    optimizer = SGD(network.parameters(), lr=0.05, momentum=0.9)
    of_labeled = ShuffledBatches(23, 8, 3)
    of_unlabeled = ShuffledBatches(37, 16, derive_seed(3, "unlabeled"))
    unlabeled = [b for _ in range(9) for b in of_unlabeled]
    confidence, shares = torch.tensor(1 / 3), torch.full((3,), 1 / 3)
    for step, batch in enumerate(b for _ in range(3) for b in of_labeled):
        images = datamodule.prepare(pixels[pool.labeled_ids[batch]])
        raw = pixels[pool.unlabeled_ids[unlabeled[step]]]
        with torch.no_grad():
            p = network(datamodule.prepare(raw)).softmax(1)
        confidence = 0.999 * confidence + 0.001 * p.amax(1).mean()
        shares = 0.999 * shares + 0.001 * p.mean(0)
        highest, classes = p.max(1)
        least = confidence * shares / shares.max() if adaptive else torch.full((3,), 0.4)
        kept = highest >= least[classes]
        logits = network(torch.cat([images, datamodule.prepare(Darker()(raw))]))
        loss = F.cross_entropy(logits[: len(batch)], pool.labels[batch])
        each = F.cross_entropy(logits[len(batch) :], classes, reduction="none")
        loss = loss + 0.5 * (each * kept).sum() / len(raw)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        decay = min(0.9, (1 + step) / (10 + step))
        for average, p in zip(averages, network.parameters(), strict=True):
            average.copy_(decay * average + (1 - decay) * p.detach())
    for p, average in zip(network.parameters(), averages, strict=True):
        p.data.copy_(average)
    return network


@pytest.mark.parametrize("adaptive", [False, True])
def test_a_fit_is_that_of_a_plain_loop(adaptive: bool) -> None:
    recipe = FixMatch(**PLAIN, adaptive=adaptive, unlabeled_weight=0.5)
    classifier, facts = fit(recipe, block_dropout=0.0, dense_dropout=0.0)
    expected = by_hand(recipe, adaptive)
    assert facts["steps"] == 9
    for name, value in classifier.backbone.state_dict().items():
        assert torch.allclose(value, expected.state_dict()[name], atol=1e-5), name


@pytest.mark.parametrize("stop", [2, 3])  # 3 is the end of an epoch, of both kinds of images
def test_a_fit_that_was_stopped_goes_on_to_the_same_bits(
    tmp_path: Path, stop: int, drawn: FixMatch, whole: nn.Module
) -> None:
    saved = MidFit(tmp_path / "fit.ckpt", "a", 0.0)
    with pytest.raises(Stopped):
        fit(drawn, saved, StopsAfter(stop + 1))
    resumed, facts = fit(drawn, saved)
    assert facts["steps"] == 6
    assert same_weights(resumed, whole)


def test_images_are_augmented_in_float32_in_every_precision() -> None:
    kept = {k: v for k, v in PLAIN.items() if k != "strong"}
    classifier, _ = fit(FixMatch(**kept | {"precision": "bf16-mixed", "epochs": 1}))
    assert all(p.isfinite().all() for p in classifier.parameters())


def test_unlabeled_images_change_the_fit() -> None:
    short = PLAIN | {"epochs": 1}
    one, other = (fit(FixMatch(**short, unlabeled_weight=w))[0] for w in (0.0, 1.0))
    assert not same_weights(one, other)


def test_nothing_of_the_averages_is_left_in_the_weights_file(whole: nn.Module) -> None:
    assert {name.split(".")[0] for name in whole.state_dict()} == {"backbone"}
    assert not hasattr(whole, "_state")


def test_where_everything_is_labeled_the_average_is_left() -> None:
    classifier, facts = fit(FixMatch(**PLAIN | {"epochs": 1}), labels=60)
    assert facts["steps"] == 8
    assert all(p.isfinite().all() for p in classifier.parameters())


def test_unlabeled_batches_go_on_where_they_were() -> None:
    datamodule = served(FixMatch(**PLAIN))
    whole = [images for images, _ in datamodule.unlabeled_dataloader(16, FitPosition())]
    rest = [images for images, _ in datamodule.unlabeled_dataloader(16, FitPosition(0, 1))]
    assert len(whole) == 3
    assert all(torch.equal(a, b) for a, b in zip(whole[1:], rest, strict=True))
    assert sum(map(len, whole)) == 37


def test_the_identity_of_a_fit_covers_the_unlabeled_images() -> None:
    ids = torch.arange(4)
    pool = Pool(10).reveal(ids, torch.zeros(4, dtype=torch.int64))
    other = Pool(11).reveal(ids, torch.zeros(4, dtype=torch.int64))
    contents = torch.zeros(11, 2, dtype=torch.uint8)
    changed = contents.clone()
    changed[9] = 1  # an unlabeled image

    def digests(unlabeled: bool) -> list[str]:
        return [
            FitIdentity({"project": "a"}, RunRecord(), 0, content, unlabeled).of(0, p)
            for p, content in ((pool, contents), (other, contents), (pool, changed))
        ]

    assert len(set(digests(unlabeled=False))) == 1
    assert len(set(digests(unlabeled=True))) == 3


def test_several_devices_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "world_size", lambda: 2)
    with pytest.raises(UsageError, match=r"one device: set trainer\.devices=1"):
        fit(FixMatch(**PLAIN))


def test_embeddings_are_refused() -> None:
    recipe = FixMatch(**PLAIN)
    given = tiny_cnn()
    given.given_embeddings = Path("rows.npy")
    with pytest.raises(UsageError, match=r"set model\.embeddings=null"):
        recipe.classifier(given, 3)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ratio", 0),
        ("threshold", 1.0),
        ("unlabeled_weight", -1.0),
        ("decay", 1.0),
        ("adaptive_decay", 1.0),
    ],
)
def test_values_out_of_range_are_refused(key: str, value: Any) -> None:
    with pytest.raises(UsageError, match=rf"recipe\.{key} must be "):
        FixMatch(**{key: value})


def test_a_strong_augmentation_is_needed() -> None:
    with pytest.raises(UsageError, match=r"recipe\.strong must be a Module, not None"):
        FixMatch(strong=None)  # type: ignore[arg-type]
