from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from torch import Tensor, nn

from al_lightning import RunRecord, UsageError
from al_lightning.training.learner_arguments import (
    require_classifier,
    require_datamodule,
    require_factory,
    require_fall_back,
    require_record,
)
from tests.helpers import TinySource, tiny_classifier


class Trained(L.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2)

    def embed(self, images: Tensor) -> Tensor:
        return images

    def classify(self, embeddings: Tensor) -> Tensor:
        return embeddings

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        return torch.zeros(())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


class NeverStepped(Trained):
    training_step = L.LightningModule.training_step  # type: ignore[assignment]


def of_two(first: int, second: int) -> None:
    """Take two arguments."""


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (lambda: require_datamodule(TinySource()), "must be a PoolDataModule, not TinySource"),
        (lambda: factory(Trained()), "not a Trained that was made already"),
        (lambda: factory("Trained"), "not str"),
        (lambda: factory(None), "not None"),
        (lambda: factory(of_two), "of_two cannot be called so: missing a required argument"),
        (lambda: require_classifier(None), r"not None \(is there a `return`\?\)"),
        (lambda: require_classifier(Trained), "not the class Trained"),
        (lambda: require_classifier(nn.Linear(2, 2)), r"not Linear\. ImageClassifier\(backbone"),
        (lambda: require_classifier(NeverStepped()), "no `training_step` of its own"),
        (lambda: require_classifier(Trained().requires_grad_(False)), "none of its parameters"),
        (lambda: require_fall_back(3), "it is a int"),
        (lambda: require_fall_back(of_two), "missing a required argument"),
        (lambda: require_record({}), "record must be a RunRecord, not dict"),
        (
            lambda: require_record(RunRecord(irrelevant="code")),
            r"record\.irrelevant must be a list",
        ),
        (
            lambda: require_record(RunRecord({"a": Path("b")})),
            r"record\.config\.a must hold plain values",
        ),
    ],
)
def test_what_cannot_be_used_is_named(check: Callable[[], object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        check()


def factory(made_by: object) -> None:
    require_factory("make_classifier", made_by, (), L.LightningModule)


def test_what_can_be_used_is_taken() -> None:
    factory(Trained)
    factory(partial(Trained))
    factory(dict)  # compiled code does not say what it takes
    require_factory("make_trainer", of_two, ("round_index", "labels"), L.Trainer)
    assert isinstance(require_classifier(tiny_classifier()), L.LightningModule)
    require_fall_back(None)
    require_fall_back(print)
    record = RunRecord({"lr": 0.1}, irrelevant=("code", "budget"))
    assert require_record(record) is record
