import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from al_lightning.run.journal import Journal
from al_lightning.training.divergence import (
    require_finite_weights,
    stops_on_divergence,
    sums_of_weights,
)
from al_lightning.utils.errors import DivergenceError
from tests.loop.test_loop import TinyModel, comparable, make_loop, tiny_trainer

IMAGES = TensorDataset(torch.zeros(400, 1, 8, 8), torch.zeros(400, dtype=torch.int64))


class Diverging(TinyModel):
    """Loses its way at a step, unless it is told to go slowly."""

    def __init__(self, at: int = 3, what: float = float("nan")) -> None:
        super().__init__()
        self.at, self.what, self.slow, self.count = at, what, False, 0

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        self.count += 1
        loss = super().training_step(batch, batch_idx)
        return loss if self.slow or self.count != self.at else loss * self.what


@pytest.mark.parametrize("what", [float("nan"), float("inf")])
@pytest.mark.parametrize("at", [3, 50, 51, 100])
def test_the_first_loss_that_is_no_number_stops_the_fit_and_is_named(at: int, what: float) -> None:
    module, trainer = Diverging(at, what), tiny_trainer(4, 400)
    with (
        pytest.raises(
            DivergenceError, match=f"round 4 has diverged: the loss .* at step {at}"
        ) as caught,
        stops_on_divergence(trainer, 4),
    ):
        trainer.fit(module, DataLoader(IMAGES, batch_size=8))
    assert caught.value.step == at
    assert module.count <= 100  # two epochs of 50 steps: soon after, if not at once
    assert not trainer.callbacks  # type: ignore[attr-defined]


def test_an_ordinary_fit_goes_through() -> None:
    trainer = tiny_trainer(0, 400)
    with stops_on_divergence(trainer, 0):
        trainer.fit(TinyModel(), DataLoader(IMAGES, batch_size=200))


@pytest.mark.parametrize("what", [float("nan"), float("inf")])
def test_weights_are_looked_at_in_the_end(what: float) -> None:
    model = TinyModel()
    require_finite_weights(model, 0, 9)
    layer = model.output
    assert isinstance(layer, nn.Linear)
    with torch.no_grad():
        layer.weight[1, 2] = what
    with pytest.raises(DivergenceError, match=r"round 2 .* output\.weight .* at step 9"):
        require_finite_weights(model, 2, 9)


def test_a_run_whose_fit_diverges_is_refused_and_nothing_is_selected(tmp_path: Path) -> None:
    with pytest.raises(DivergenceError, match=r"Lower the learning rate.*`fall_back`"):
        make_loop(tmp_path, make_classifier=Diverging).run()
    assert '"origin": "query"' not in (tmp_path / "journal.jsonl").read_text()
    # What was bought stays; the same run goes on once its cause is gone.
    with pytest.warns(UserWarning, match=r"code\.fits\."):
        assert make_loop(tmp_path, irrelevant=["code"]).run().finished


def slow_down(module: Any) -> None:
    module.slow = True


def test_a_fallback_begins_again_from_the_start_of_the_round(tmp_path: Path) -> None:
    def seen(journal: Journal) -> list[dict[str, Any]]:
        own = ("diverged_at_step", "fit")  # and its classifier is another class
        return [{k: v for k, v in e.items() if k not in own} for e in comparable(journal)]

    whole = seen(make_loop(tmp_path / "whole").run())
    with pytest.warns(UserWarning, match="round 0 has diverged"):
        journal = make_loop(tmp_path / "a", make_classifier=Diverging, fall_back=slow_down).run()
    assert [event["diverged_at_step"] for event in journal.rounds] == [3, 3, 3]
    # This fallback changes nothing else, so that the second try is the undisturbed fit.
    assert seen(journal)[1:] == whole[1:]


def test_a_fallback_that_diverges_too_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DivergenceError), pytest.warns(UserWarning, match="once more"):
        make_loop(
            tmp_path,
            make_classifier=lambda: Diverging(what=float("nan")),
            fall_back=lambda module: setattr(module, "count", 0),
        ).run()


def test_a_fallback_is_of_its_round_alone_even_where_rounds_are_fitted_again(
    tmp_path: Path,
) -> None:
    """With a warm start and a lost checkpoint, the round before is fitted in the same process."""

    class DivergesFirst(Diverging):
        def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
            loss = super().training_step(batch, batch_idx)
            return loss * 0.5 if self.slow else loss

    options: dict[str, Any] = {"make_classifier": DivergesFirst, "fall_back": slow_down}
    with pytest.warns(UserWarning, match="once more"):
        whole = comparable(make_loop(tmp_path / "a", warm_start=True, **options).run())
    with pytest.warns(UserWarning, match="once more"):
        make_loop(tmp_path / "b", warm_start=True, **options).run()
    path = tmp_path / "b" / "journal.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:4]))
    (tmp_path / "b" / "checkpoints" / "last.ckpt").unlink()
    with pytest.warns(UserWarning, match="once more"):
        again = comparable(make_loop(tmp_path / "b", warm_start=True, **options).run())
    assert again == whole


def test_sums_are_those_of_what_trains_and_warn_of_nothing() -> None:
    module = TinyModel()
    for parameter in module.parameters():
        nn.init.constant_(parameter, -1.5)
    frozen, *rest = dict(module.named_parameters()).items()
    frozen[1].requires_grad_(False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sums = sums_of_weights(module)
    assert sums == {name: (-1.5 * p.numel(), 1.5 * p.numel()) for name, p in rest}
