import random

import numpy as np
import torch

from al_lightning.utils.global_seed import seeded


def draw() -> tuple[float, float, float]:
    return random.random(), float(np.random.rand()), float(torch.rand(()))  # noqa: NPY002


def test_every_global_generator_is_seeded_and_restored() -> None:
    outside = draw()
    state = torch.get_rng_state()
    with seeded(5):
        first = draw()
    assert torch.equal(torch.get_rng_state(), state)
    after = draw()
    with seeded(5):
        assert draw() == first
    with seeded(6):
        other = draw()
    for one in (outside, after, other):
        assert all(a != b for a, b in zip(one, first, strict=True))
