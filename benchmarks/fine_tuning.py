"""Times training steps of networks with depthwise convolutions or attention; run it by hand.

    python benchmarks/fine_tuning.py [--repeats 9] [--size 96]

Forward, backward and AdamW's step on 32 images, all weights trained, one thread, by turns: in float32,
in bf16 as torch computes it, and in bf16 as here. Weights are random: they cost the same. What counts
are seconds of the processor. Figures go to benchmarks/results/fine_tuning.json.
"""

import argparse
from collections.abc import Callable
from functools import partial

from al_lightning.utils.process import prepare_process

prepare_process()

import torch  # noqa: E402 - after the process is prepared
import torch.nn.functional as F  # noqa: E402
from measuring import by_turns  # noqa: E402
from raw import record  # noqa: E402
from torch import nn  # noqa: E402

from al_lightning.models import (  # noqa: E402
    EfficientNetLite0,
    ImageClassifier,
    TimmBackbone,
    TorchvisionBackbone,
)
from al_lightning.models.backbone import Backbone  # noqa: E402

_SHAPE, _CLASSES, _BATCH = (3, 32, 32), 10, 32


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--size", type=int, default=96)
    given = parser.parse_args()
    torch.set_num_threads(1)
    found = {}
    for name, make in networks(given.size).items():
        found[name] = measure(make, given.repeats)
        print(name, found[name], flush=True)
    record("fine_tuning", {"image_size": given.size, "batch": _BATCH, "seconds": found})


def networks(size: int) -> dict[str, Callable[[], Backbone]]:
    """Return what makes each network, by its name."""
    own = partial(EfficientNetLite0, _SHAPE, _CLASSES, weights=None, image_size=size)
    found: dict[str, Callable[[], Backbone]] = {"efficientnet_lite0": own}
    for name in ("mobilenet_v3_small", "efficientnet_b0", "convnext_tiny", "resnet18"):
        found[name] = partial(
            TorchvisionBackbone, _SHAPE, _CLASSES, name=name, weights=None, image_size=size
        )
    vit = "vit_small_patch16_224"
    found[vit] = partial(TimmBackbone, _SHAPE, _CLASSES, vit, weights=None, image_size=size)
    return found


def measure(make: Callable[[], Backbone], repeats: int) -> dict[str, list[float]]:
    """Return the seconds of steps in each way, in turns."""
    images = torch.rand(_BATCH, *_SHAPE).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(0, _CLASSES, (_BATCH,))
    ways: dict[str, Callable[[], None]] = {
        "float32": step(make(), images, labels, bf16=False),
        "bf16": step(make(), images, labels, bf16=True),
        "here": step(ImageClassifier(make(), _CLASSES), images, labels, bf16=True),
    }
    return by_turns(ways, repeats)


def step(
    network: nn.Module, images: torch.Tensor, labels: torch.Tensor, *, bf16: bool
) -> Callable[[], None]:
    """Return a function that takes one step."""
    network.to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4, fused=True)

    def run() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = F.cross_entropy(network(images), labels)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()

    return run


if __name__ == "__main__":
    main()
