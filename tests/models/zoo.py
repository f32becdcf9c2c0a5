"""Small stand-ins for pretrained networks."""

import torch
from torch import nn

from al_lightning.data.source import Normalization
from al_lightning.models import PretrainedBackbone
from al_lightning.models.pretrained.trunk import Trunk

NORMALIZATION = Normalization((0.5, 0.4, 0.3), (0.2, 0.2, 0.25))


def tiny_network(seed: int = 0) -> nn.Sequential:
    """Two blocks of convolution, batch norm and dropout: (B, 3, H, W) to (B, 6)."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = nn.Sequential(
            nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 1)),
            nn.Dropout(0.5),
            nn.Sequential(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 6, 3)),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
        for part in network.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.running_mean = torch.rand(4)
    return network


def tiny_pretrained(
    seed: int = 0,
    *,
    shape: tuple[int, int, int] = (1, 8, 8),
    pretrained: bool = True,
    **options: object,
) -> PretrainedBackbone:
    """A backbone whose trunk has the weights of the seed; the head is initialised by torch's seed."""
    trunk = Trunk(
        tiny_network(seed), 6, "tests 1", pretrained, NORMALIZATION, "bilinear", dropout=0.25
    )
    return PretrainedBackbone(trunk, shape, 3, **options)  # type: ignore[arg-type]
