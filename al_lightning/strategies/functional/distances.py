"""Distances between images whose blocks are matrix products.

Each is, up to an increasing function, of the form

    d(i, j) = offset_i + offset_j - left_i . right_j

so that the distances of M points to K others cost one (M, D) x (D, K) product and no M x K x D
differences. The price of that form is cancellation: two points that are close give the small
difference of large terms. Hence all of it is float64, in which squares of the largest and of the
smallest float32 numbers are exact enough too. Bounds need less: :meth:`Factors.rounding` says how far
coarser numbers may be off.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from al_lightning.strategies.evidence import Need
from al_lightning.utils.processor import computes_bfloat16


@dataclass(frozen=True)
class Factors:
    """M points, ready for inner products; all float64, or coarser where bounds will do.

    >>> import torch
    >>> from al_lightning.strategies import Euclidean
    >>> factors = Euclidean().factors(torch.tensor([[0.0, 0.0], [3.0, 4.0]]).double())
    >>> factors.divergence(factors)  # half the squared distances
    tensor([[ 0.0000, 12.5000],
            [12.5000,  0.0000]], dtype=torch.float64)

    Attributes:
        offset: (M,) float64 or float32.
        left: (M, D'), the same, or bfloat16 beside float32 offsets.
        right: (M, D'), as ``left``; often the same tensor.
    """

    offset: Tensor
    left: Tensor
    right: Tensor

    def rows(self, index: Tensor) -> "Factors":
        """Return the points at these positions, (K,) int64."""
        left = self.left[index]
        right = left if self.right is self.left else self.right[index]
        return Factors(self.offset[index], left, right)

    def products_in(self, dtype: torch.dtype) -> "Factors":
        """Return the points with products of another dtype; offsets stay as they are."""
        left = self.left.to(dtype)
        right = left if self.right is self.left else self.right.to(dtype)
        return Factors(self.offset, left, right)

    def divergence(self, others: "Factors") -> Tensor:
        """Return the divergence of each point to each of K others, (M, K) float, at least 0."""
        offsets = self.offset[:, None] + others.offset
        if self.left.dtype == self.offset.dtype:
            return offsets.addmm_(self.left, others.right.T, alpha=-1).clamp_(min=0)
        return offsets.sub_(self.left @ others.right.T).clamp_(min=0)

    def rounding(self) -> Tensor:
        """Return how far rounding moves divergences: by two points' shares at most, (M,) float.

        With u the unit roundoff, an inner product of D' terms is off by at most about
        ``D' u |x| |y| <= D' u (|x|^2 + |y|^2) / 2``, in whatever order it is summed (Higham, "Accuracy
        and stability of numerical algorithms", 2002, section 3.1); an offset is one, or is off by some
        units; the factors themselves are off by D' / 2 + 8 units at most. Twice their sum is a safe
        bound. Products of a coarser dtype, of unit v, are summed in that of the offsets; two factors
        and the product are off by v each, ``3 v |x| |y|`` in all, of which 4 v is a safe bound.
        """
        own, products = torch.finfo(self.offset.dtype), torch.finfo(self.left.dtype)
        squares = _squares(self.left, self.offset.dtype)
        if self.right is not self.left:
            squares = torch.maximum(squares, _squares(self.right, self.offset.dtype))
        terms = self.left.shape[1] + 16
        shares = terms * (2 * own.eps * squares + 4 * own.tiny) + 4 * own.eps * self.offset.abs()
        return shares + products.eps * squares if products.eps > own.eps else shares


def _squares(rows: Tensor, dtype: torch.dtype) -> Tensor:
    """Return squared lengths of rows, without another tensor of their size."""
    lengths: Tensor = torch.linalg.vector_norm(rows, dim=1, dtype=dtype)
    return lengths.square_()


class Metric(ABC):
    """A distance between rows of one quantity.

    :meth:`Factors.divergence` yields a *divergence*, which orders pairs as the distance does;
    :meth:`distance` turns it into the distance.

    >>> import torch
    >>> from al_lightning import Need
    >>> from al_lightning.strategies import Factors, Metric
    >>> class NegatedProduct(Metric):
    ...     need = Need.EMBEDDINGS
    ...     def factors(self, rows):
    ...         return Factors(rows.new_ones(len(rows)) / 2, rows, rows)
    >>> factors = NegatedProduct().factors(torch.tensor([[1.0], [0.5]]).double())
    >>> factors.divergence(factors)
    tensor([[0.0000, 0.5000],
            [0.5000, 0.7500]], dtype=torch.float64)
    """

    need: ClassVar[Need]
    """The quantity whose rows are compared."""

    translation_invariant: ClassVar[bool] = False
    """Whether d(x - c, y - c) = d(x, y), so that rows may be centred to avoid cancellation."""

    @abstractmethod
    def factors(self, rows: Tensor) -> Factors:
        """Factor the divergences of rows, (M, D) float64, or float32 where bounds will do."""

    def distance(self, divergence: Tensor) -> Tensor:
        """Turn divergences, of any shape, into distances; here they are the same."""
        return divergence


class Euclidean(Metric):
    """The Euclidean distance of embeddings; its divergence is ``|x - y|^2 / 2``.

    >>> import torch
    >>> from al_lightning.strategies import Euclidean
    >>> points = Euclidean().factors(torch.tensor([[0.0, 0.0], [3.0, 4.0]]).double())
    >>> Euclidean().distance(points.divergence(points))[0]
    tensor([0., 5.], dtype=torch.float64)
    """

    need = Need.EMBEDDINGS
    translation_invariant = True

    def factors(self, rows: Tensor) -> Factors:
        """Factor ``|x - y|^2 / 2 = |x|^2 / 2 + |y|^2 / 2 - x . y``."""
        return Factors(rows.square().sum(1) / 2, rows, rows)

    def distance(self, divergence: Tensor) -> Tensor:
        """Return ``|x - y|`` for ``|x - y|^2 / 2``."""
        return (2 * divergence).sqrt()


class Cosine(Metric):
    """The cosine distance of embeddings, 1 - cos(x, y), in [0, 2].

    A zero vector has no direction. It counts as a direction of its own, orthogonal to all others:
    its distance is 1 to every other vector and 0 to another zero vector.

    >>> import torch
    >>> from al_lightning.strategies import Cosine
    >>> points = Cosine().factors(torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0]]).double())
    >>> points.divergence(points)[0]
    tensor([0., 0., 1.], dtype=torch.float64)
    """

    need = Need.EMBEDDINGS

    def factors(self, rows: Tensor) -> Factors:
        """Factor ``1 - cos(x, y) = 1/2 + 1/2 - x/|x| . y/|y|``."""
        largest = rows.abs().amax(1, keepdim=True)
        is_zero = largest == 0
        rows = rows / largest.masked_fill(is_zero, 1)  # else squares of float32 over- or underflow
        norms = rows.norm(dim=1, keepdim=True)
        # The extra coordinate is the zero vectors' own direction.
        directions = torch.cat([rows / norms.masked_fill(is_zero, 1), is_zero.to(rows.dtype)], 1)
        return Factors(directions.new_full((len(rows),), 0.5), directions, directions)


class SymmetricKL(Metric):
    """The symmetrised Kullback-Leibler divergence of probabilities, in nats.

    (KL(p, q) + KL(q, p)) / 2 = sum_c (p_c - q_c) (ln p_c - ln q_c) / 2, half of Jeffreys'
    divergence (Kullback & Leibler 1951). Probabilities are clamped from below at 1e-6 and not
    normalised again; the second form shows that it stays at least 0.

    >>> import torch
    >>> from al_lightning.strategies import SymmetricKL
    >>> points = SymmetricKL().factors(torch.tensor([[0.5, 0.5], [0.8, 0.2]]).double())
    >>> points.divergence(points)[0]  # the second is 0.3 ln 4 / 2
    tensor([0.0000, 0.2079], dtype=torch.float64)
    """

    need = Need.PROBABILITIES

    def factors(self, rows: Tensor) -> Factors:
        """Factor (p . ln p + q . ln q - p . ln q - ln p . q) / 2."""
        p = rows.clamp(min=1e-6)
        log_p = p.log()
        return Factors(
            (p * log_p).sum(1) / 2, torch.cat([p, log_p], 1), torch.cat([log_p, p], 1) / 2
        )


def bound_types() -> list[torch.dtype]:
    """Return the dtypes that bounds are worth computing in, the fastest first.

    bfloat16 where the processor has units for it; float32 where torch multiplies matrices of it as
    such, and not as bfloat16 or TF32 ones, which a user may allow
    (``torch.set_float32_matmul_precision("medium")``).
    """
    fast = [torch.bfloat16] if computes_bfloat16() else []
    return [*fast, torch.float32] if _multiplies_in_float32() else fast


def _multiplies_in_float32() -> bool:
    try:
        return torch.get_float32_matmul_precision() == "highest"
    except RuntimeError:  # backends were set one by one, which no single call reports
        return False
