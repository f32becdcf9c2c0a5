import random

import numpy as np
import torch

from al_lightning.utils.global_seed import seeded


def draw() -> tuple[float, float, float]:
    return random.random(), float(np.random.rand()), float(torch.rand(()))  # noqa: NPY002


def test_every_global_generator_is_seeded_and_restored() -> None:
    state = random.getstate(), np.random.get_state()[2], torch.get_rng_state()  # noqa: NPY002
    with seeded(5):
        first = draw()
    assert random.getstate() == state[0]
    assert np.random.get_state()[2] == state[1]  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), state[2])
    with seeded(5):
        assert draw() == first
    with seeded(6):
        assert all(a != b for a, b in zip(draw(), first, strict=True))
