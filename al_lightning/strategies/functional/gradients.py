"""Gradient embeddings by their factors."""

import torch
from torch import Tensor

from al_lightning.strategies.functional.blocks import over_blocks

_BLOCK = 256  # images whose lengths are taken at a time: float64 of them fits into caches


class Gradients:
    """The gradients g = (p - onehot(argmax p)) outer h of N images, which are never made.

    With a = p - onehot(argmax p), <g_i, g_j> = (a_i . a_j)(h_i . h_j), so that

        |g_i - g_j|^2 = |a_i|^2 |h_i|^2 + |a_j|^2 |h_j|^2 - 2 (a_i . a_j)(h_i . h_j)

    costs O(C + D) instead of O(C D). All of it is float64: close gradients give the small difference of
    large terms, and squares of the largest float32 numbers overflow. Ash et al., ICLR 2020.

    Args:
        probabilities: (N, C) float32; rows sum to 1.
        embeddings: (N, D) float32; not copied.

    Attributes:
        squares: |g|^2, (N,) float64.
    """

    def __init__(self, probabilities: Tensor, embeddings: Tensor) -> None:
        self._errors = probabilities.to(torch.float64, copy=True)
        self._errors.scatter_add_(
            1,
            probabilities.argmax(1, keepdim=True),
            torch.full((len(probabilities), 1), -1.0, dtype=torch.float64),
        )
        self._embeddings = embeddings
        self.squares = over_blocks(len(embeddings), _BLOCK, self._squares)

    def __len__(self) -> int:
        return len(self.squares)

    def _squares(self, at: slice) -> Tensor:
        lengths = self._embeddings[at].to(torch.float64, copy=True).square_().sum(1)
        return lengths.mul_(self._errors[at].square().sum(1))

    def between(self, first: Tensor, second: Tensor) -> Tensor:
        """Return |g_i - g_j|^2 of images at positions (M,) and (K,) int64; (M, K) float64."""
        inner = self._errors[first] @ self._errors[second].T
        inner *= self._embeddings[first].double() @ self._embeddings[second].double().T
        squares = self.squares[first, None] + self.squares[second]
        return squares.sub_(inner, alpha=2).clamp_(min=0)
