"""Independent random streams, derived from one seed by name.

A stream depends only on the seed and its purpose. So two runs with the same seed have the same initial
set, weights and batch order, whatever their strategies drew, and a resumed run draws the same numbers
as an uninterrupted run.
"""

import hashlib

import torch

_BITS = 32  # what numpy and Lightning take for a seed


def derive_seed(seed: int, *purpose: str | int) -> int:
    """Derive the seed of a named stream.

    Args:
        seed: The run's seed.
        purpose: Purpose of the stream, e.g. ``("batches", 3, 0)``.

    Returns:
        An integer in [0, 2**32).
    """
    name = "/".join(map(str, (seed, *purpose)))
    digest = hashlib.sha256(name.encode()).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - _BITS)


def derive_generator(seed: int, *purpose: str | int) -> torch.Generator:
    """Return a CPU generator for the named stream; see :func:`derive_seed`."""
    return torch.Generator().manual_seed(derive_seed(seed, *purpose))
