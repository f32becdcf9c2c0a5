from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from torch import Tensor

from al_lightning.callbacks.logger import round_scalars
from al_lightning.models import ImageClassifier
from al_lightning.training.own_metrics import has_own_test_step, own_metrics
from tests.helpers import tiny_classifier
from tests.loop.test_loop import TinyModel, make_loop


def with_test_step(step: Callable[[Any, Tensor, Tensor], None]) -> type[TinyModel]:
    class Tested(TinyModel):
        def test_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
            images, labels = batch
            step(self, self.classify(self.embed(images)), labels)

    return Tested


def top_two(model: L.LightningModule, logits: Tensor, labels: Tensor) -> None:
    hits = (logits.topk(2).indices == labels[:, None]).any(1)
    model.log("test/top2", hits.float().mean())
    model.log("ones", torch.tensor(1.0))


def test_what_an_own_test_step_logs_is_in_the_journal_beside_ours(tmp_path: Path) -> None:
    plain = make_loop(tmp_path / "plain").run()
    journal = make_loop(tmp_path / "own", make_classifier=with_test_step(top_two)).run()
    for event, other in zip(journal.rounds, plain.rounds, strict=True):
        assert round_scalars([event])["labels/top2"] == event["metrics"]["top2"]
        own = {name: event["metrics"].pop(name) for name in ("top2", "ones")}
        assert own["ones"] == 1.0
        assert event["metrics"]["accuracy"] <= own["top2"] <= 1.0
        assert own["top2"] * 30 == pytest.approx(round(own["top2"] * 30), abs=1e-4)  # of 30 images
        assert event["metrics"] == other["metrics"]  # ours, bit by bit


def test_a_name_of_ours_is_kept_and_theirs_told_apart(tmp_path: Path) -> None:
    def same(model: L.LightningModule, logits: Tensor, labels: Tensor) -> None:
        model.log("test/accuracy", (logits.argmax(1) == labels).float().mean())
        model.log("test/nll", torch.tensor(-3.0))

    (event, *_) = make_loop(tmp_path, make_classifier=with_test_step(same)).run().rounds
    assert "test_step/accuracy" not in event["metrics"]
    assert event["metrics"]["test_step/nll"] == -3.0
    assert event["metrics"]["nll"] > 0


def test_what_is_not_finite_is_left_out_with_a_warning(tmp_path: Path) -> None:
    def broken(model: L.LightningModule, logits: Tensor, labels: Tensor) -> None:
        model.log("hopeless", torch.tensor(float("nan")))

    with pytest.warns(UserWarning, match="hopeless, which test_step logs, is nan: left out"):
        (event, *_) = make_loop(tmp_path, make_classifier=with_test_step(broken)).run().rounds
    assert "hopeless" not in event["metrics"]


def test_only_a_test_step_of_their_own_is_run() -> None:
    class Sub(ImageClassifier):
        def test_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None: ...

    assert not has_own_test_step(tiny_classifier())
    assert not has_own_test_step(TinyModel())
    assert has_own_test_step(with_test_step(top_two)())
    assert issubclass(Sub, ImageClassifier)
    assert has_own_test_step(Sub(tiny_classifier().backbone, 3))


def test_several_devices_say_that_it_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody: Any = object()
    monkeypatch.setattr("al_lightning.training.own_metrics.world_size", lambda: 2)
    with pytest.warns(UserWarning, match="test_step of TinyModel logs is not in the journal"):
        assert own_metrics(nobody, TinyModel(), nobody, {}, ()) == {}
