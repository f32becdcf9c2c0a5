"""What is computed of many rows, block by block."""

from collections.abc import Callable

import torch
from torch import Tensor

#: Of a block in float64: 512 KiB, which stay in the processor's cache.
BLOCK_NUMBERS = 2**16
_COPIES = 8  # the block itself, what formulas make of it, and the holes that freed blocks leave


def over_blocks(count: int, size: int, compute: Callable[[slice], Tensor]) -> Tensor:
    """Return a number a row, (count,) float64, computed of at most ``size`` rows at a time.

    The result is made beforehand. If each block's part were kept until all are joined, it would lie in
    the hole that the block's larger tensors have left in a heap that keeps freed memory (see
    docs/performance.md), and the next block would need new memory.

    >>> import torch
    >>> rows = torch.tensor([[3.0, 4.0], [1.0, 0.0], [0.0, 2.0]])
    >>> over_blocks(3, 2, lambda at: rows[at].double().square().sum(1))
    tensor([25.,  1.,  4.], dtype=torch.float64)

    Args:
        count: Rows.
        size: Rows a block.
        compute: Returns the numbers of the rows in a slice, (B,) float.
    """
    values = torch.empty(count, dtype=torch.float64)
    for start in range(0, count, size):
        at = slice(start, min(start + size, count))
        values[at] = compute(at)
    return values


def by_blocks(formula: Callable[[Tensor], Tensor], samples: Tensor) -> Tensor:
    """Apply a formula to blocks of images in float64, without a copy of all samples.

    Args:
        formula: Maps a block of them, (B, ...) float64, to (B,).
        samples: (N, ...) float, such as K samples of C probabilities each.

    Returns:
        (N,) float64.
    """
    rows = max(1, BLOCK_NUMBERS // max(1, samples[0].numel()))
    return over_blocks(len(samples), rows, lambda at: formula(samples[at].double()))


def block_bytes(images: int, numbers: int) -> int:
    """Return the memory that :func:`by_blocks` takes, in bytes.

    Args:
        images: N.
        numbers: K times C, or as many as a formula makes of an image.
    """
    held = min(max(BLOCK_NUMBERS, numbers), images * numbers)
    return 8 * _COPIES * held
