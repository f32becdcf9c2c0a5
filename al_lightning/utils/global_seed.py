"""Seeds for code that draws from global generators, such as torch's own layers and scikit-learn."""

from collections.abc import Iterator
from contextlib import contextmanager

import lightning as L
from lightning.pytorch.utilities.seed import isolate_rng


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed Python's, NumPy's and torch's global generators in a block; they are as before after it.

    >>> import torch
    >>> with seeded(3):
    ...     first = torch.rand(2)
    >>> with seeded(3):
    ...     bool((torch.rand(2) == first).all())
    True

    Args:
        seed: In [0, 2**32).
    """
    with isolate_rng():
        L.seed_everything(seed, verbose=False)
        yield
