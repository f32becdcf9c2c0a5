from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from al_lightning.models import ImageClassifier
from al_lightning.models.backbone import Backbone
from al_lightning.models.depthwise import fast_gradients, has_depthwise

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
        (nn.Conv2d(CHANNELS, CHANNELS, 3, groups=2), False),
        (nn.Conv2d(1, 8, 3), False),  # one channel, and no more than one group
    ],
)
def test_a_depthwise_convolution_is_found(layer: nn.Conv2d, *, expected: bool) -> None:
    assert has_depthwise(nn.Sequential(nn.ReLU(), nn.Sequential(layer))) is expected


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
