from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from al_lightning.models import ImageClassifier
from al_lightning.models.backbone import Backbone
from al_lightning.models.fast_gradients import _FastGradients, fast_gradients

CHANNELS = 6
autocast = partial(torch.autocast, "cpu", dtype=torch.bfloat16)


class SamePadding(nn.Conv2d):
    """Pads by itself, as networks that come from TensorFlow do."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        return F.conv2d(
            F.pad(input, (0, 1, 0, 1)), weight=self.weight, stride=self.stride, groups=self.groups
        )


def depthwise(kind: type[nn.Conv2d] = nn.Conv2d, size: int = 3, **options: Any) -> nn.Conv2d:
    torch.manual_seed(0)
    return kind(CHANNELS, CHANNELS, size, groups=CHANNELS, bias=False, **options)


def images(dtype: torch.dtype = torch.bfloat16) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(4, CHANNELS, 9, 9, generator=generator).to(dtype)


SLOW: list[Callable[[], nn.Conv2d]] = [
    partial(depthwise, stride=2),
    partial(depthwise, stride=(1, 2)),
    partial(depthwise, size=5),
    partial(depthwise, dilation=2),
    partial(depthwise, padding="same", dilation=2),
    partial(depthwise, kind=SamePadding, stride=2),
]


@pytest.mark.parametrize("make", SLOW)
def test_what_is_slow_in_bfloat16_is_exactly_what_float32_gives(
    make: Callable[[], nn.Conv2d],
) -> None:
    seen = images().requires_grad_()
    layer = make()
    with autocast(), fast_gradients(layer):
        outputs = layer(seen)
    outputs.square().sum().backward()
    plain, reference = images().float().requires_grad_(), make()
    expected = reference(plain)
    expected.square().sum().backward()
    assert outputs.dtype == torch.float32
    torch.testing.assert_close(outputs, expected)
    torch.testing.assert_close(layer.weight.grad, reference.weight.grad)
    assert seen.grad is not None
    assert plain.grad is not None
    # The gradient leaves as what the images are.
    torch.testing.assert_close(seen.grad, plain.grad.bfloat16())


@pytest.mark.parametrize(
    "other",
    [
        depthwise(),  # its gradients are faster in bfloat16
        depthwise(size=1),
        nn.Conv2d(CHANNELS, CHANNELS, 3, stride=2),
        nn.Conv2d(CHANNELS, CHANNELS, 3, stride=2, groups=2),
    ],
)
def test_other_convolutions_stay_as_they_are(other: nn.Conv2d) -> None:
    network = nn.Sequential(depthwise(padding=1), other)
    with autocast(), fast_gradients(network):
        assert other(images().requires_grad_()).dtype == torch.bfloat16


def test_without_gradients_nothing_changes() -> None:
    layer = depthwise(stride=2)
    with autocast(), torch.no_grad(), fast_gradients(layer):
        assert layer(images()).dtype == torch.bfloat16
    with autocast(), fast_gradients(layer.requires_grad_(False)):
        assert layer(images()).dtype == torch.bfloat16  # frozen, below what trains
        assert layer(images().requires_grad_()).dtype == torch.float32


def test_without_autocast_the_dtype_is_the_images() -> None:
    layer = depthwise(stride=2).double()
    with fast_gradients(layer):
        assert layer(images(torch.float64)).dtype == torch.float64


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (depthwise(), True),
        (nn.Conv2d(CHANNELS, 2 * CHANNELS, 3, groups=CHANNELS), True),  # two kernels a channel
        (nn.LayerNorm(CHANNELS), True),
        (nn.Conv2d(CHANNELS, CHANNELS, 3, groups=2), False),
        (nn.Conv2d(1, 8, 3), False),  # one channel, and no more than one group
    ],
)
def test_networks_that_have_nothing_slow_are_called_as_ever(
    layer: nn.Module, *, expected: bool
) -> None:
    network = nn.Sequential(nn.ReLU(), nn.Sequential(layer))
    with autocast():
        assert isinstance(fast_gradients(network), _FastGradients) is expected
        with torch.no_grad():
            assert not isinstance(fast_gradients(network), _FastGradients)
    assert not isinstance(fast_gradients(network), _FastGradients)


def attended(tokens: Tensor, **options: Any) -> Tensor:
    return F.scaled_dot_product_attention(tokens, tokens.roll(1, -2), tokens.square(), **options)


def tokens(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(2)
    return torch.randn(*shape, generator=generator).bfloat16()


def fused_calls(seen: Tensor, **options: Any) -> int:
    """Return how often torch's own attention was called."""
    norm = nn.LayerNorm(4)
    with autocast(), torch.profiler.profile() as profile, fast_gradients(norm):
        attended(seen, **options)
    names = [event.name for event in profile.events() or []]
    return sum(name == "aten::scaled_dot_product_attention" for name in names)


@pytest.mark.parametrize("options", [{}, {"scale": 0.3}])
def test_attention_is_what_its_formula_gives(options: dict[str, float]) -> None:
    seen = tokens(2, 3, 5, 4).requires_grad_()
    with autocast(), fast_gradients(nn.LayerNorm(4)):
        outputs = attended(seen, **options)
    torch.autograd.backward(outputs.float().square().sum())
    plain = seen.detach().float().requires_grad_()
    expected = attended(plain, **options)
    torch.autograd.backward(expected.square().sum())
    torch.testing.assert_close(outputs.float(), expected, rtol=0.02, atol=0.02)
    assert seen.grad is not None
    assert plain.grad is not None
    torch.testing.assert_close(seen.grad.float(), plain.grad, rtol=0.1, atol=0.1)


@pytest.mark.parametrize(
    ("options", "fused"),
    [({}, 0), ({"is_causal": True}, 1), ({"dropout_p": 0.1}, 1)],
)
def test_attention_of_another_kind_stays_as_it_is(options: dict[str, Any], fused: int) -> None:
    assert fused_calls(tokens(2, 3, 5, 4).requires_grad_(), **options) == fused


def test_attention_may_have_its_options_by_their_places() -> None:
    seen = tokens(2, 3, 5, 4).requires_grad_()
    with autocast(), fast_gradients(nn.LayerNorm(4)):
        named = F.scaled_dot_product_attention(seen, seen, seen, dropout_p=0.0)
        placed = F.scaled_dot_product_attention(seen, seen, seen, None, 0.0, False)
    assert torch.equal(named, placed)


def test_attention_without_gradients_or_of_too_many_scores_stays_as_it_is() -> None:
    assert fused_calls(tokens(2, 3, 5, 4)) == 1
    assert fused_calls(tokens(1, 1, 4097, 1).requires_grad_()) == 1
    assert fused_calls(tokens(1, 1, 4096, 1).requires_grad_()) == 0


class Mobile(Backbone):
    """Two depthwise convolutions, and what a network has between them."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, CHANNELS, 1),
            depthwise(stride=2),
            nn.BatchNorm2d(CHANNELS),
            nn.ReLU6(),
            nn.Conv2d(CHANNELS, CHANNELS, 1),
            depthwise(padding=1),
        )
        self.head = nn.Linear(CHANNELS, 2)

    def embed(self, images: Tensor) -> Tensor:
        return self.layers(images).mean((2, 3))  # type: ignore[no-any-return]

    def classify(self, embeddings: Tensor) -> Tensor:
        return self.head(embeddings)  # type: ignore[no-any-return]


def dtypes_in_training(network: Mobile) -> list[torch.dtype]:
    """Return what each layer gave when a classifier was called in training."""
    given: list[torch.dtype] = []
    for layer in network.layers:
        layer.register_forward_hook(lambda *call: given.append(call[-1].dtype))
    with autocast():
        ImageClassifier(network, 2)(torch.rand(4, 3, 9, 9))
    return given


def test_a_classifier_in_training_computes_so() -> None:
    half, single = torch.bfloat16, torch.float32
    assert dtypes_in_training(Mobile()) == [half, single, single, single, half, half]
