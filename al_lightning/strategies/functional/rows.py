"""Lengths and distances of rows of numbers, such as embeddings."""

import torch
from torch import Tensor

_BLOCK = 512  # rows whose squares are held in float64 at a time
_EXACT = 4_096  # rows that are held in float64 at a time


def unit_rows(rows: Tensor) -> Tensor:
    """Return rows, (N, D) float, over their Euclidean lengths; zero rows stay zero.

    Of float16 rows, in float32.
    """
    rows = at_least_float32(rows)
    largest = torch.maximum(rows.amax(1, keepdim=True), -rows.amin(1, keepdim=True))
    scaled = rows / largest.masked_fill_(largest == 0, 1)  # else squares would over- or underflow
    lengths = scaled.norm(dim=1, keepdim=True)
    return scaled.div_(lengths.masked_fill_(lengths == 0, 1))


def unit_float32(rows: Tensor) -> Tensor:
    """Return rows, (N, D) float32, of unit length as exactly as float32 has them; zeros stay zero."""
    return torch.cat([unit_rows(block.double()).float() for block in torch.split(rows, _EXACT)])


def squared_distances(first: Tensor, second: Tensor) -> Tensor:
    """Return |x - y|^2 of rows, (M, D) and (K, D) float; (M, K) float64, at least 0."""
    x, y = first.double(), second.double()
    squares = x.square().sum(1)[:, None] + y.square().sum(1)
    return squares.addmm_(x, y.T, alpha=-2).clamp_(min=0)


def half_squares(rows: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    """Return half of the squared length of each row, (N,), summed in float64.

    Args:
        rows: (N, D) float.
        dtype: Of the result; None for that of the rows.
    """
    halves = rows.new_empty(len(rows), dtype=dtype)
    for start in range(0, len(rows), _BLOCK):
        at = slice(start, start + _BLOCK)
        halves[at] = rows[at].double().square().sum(1).div_(2)
    return halves


def at_least_float32(rows: Tensor) -> Tensor:
    """Return rows of float16 or bfloat16 in float32, and others as they are."""
    return rows.to(torch.promote_types(rows.dtype, torch.float32))
