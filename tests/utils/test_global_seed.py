import random

import numpy as np
import torch

from al_lightning.utils.global_seed import seeded


def draw() -> tuple[float, float, float]:
    return random.random(), float(np.random.rand()), float(torch.rand(()))  # noqa: NPY002


def place_of_numpy() -> object:
    """Return what has been drawn of NumPy's generator, and how far it is in that."""
    _, drawn, place, *_ = np.random.get_state(legacy=True)  # noqa: NPY002
    return np.asarray(drawn).tobytes(), place


def test_every_global_generator_is_seeded_and_restored() -> None:
    state = random.getstate(), place_of_numpy(), torch.get_rng_state()
    with seeded(5):
        first = draw()
    assert random.getstate() == state[0]
    assert place_of_numpy() == state[1]
    assert torch.equal(torch.get_rng_state(), state[2])
    with seeded(5):
        assert draw() == first
    with seeded(6):
        assert all(a != b for a, b in zip(draw(), first, strict=True))
