"""MaxHerding: a generalised coverage of the pool by a soft kernel, for small budgets."""

import torch
from torch import Tensor

from al_lightning.strategies.evidence import Evidence, Need
from al_lightning.strategies.functional.herding import Herding, herding_bytes
from al_lightning.strategies.functional.rows import unit_float32
from al_lightning.strategies.selection import Selection, top_up_at_random
from al_lightning.strategies.sizes import Sizes
from al_lightning.strategies.strategy import Strategy
from al_lightning.utils.checks import require_within, whole_number


class MaxHerding(Strategy):
    """Picks the image that most raises the similarity of all images to their nearest labeled one.

    A pick maximises the mean over the pool of max(k(x_i, x) - m_i, 0), where m_i is the largest kernel
    of image i with a labeled or picked image, 0 where there is none, and k(x, y) is
    ``exp(-(|x - y| / h)^2)`` on embeddings of unit length. Bae, Noh & Sutherland, "Generalized coverage
    for more robust low-budget active learning", ECCV 2024, algorithm 1, with the kernel and h = 1 of
    the authors' program. A labeled image is wholly covered, so that a mean over labeled images too, as
    theirs, has the same maximum.

    The picks are those of the plain greedy algorithm with all N^2 pairs in float64, without these
    pairs in memory; the authors' program takes 35,000 random images at most. In a pool of more than
    ``exact_up_to`` images, the mean is that over ``references`` images, drawn at random; all images are
    candidates.

    If nothing is left to cover, the rest is drawn uniformly. A score is the mean above, in [0, 1].

    >>> import torch
    >>> from al_lightning import Evidence
    >>> from al_lightning.strategies import MaxHerding
    >>> angles = torch.tensor([0.0, 0.1, 0.2, 3.0])
    >>> pool = Evidence(torch.arange(4), embeddings=torch.stack([angles.cos(), angles.sin()], 1))
    >>> MaxHerding(bandwidth=0.5).select(pool, None, 2, torch.Generator()).ids
    tensor([1, 3])

    Args:
        bandwidth: h, above 0, as a distance of embeddings of unit length.
        exact_up_to: Pool size up to which the mean is that over all images.
        references: How many images the mean is over in larger pools.
        pool_subset: See :class:`~al_lightning.strategies.Strategy`.

    Raises:
        UsageError: On arguments out of range; names the key.
    """

    needs = labeled_needs = frozenset({Need.EMBEDDINGS})

    def __init__(
        self,
        bandwidth: float = 1.0,
        exact_up_to: int = 100_000,
        references: int = 20_000,
        *,
        pool_subset: int | None = None,
    ) -> None:
        super().__init__(pool_subset=pool_subset)
        require_within("strategy.bandwidth", bandwidth, "(0, inf)")
        whole_number("strategy.exact_up_to", exact_up_to, least=1)
        whole_number("strategy.references", references, least=1)
        self.bandwidth = bandwidth
        self.exact_up_to = exact_up_to
        self.references = references

    def choose(
        self, pool: Evidence, labeled: Evidence, count: int, generator: torch.Generator
    ) -> Selection:
        """Choose ``count`` images by greedy coverage."""
        rows = unit_float32(pool.require(Need.EMBEDDINGS))
        known = unit_float32(labeled.require(Need.EMBEDDINGS))
        some = self._draw(len(rows), generator)
        weights = self.weigh(pool, labeled)
        picks, gains = Herding(rows, some, weights, known, self.width(known)).run(count)
        counted = len(rows) if some is None else len(some)
        return top_up_at_random(pool, picks, gains / counted, count, generator)

    def weigh(self, pool: Evidence, labeled: Evidence) -> Tensor:  # noqa: ARG002
        """Return how much the coverage of each image of the pool counts, (N,) float32."""
        return torch.ones(len(pool))

    def width(self, labeled: Tensor) -> float:  # noqa: ARG002
        """Return h, given the embeddings of the labeled images, of unit length, (L, D) float32."""
        return self.bandwidth

    def _draw(self, size: int, generator: torch.Generator) -> Tensor | None:
        """Return the positions of the images that the mean is over, (R,) int64; None for all."""
        if size <= max(self.exact_up_to, self.references):
            return None
        return torch.randperm(size, generator=generator)[: self.references].sort().values

    def working_bytes(self, sizes: Sizes) -> int:
        """Return the unit embeddings of candidates and references, and blocks."""
        row = sizes.row_bytes({Need.EMBEDDINGS})
        exact = sizes.pool <= max(self.exact_up_to, self.references)
        counted = sizes.pool if exact else self.references
        return herding_bytes(sizes.pool, counted, row) + 2 * sizes.labeled * row
