from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from al_lightning.models import CNN
from al_lightning.models.flatten import PixelFlatten
from al_lightning.models.folding import fold_norms


def trained(layers: nn.Module, seed: int = 0, sign: float = 1.0) -> nn.Module:
    """Layers whose normalisations are no identities."""
    torch.manual_seed(seed)
    for layer in layers.modules():
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            assert layer.running_mean is not None
            assert layer.running_var is not None
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 2)
            if layer.affine:
                nn.init.uniform_(layer.weight, 0.5, 2)
                layer.weight.data *= sign
                nn.init.normal_(layer.bias)
    return layers.eval()


def names(layers: nn.Module) -> list[str]:
    return [type(layer).__name__ for layer in layers.children()]


def assert_equal(layers: nn.Module, images: Tensor) -> None:
    with torch.no_grad():
        expected = layers(images.clone())
        torch.testing.assert_close(
            fold_norms(layers.children())(images), expected, rtol=1e-4, atol=1e-4
        )


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"padding": 1},
        {"dense": ()},
        {"dense": (9, 8)},
        {"batch_norm": False},
        {"filters": ((4,), (5, 6), (7,))},
        {"block_dropout": 0.0},
    ],
)
@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_cnn_stays_the_same_function(
    arguments: dict[str, Any], sign: float, layout: torch.memory_format
) -> None:
    model = CNN((2, 28, 24), 5, **arguments)
    trained(model, sign=sign)
    images = torch.rand(3, 2, 28, 24).contiguous(memory_format=layout)
    assert_equal(model.features.to(memory_format=layout), images)


def test_the_baseline_keeps_but_the_last_of_its_norms() -> None:
    folded = fold_norms(trained(CNN((1, 28, 28), 10).features).children())
    block = ["Conv2d", "ReLU"]
    assert names(folded) == [
        *block,
        *("Conv2d", "MaxPool2d", "ReLU"),
        *(2 * block),
        *("PixelFlatten", "Linear", "ReLU", "BatchNorm1d"),
    ]


def test_a_pooling_of_negative_factors_comes_behind_the_norm() -> None:
    layers = nn.Sequential(nn.ReLU(), nn.BatchNorm2d(3), nn.MaxPool2d(2), nn.Conv2d(3, 4, 3))
    trained(layers, sign=-1.0)
    assert names(fold_norms(layers)) == ["ReLU", "BatchNorm2d", "MaxPool2d", "Conv2d"]
    assert_equal(layers, torch.randn(2, 3, 8, 8))


def test_one_negative_factor_is_enough() -> None:
    norm = nn.BatchNorm2d(2)
    norm.weight.data = torch.tensor([1.0, -1e-3])
    layers = nn.Sequential(norm, nn.MaxPool2d(2), nn.Conv2d(2, 4, 1)).eval()
    assert names(fold_norms(layers)) == ["BatchNorm2d", "MaxPool2d", "Conv2d"]


class Doubled(nn.Conv2d):
    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's own name
        return super().forward(2 * input)


def chains() -> dict[str, Sequence[nn.Module]]:
    norm = nn.BatchNorm2d
    return {
        "padding": [norm(3), nn.Conv2d(3, 4, 3, padding=1)],
        "groups": [norm(4), nn.Conv2d(4, 4, 3, groups=2)],
        "stride and dilation": [norm(3), nn.Conv2d(3, 4, (3, 2), stride=2, dilation=2)],
        "no bias": [norm(3), nn.Conv2d(3, 4, 3, bias=False)],
        "not affine": [norm(3, affine=False), nn.Conv2d(3, 4, 3)],
        "another layer between": [norm(3), nn.ReLU(), nn.Conv2d(3, 4, 3)],
        "two in a row": [norm(3), norm(3), nn.Conv2d(3, 4, 3)],
        "no layer behind": [nn.Conv2d(3, 4, 3), norm(4)],
        "flattened, and no layer behind": [norm(3), PixelFlatten()],
        "flattened pixel by pixel": [norm(3), PixelFlatten(), nn.Linear(3 * 12 * 12, 5)],
        "flattened channel by channel": [norm(3), nn.Flatten(), nn.Linear(3 * 12 * 12, 5)],
        "flattened first": [PixelFlatten(), nn.BatchNorm1d(432), nn.Linear(432, 5)],
        "flattened first, and ReLU": [PixelFlatten(), nn.BatchNorm1d(432), nn.ReLU()],
        "a dense layer over the width": [norm(3), nn.Linear(12, 5)],
        "a dense layer over the width, pooled": [norm(3), nn.MaxPool2d(2), nn.Linear(6, 5)],
        "a convolution of its own kind": [norm(3), Doubled(3, 4, 3)],
        "nothing but dropout": [nn.Dropout(0.5)],
        "pooling with padding": [nn.ReLU(), norm(3), nn.MaxPool2d(3, 2, 1), nn.Conv2d(3, 4, 1)],
    }


@pytest.mark.parametrize("case", chains())
def test_any_chain_stays_the_same_function(case: str) -> None:
    layers = trained(nn.Sequential(*chains()[case]))
    assert_equal(layers, torch.randn(2, 3 + (case == "groups"), 12, 12))


def test_the_layers_stay_as_they_are() -> None:
    layers = trained(nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 4, 3)))
    before = {name: value.clone() for name, value in layers.state_dict().items()}
    layers.train()
    fold_norms(layers.children())
    assert all(torch.equal(before[name], value) for name, value in layers.state_dict().items())
    assert all(layer.training for layer in layers.modules())


def test_nothing_is_shared_with_the_layers() -> None:
    model = CNN((1, 28, 28), 10)
    folded = model.for_evaluation()
    assert not set(folded.modules()) & set(model.modules())
    assert not {p.data_ptr() for p in folded.parameters()} & {
        p.data_ptr() for p in model.parameters()
    }


def test_nothing_is_drawn_at_random() -> None:
    model, state = CNN((1, 28, 28), 10), torch.get_rng_state()
    model.for_evaluation()
    assert torch.equal(torch.get_rng_state(), state)


def test_norms_without_statistics_stay() -> None:
    layers = nn.Sequential(nn.BatchNorm2d(3, track_running_stats=False), nn.Conv2d(3, 4, 3))
    assert names(fold_norms(layers)) == ["BatchNorm2d", "Conv2d"]
