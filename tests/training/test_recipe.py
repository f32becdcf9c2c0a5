from typing import Any

import pytest
import torch
from torch import nn

from al_lightning.data.batches import ShuffledBatches
from al_lightning.run.pool import Pool
from al_lightning.training.recipe import Recipe, one_cycle, resolve_precision
from al_lightning.utils.errors import UsageError
from tests.helpers import Linear, TinySource, tiny_cnn, tiny_trainer


@pytest.mark.parametrize(
    ("labels", "arguments", "steps"),
    [
        (500, {}, 80),  # 10 epochs of 8 batches of 64
        (512, {}, 80),
        (514, {}, 90),
        (50, {"epochs": 3, "batch_size": 20}, 9),
        (50, {"epochs": 3, "batch_size": 50}, 3),
        (50, {"epochs": 3, "batch_size": 100}, 3),
        (500, {"min_steps": 79}, 80),
        (500, {"min_steps": 81}, 81),
        (2, {"min_steps": 600}, 600),
    ],
)
def test_steps_are_whole_epochs_but_never_fewer_than_the_floor(
    labels: int, arguments: dict[str, Any], steps: int
) -> None:
    assert Recipe(**arguments).steps(labels) == steps


@pytest.mark.parametrize("labels", [2, 63, 64, 65, 66, 128, 129, 130])
def test_steps_are_those_of_the_epochs_that_are_trained(labels: int) -> None:
    recipe = Recipe(epochs=10, batch_size=64)
    assert recipe.steps(labels) == 10 * len(ShuffledBatches(labels, 64, seed=0))


@pytest.mark.parametrize("key", ["epochs", "batch_size", "eval_batch_size", "min_steps"])
@pytest.mark.parametrize("value", [-1, 1.5, "8", None])
def test_counts_out_of_range_are_errors_that_name_the_key(key: str, value: Any) -> None:
    with pytest.raises(UsageError, match=rf"recipe\.{key} must be a whole number .*not {value!r}"):
        Recipe(**{key: value})


@pytest.mark.parametrize("key", ["epochs", "batch_size", "eval_batch_size"])
def test_only_the_floor_may_be_zero(key: str) -> None:
    assert Recipe(min_steps=0).min_steps == 0
    with pytest.raises(
        UsageError, match=rf"recipe\.{key} must be a whole number of at least [12], not 0"
    ):
        Recipe(**{key: 0})  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [-0.1, 1.0, float("nan")])
def test_label_smoothing_out_of_range_is_an_error(value: float) -> None:
    with pytest.raises(UsageError, match=rf"recipe\.label_smoothing must be .* not {value}"):
        Recipe(label_smoothing=value)


def test_unknown_precision_is_an_error_that_lists_the_known() -> None:
    with pytest.raises(UsageError, match=r"precision must be one of auto, 32-true, .* not '8-bit'"):
        Recipe(precision="8-bit")


def test_the_data_module_serves_batches_of_the_recipe() -> None:
    source = TinySource()
    datamodule = Recipe(batch_size=7, eval_batch_size=11).datamodule(source)
    assert datamodule.source is source
    assert (datamodule.batch_size, datamodule.eval_batch_size) == (7, 11)
    assert source.loads == 0


def test_the_classifier_is_trained_by_the_recipe() -> None:
    recipe = Recipe(
        optimizer=lambda parameters: torch.optim.SGD(parameters, lr=0.25), label_smoothing=0.2
    )
    backbone = Linear()
    classifier = recipe.classifier(backbone, 3)
    optimizer = classifier.configure_optimizers()
    assert classifier.backbone is backbone
    assert classifier.label_smoothing == 0.2
    assert isinstance(optimizer, torch.optim.SGD)
    assert optimizer.param_groups[0]["lr"] == 0.25
    trained = {p for group in optimizer.param_groups for p in group["params"]}
    assert trained == set(backbone.parameters())


def test_convolutions_are_laid_out_channels_last() -> None:
    classifier = Recipe().classifier(tiny_cnn(), 3)
    weight = next(p for p in classifier.parameters() if p.ndim == 4 and p.shape[1] > 1)
    assert weight.is_contiguous(memory_format=torch.channels_last)
    assert not weight.is_contiguous()


# Precision


@pytest.mark.parametrize("accelerator", ["cpu", "cuda", "mps"])
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed", "16-mixed"])
def test_a_precision_that_is_asked_for_is_taken(precision: str, accelerator: str) -> None:
    assert resolve_precision(precision, accelerator) == precision


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"avx512_bf16": True}, "bf16-mixed"),
        ({"amx_bf16": True, "avx512_bf16": False}, "bf16-mixed"),
        ({"architecture": "aarch64", "bf16": True}, "bf16-mixed"),
        ({"avx512_bf16": False, "amx_bf16": False, "avx2": True, "avx512_f": True}, "32-true"),
        ({}, "32-true"),
    ],
)
def test_a_processor_with_bf16_units_computes_in_bf16(
    monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, object], expected: str
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert resolve_precision("auto", "cpu") == expected


def test_a_torch_that_does_not_know_the_processor_computes_in_float32(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert resolve_precision("auto", "cpu") == "32-true"


@pytest.mark.parametrize(("native", "expected"), [(True, "bf16-mixed"), (False, "32-true")])
def test_cuda_computes_in_bf16_unless_it_would_emulate(
    monkeypatch: pytest.MonkeyPatch, native: bool, expected: str
) -> None:
    def supported(including_emulation: bool = True) -> bool:
        return including_emulation or native

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
    assert resolve_precision("auto", "cuda") == expected


def test_other_accelerators_compute_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    fast = {"avx512_bf16": True}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: fast, raising=False)
    assert resolve_precision("auto", "mps") == "32-true"


# Schedule


def rates(total_steps: int, *peaks: float, **options: Any) -> list[list[float]]:
    """The learning rates of each step, group by group."""
    groups = [{"params": [nn.Parameter(torch.zeros(1))], "lr": peak} for peak in peaks]
    optimizer = torch.optim.AdamW(groups)
    scheduler, found = one_cycle(optimizer, total_steps, **options), []
    for _ in range(total_steps):
        found.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        scheduler.step()
    return [list(group) for group in zip(*found, strict=True)]


def test_one_cycle_peaks_at_the_learning_rate_of_the_optimizer() -> None:
    low, high = rates(100, 0.003, 0.2, pct_start=0.25)
    for found, peak in ((low, 0.003), (high, 0.2)):
        assert max(found) == pytest.approx(peak)
        assert found.index(max(found)) == 24  # the end of the first quarter
        assert found[0] == pytest.approx(peak / 25)
        assert found[-1] == pytest.approx(peak / 25e4)


def test_one_cycle_takes_the_options_of_torch() -> None:
    (found,) = rates(11, 1.0, pct_start=0.5, div_factor=10, anneal_strategy="linear")
    assert found[0] == pytest.approx(0.1)
    (early,) = rates(100, 1.0, pct_start=0.1)
    assert early.index(max(early)) == 9


@pytest.mark.parametrize("total_steps", [1, 2, 3, 4, 5, 8])
def test_one_cycle_of_few_steps(total_steps: int) -> None:
    (found,) = rates(total_steps, 1.0, pct_start=0.25)
    assert all(0 < rate <= 1.0 + 1e-6 for rate in found)


def test_a_ceiling_on_the_steps() -> None:
    recipe = Recipe(epochs=10, batch_size=10, min_steps=50, max_steps=200)
    assert [recipe.steps(labels) for labels in (10, 100, 200, 5000)] == [50, 100, 200, 200]
    with pytest.raises(UsageError, match=r"recipe\.max_steps must be at least .* = 50.* not 40"):
        Recipe(min_steps=50, max_steps=40)


@pytest.mark.parametrize("value", ["100", 10.5, True, 0])
def test_a_ceiling_that_is_no_number_of_steps_is_an_error(value: Any) -> None:
    with pytest.raises(UsageError, match=r"recipe\.max_steps must be a whole number of at least 1"):
        Recipe(max_steps=value)


@pytest.mark.parametrize("value", [0.0, 1.0, -0.1, float("nan")])
def test_a_fallback_that_is_none_is_an_error(value: float) -> None:
    with pytest.raises(UsageError, match=r"recipe\.fallback_factor"):
        Recipe(fallback_factor=value)


def test_what_to_do_on_divergence_is_one_of_two() -> None:
    with pytest.raises(UsageError, match="refuse, retry, not 'ignore'"):
        Recipe(on_divergence="ignore")


def test_the_fallback_lowers_every_learning_rate() -> None:
    recipe = Recipe(epochs=1, batch_size=16, fallback_factor=0.25)
    rates = []
    for fall_back in (False, True):
        datamodule = recipe.datamodule(TinySource())
        labeled = torch.arange(20)
        labels = datamodule.data.train.labels[:20]
        datamodule.begin_round(Pool(60).reveal(labeled, labels), order_seed=0)
        classifier = recipe.classifier(tiny_cnn(), 3)
        if fall_back:
            recipe.fall_back(classifier)
        trainer = tiny_trainer(max_steps=2)
        trainer.fit(classifier, datamodule=datamodule)
        rates.append(trainer.optimizers[0].param_groups[0]["lr"])
    assert rates == pytest.approx([1e-3, 0.25e-3])
