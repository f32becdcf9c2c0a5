"""Muon for filters, AdamW for the rest: compared with torch's optimisers, each on its own."""

from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim import AdamW, Muon

from al_lightning import CNN
from al_lightning.training.muon import MuonAdamW
from al_lightning.training.recipe import one_cycle

ADAMW: dict[str, Any] = {"lr": 0.01, "weight_decay": 0.1}
FILTERS: dict[str, Any] = {
    "filters_lr": 0.05,
    "filters_momentum": 0.9,
    "filters_weight_decay": 0.02,
}


def network(layout: torch.memory_format = torch.contiguous_format) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Conv2d(4, 6, 3), nn.Flatten(), nn.Linear(24, 3)
    ).to(memory_format=layout)


def set_gradients(module: nn.Module, step: int) -> None:
    generator = torch.Generator().manual_seed(step)
    for parameter in module.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=generator)


def by_hand(module: nn.Module, steps: int) -> list[Tensor]:
    """Return the weights after steps of torch's own optimisers, the filters being copied matrices."""
    filters = [p for p in module.parameters() if p.ndim == 4]
    others = [p for p in module.parameters() if p.ndim != 4]
    matrices = [nn.Parameter(p.detach().flatten(1).clone()) for p in filters]
    muon = Muon(matrices, lr=0.05, momentum=0.9, weight_decay=0.02)
    adamw = AdamW(others, **ADAMW)
    for step in range(steps):
        set_gradients(module, step)
        for matrix, parameter in zip(matrices, filters, strict=True):
            assert parameter.grad is not None
            matrix.grad = parameter.grad.flatten(1)
        muon.step()  # type: ignore[no-untyped-call]
        adamw.step()
        with torch.no_grad():
            for matrix, parameter in zip(matrices, filters, strict=True):
                parameter.copy_(matrix.view_as(parameter))
    return [p.detach().clone() for p in module.parameters()]


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_steps_are_those_of_muon_and_of_adamw(layout: torch.memory_format) -> None:
    module = network(layout)
    optimizer = MuonAdamW(module.parameters(), **ADAMW, **FILTERS)
    for step in range(3):
        set_gradients(module, step)
        optimizer.step()
    for found, expected in zip(module.parameters(), by_hand(network(), 3), strict=True):
        # Columns in another order, rounded to bfloat16 while Muon iterates.
        torch.testing.assert_close(found.detach(), expected, atol=2e-3, rtol=0)


def test_a_gradient_in_another_layout_than_its_filters_is_the_same_gradient() -> None:
    module = network(torch.channels_last)
    optimizer = MuonAdamW(module.parameters(), **ADAMW, **FILTERS)
    set_gradients(module, 0)
    other = deepcopy(module)
    for parameter, copied in zip(module.parameters(), other.parameters(), strict=True):
        assert parameter.grad is not None
        copied.grad = parameter.grad
        if parameter.ndim == 4:
            copied.grad = parameter.grad.contiguous(memory_format=torch.channels_last)
    optimizer.step()
    MuonAdamW(other.parameters(), **ADAMW, **FILTERS).step()
    assert all(map(torch.equal, module.parameters(), other.parameters()))


def test_goes_on_from_its_state_to_the_same_bits() -> None:
    module = network(torch.channels_last)
    optimizer = MuonAdamW(module.parameters(), **ADAMW, **FILTERS)
    set_gradients(module, 0)
    optimizer.step()
    other = deepcopy(module)
    resumed = MuonAdamW(other.parameters(), **ADAMW, **FILTERS)
    resumed.load_state_dict(deepcopy(optimizer.state_dict()))
    for each, its in ((module, optimizer), (other, resumed)):
        set_gradients(each, 1)
        its.step()
    assert all(map(torch.equal, module.parameters(), other.parameters()))


def test_a_schedule_moves_both_learning_rates() -> None:
    optimizer = MuonAdamW(network().parameters(), **ADAMW, **FILTERS)
    schedule = one_cycle(optimizer, total_steps=4, pct_start=0.5)
    rates = []
    for _ in range(4):
        rates.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        schedule.step()
    assert max(rates) == pytest.approx([0.01, 0.05])
    assert all(muon == pytest.approx(5 * adamw) for adamw, muon in rates)


def test_a_network_without_convolutions_and_one_without_anything_else() -> None:
    for module in (nn.Linear(3, 2), nn.Conv2d(1, 2, 3, bias=False)):
        optimizer = MuonAdamW(module.parameters(), **ADAMW, **FILTERS)
        before = module.weight.detach().clone()
        set_gradients(module, 0)
        optimizer.step()
        assert not torch.equal(module.weight, before)


def test_parameters_without_gradient_stay() -> None:
    module = network()
    optimizer = MuonAdamW(module.parameters(), **ADAMW, **FILTERS)
    before = [p.detach().clone() for p in module.parameters()]
    optimizer.step()
    assert all(map(torch.equal, module.parameters(), before))


def test_the_closure_is_called_with_gradients_enabled() -> None:
    module = CNN((1, 8, 8), 3)
    optimizer = MuonAdamW(module.parameters(), **ADAMW)

    def closure() -> float:
        loss = module(torch.rand(4, 1, 8, 8)).square().mean()
        torch.autograd.backward(loss)
        return float(loss.detach())

    assert optimizer.step(closure) > 0


def test_out_of_range_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="learning rate"):
        MuonAdamW(network().parameters(), lr=-1.0)
    with pytest.raises(ValueError, match="weight decay"):
        MuonAdamW(network().parameters(), filters_weight_decay=-1.0)
