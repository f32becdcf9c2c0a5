from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import pytest
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor, nn

from al_lightning import Budget, LoopCallback, UsageError
from al_lightning.training.arguments import (
    require_callbacks,
    require_classifier,
    require_datamodule,
    require_factory,
    require_fall_back,
    require_kind,
    require_names,
    require_plain,
    whole_number,
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


class Silent(LoopCallback):
    def on_round_end(self) -> None:  # type: ignore[override]
        """Take no result."""


class Lacking:
    def on_run_start(self, journal: Any, data: Any) -> None:
        """Look."""


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
        (lambda: require_callbacks(LoopCallback()), "must be a list of LoopCallback"),
        (lambda: require_callbacks(None), "must be a list of LoopCallback, not None"),
        (lambda: require_callbacks([LoopCallback]), r"must hold LoopCallback\(\.\.\.\)"),
        (lambda: require_callbacks([Callback()]), "let make_trainer give it"),
        (
            lambda: require_callbacks([Lacking()]),
            "Lacking cannot watch a run: it has no `on_fit_start`",
        ),
        (lambda: require_callbacks([Silent()]), r"Silent\.on_round_end takes 1 arguments"),
        (lambda: require_fall_back(3), "it is a int"),
        (lambda: require_fall_back(of_two), "missing a required argument"),
        (lambda: require_kind("budget", 3, Budget), "budget must be a Budget, not 3"),
        (lambda: require_names("irrelevant", "code"), r"such as \['code'\], not one text"),
        (lambda: require_names("irrelevant", [1]), r"a list of texts, not \[1\]"),
        (lambda: require_plain("config", {"a": Path("b")}), "config must hold plain values.*Path"),
        (lambda: require_plain("config", {"a": float("nan")}), "config must hold plain values"),
        (lambda: require_plain("config", [1]), "config must be a Mapping"),
        *[
            (lambda value=value: whole_number("seed", value), "seed must be a whole number")
            for value in ("0", 1.5, None, -1, True)
        ],
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
    watching = LoopCallback()
    assert require_callbacks([watching]) == (watching,)
    require_fall_back(None)
    require_fall_back(print)
    require_kind("cache", None, Budget, type(None))
    require_names("irrelevant", ("code", "budget"))
    assert whole_number("seed", np.int64(3)) == 3
    assert type(whole_number("seed", np.int64(3))) is int
