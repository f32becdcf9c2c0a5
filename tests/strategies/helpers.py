"""Made-up evidence for the tests of strategies."""

from collections.abc import Iterable

import torch
from torch import Tensor

from al_lightning.strategies.evidence import Evidence, Need


def scattered_ids(count: int, generator: torch.Generator) -> Tensor:
    """Distinct ids in no order that are nobody's positions."""
    return 1000 + 7 * torch.randperm(count, generator=generator)


def make_evidence(
    count: int,
    needs: Iterable[Need] = tuple(Need),
    *,
    seed: int = 0,
    classes: int = 5,
    dimensions: int = 6,
    samples: int = 4,
) -> Evidence:
    """Random evidence with these quantities and no others; no two images have the same."""
    generator = torch.Generator().manual_seed(seed)
    quantities = {
        Need.PROBABILITIES: torch.randn(count, classes, generator=generator).softmax(1),
        Need.EMBEDDINGS: torch.randn(count, dimensions, generator=generator),
        Need.MC_PROBABILITIES: torch.randn(count, samples, classes, generator=generator).softmax(2),
    }
    ids = scattered_ids(count, generator)
    quantities |= {
        Need.CALIBRATED_PROBABILITIES: torch.randn(count, classes, generator=generator).softmax(1),
        Need.DROPPED_FEATURES: torch.randn(count, samples, classes, generator=generator).softmax(2),
    }
    return Evidence(ids, **{need.value: quantities[need] for need in needs})


def seeded(seed: int = 0) -> torch.Generator:
    """A fresh generator."""
    return torch.Generator().manual_seed(seed)
