"""Independent random streams, derived from one seed by name.

A stream depends on the seed and on what it is for, and on nothing else. So the initial set, the
weights and the order of batches of two runs under one seed are the same whatever their strategies
drew, and a resumed run draws what an undisturbed one would have drawn.
"""

import hashlib

import torch

_BITS = 32  # what numpy and Lightning take for a seed


def derive_seed(seed: int, *purpose: str | int) -> int:
    """Derive the seed of a named stream.

    Args:
        seed: The run's seed.
        purpose: What the stream is for, e.g. ``("batches", 3, 0)``.

    Returns:
        An integer in [0, 2**32).
    """
    name = "/".join(map(str, (seed, *purpose)))
    digest = hashlib.sha256(name.encode()).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - _BITS)


def derive_generator(seed: int, *purpose: str | int) -> torch.Generator:
    """Return a CPU generator for the named stream; see :func:`derive_seed`."""
    return torch.Generator().manual_seed(derive_seed(seed, *purpose))
