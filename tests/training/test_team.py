"""Two processes on the CPU, started once for all of these tests: that takes seconds."""

import os
import signal
import sys
from collections.abc import Iterator
from functools import partial
from multiprocessing import active_children
from pathlib import Path

import lightning as L
import pytest
import torch
from torch import Tensor
from torch.optim import SGD

from al_lightning.callbacks.training_curves import TrainingCurves
from al_lightning.data.datamodule import PoolDataModule
from al_lightning.data.embeddings import Embeddings
from al_lightning.data.source import Images
from al_lightning.models import ImageClassifier
from al_lightning.run.pool import Pool
from al_lightning.strategies import Margin
from al_lightning.strategies.evidence import Evidence, Need
from al_lightning.training.embedding import embed_images
from al_lightning.training.fitting import fit_once
from al_lightning.training.recipe import Recipe
from al_lightning.training.scoring import Scorer
from al_lightning.training.team import Team, TeamTrainer
from al_lightning.training.trainers import RoundTrainers
from al_lightning.utils.errors import DivergenceError, UsageError
from tests.helpers import Linear, TinySource, tiny_classifier, tiny_trainer

# 23 labels in batches of 7 or 8 are shared 4 and 3: then every image must count the same.
RECIPE = Recipe(epochs=2, batch_size=8, eval_batch_size=4, precision="32-true")
LABELED = torch.arange(23)
BOTH = frozenset({Need.PROBABILITIES, Need.EMBEDDINGS})
SOURCE = TinySource(normalization=None)


def quick_trainer(**options: object) -> L.Trainer:
    return tiny_trainer(log_every_n_steps=1, limit_val_batches=0, **options)


@pytest.fixture(scope="module")
def two() -> Iterator[RoundTrainers]:
    trainers = RoundTrainers(partial(quick_trainer, devices=2), RECIPE, _curves)
    yield trainers
    trainers.close()
    assert active_children() == []


POINTS: list[tuple[str, float, int]] = []


def _curves(index: int) -> TrainingCurves:
    return TrainingCurves(lambda *point: POINTS.append(point))


def in_round() -> PoolDataModule:
    datamodule = RECIPE.datamodule(SOURCE)
    pool = Pool(60).reveal(LABELED, datamodule.data.train.labels[LABELED])
    datamodule.begin_round(pool, order_seed=3)
    return datamodule


def linear() -> ImageClassifier:
    """Without dropout and batch norm, whose draws and statistics are those of a device."""
    torch.manual_seed(1)
    return ImageClassifier(Linear(), 3, make_optimizer=partial(SGD, lr=0.1, momentum=0.9))


def test_devices_train_together_what_one_would_train(two: RoundTrainers) -> None:
    alone, together = linear(), linear()
    facts = fit_once(RoundTrainers(quick_trainer, RECIPE)(0, 23), alone, in_round(), 0, seed=0)
    POINTS.clear()
    facts_of_two = fit_once(two(0, 23), together, in_round(), 0, seed=0)
    assert facts_of_two["steps"] == facts["steps"] == 6
    torch.testing.assert_close(dict(together.state_dict()), dict(alone.state_dict()))
    assert not torch.equal(
        together.state_dict()["backbone.output.bias"],
        linear().backbone.get_parameter("output.bias"),
    )
    assert [(name, step) for name, _, step in POINTS] == [("train/loss", i) for i in range(6)]


@pytest.mark.skipif(sys.platform != "linux", reason="sockets are looked up in /proc")
def test_devices_listen_on_the_loopback_interface_alone(two: RoundTrainers) -> None:
    fit_once(two(0, 23), linear(), in_round(), 0, seed=0)
    addresses = [a for child in active_children() for a in _listening(child.pid or 0)]
    assert addresses
    assert set(addresses) <= {"0100007F", "00000000000000000000000001000000"}  # 127.0.0.1 and ::1


def _listening(process: int) -> list[str]:
    """Return the addresses, as the kernel writes them, at which a process waits for others."""
    links = [path.readlink().name for path in Path(f"/proc/{process}/fd").iterdir()]
    tables = [Path(f"/proc/{process}/net/{name}").read_text().splitlines() for name in _TABLES]
    rows = [row.split() for table in tables for row in table[1:]]
    return [
        row[1].split(":")[0] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in links
    ]


_TABLES = ("tcp", "tcp6")


def evidence(trainers: RoundTrainers, classifier: L.LightningModule, count: int) -> Evidence:
    datamodule = in_round()
    ids = datamodule.pool.unlabeled_ids.flip(0)[:count]
    scorer = Scorer(trainers(0, 23), classifier, datamodule)
    return scorer.evidence(datamodule.data.train, ids, BOTH)


@pytest.mark.parametrize("count", [37, 4])  # 10 batches, the last of one image; one batch for two
def test_devices_see_together_what_one_would_see(two: RoundTrainers, count: int) -> None:
    classifier = tiny_classifier()
    alone = evidence(RoundTrainers(quick_trainer, RECIPE), classifier, count)
    together = evidence(two, classifier, count)
    assert torch.equal(together.ids, alone.ids)
    for need in BOTH:
        assert torch.equal(together.require(need), alone.require(need))
        assert not together.require(need).requires_grad
    picks = [
        Margin().select(found, None, 3, torch.Generator().manual_seed(0)).ids.tolist()
        for found in (alone, together)
    ]
    assert picks[0] == picks[1]


def test_test_images_are_looked_at_too(two: RoundTrainers) -> None:
    datamodule, classifier = in_round(), tiny_classifier()
    test, ids = datamodule.data.test, torch.arange(30)
    found = [
        Scorer(make(0, 23), classifier, datamodule).evidence(test, ids, BOTH)
        for make in (RoundTrainers(quick_trainer, RECIPE), two)
    ]
    assert torch.equal(found[0].require(Need.EMBEDDINGS), found[1].require(Need.EMBEDDINGS))


def test_embeddings_travel_by_a_file(two: RoundTrainers) -> None:
    datamodule = in_round()
    train, test = (images.pixels[:].flatten(1) / 255 for images in _sets(datamodule))
    datamodule.serve(None, Embeddings(train, test, seconds=0.0))
    alone, together = linear(), linear()
    fit_once(RoundTrainers(quick_trainer, RECIPE)(0, 23), alone, datamodule, 0, seed=0)
    fit_once(two(0, 23), together, datamodule, 0, seed=0)
    torch.testing.assert_close(dict(together.state_dict()), dict(alone.state_dict()))
    scorer = Scorer(two(0, 23), together, datamodule)
    found = scorer.evidence(datamodule.data.test, torch.arange(30), BOTH)
    assert torch.equal(found.require(Need.EMBEDDINGS), test)


def _sets(datamodule: PoolDataModule) -> tuple[Images, Images]:
    return datamodule.data.train, datamodule.data.test


def test_what_loaders_serve_is_looked_at_here_in_its_order(two: RoundTrainers) -> None:
    datamodule, seen = in_round(), list[Tensor]()
    loaders = [datamodule.images_dataloader(i, torch.arange(9)) for i in _sets(datamodule)]
    embed_images(two(0, 23), linear(), datamodule.prepare, loaders, seen.append)
    expected = [datamodule.prepare(i.pixels[:9]).flatten(1) for i in _sets(datamodule)]
    torch.testing.assert_close(torch.cat(seen), torch.cat(expected))


class Lost(ImageClassifier):
    """Loses its way at the second step, on one device alone."""

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        loss = super().training_step(batch, batch_idx)
        lost = self.trainer.global_step == 1 and self.trainer.global_rank == 1
        return loss * (torch.nan if lost else 1)


def test_what_is_raised_there_arrives_as_it_is_and_the_next_fit_goes_on(
    two: RoundTrainers,
) -> None:
    lost = Lost(Linear(), 3)
    with pytest.raises(DivergenceError, match=r"round 4 has diverged: .* at step 2"):
        fit_once(two(4, 23), lost, in_round(), 4, seed=0)
    assert len(active_children()) == 2  # nobody is stuck
    assert len(evidence(two, tiny_classifier(), 4)) == 4


def test_a_process_that_dies_is_named(two: RoundTrainers) -> None:
    trainer, datamodule = two(0, 23), in_round()
    assert isinstance(trainer, TeamTrainer)
    trainer.start(datamodule)
    for process in active_children():
        if process.name == "device 1" and process.pid is not None:
            os.kill(process.pid, signal.SIGKILL)
    with pytest.raises(
        RuntimeError, match=r"Process 1 of the 2 of trainer\.devices has died .* -9"
    ):
        trainer.fit(linear(), datamodule=datamodule)
    assert active_children() == []


def test_what_cannot_travel_is_refused() -> None:
    with pytest.raises(UsageError, match=r"one of them cannot: .*lambda.*trainer\.devices=1"):
        Team(lambda **options: tiny_trainer(), 2).start(in_round())


def test_batches_that_are_too_small_to_share_are_refused() -> None:
    datamodule = in_round()
    datamodule.trainer = tiny_trainer(devices=4)
    with pytest.raises(UsageError, match=r"leave 1 image\(s\) of a batch to each of 4 devices"):
        datamodule.train_dataloader()
