"""Uncertainty first, diversity among the uncertain."""

from dataclasses import replace

import torch

from al_lightning.strategies.evidence import Evidence
from al_lightning.strategies.parts import require_part, shared_samples
from al_lightning.strategies.selection import Selection
from al_lightning.strategies.sizes import Sizes
from al_lightning.strategies.strategy import (
    ScoreStrategy,
    Strategy,
    top_k,
)
from al_lightning.utils.checks import whole_number


class Shortlist(Strategy):
    """Lets one strategy choose among the images that another scores highest.

    The images with the ``factor * count`` highest scores are the shortlist. The second strategy selects
    from the shortlist as if it were the pool, and gives the scores of the selection. The images have
    their informativeness as weights (see :meth:`ScoreStrategy.weigh`). With :class:`KMeansCenters`,
    which uses the weights, that is Zhdanov, "Diverse mini-batch active learning", 2019,
    arXiv:1901.05954, section 3; other strategies ignore the weights.

    >>> import torch
    >>> from al_lightning import Evidence
    >>> from al_lightning.strategies import Entropy, KMeansCenters, Shortlist
    >>> rows = torch.tensor([[0.5, 0.5], [0.5, 0.5], [0.6, 0.4], [1.0, 0.0]])
    >>> pool = Evidence(torch.arange(4), rows, torch.tensor([[0.0], [0.0], [1.0], [9.0]]))
    >>> strategy = Shortlist(Entropy(), KMeansCenters(), factor=3)
    >>> 3 in strategy.select(pool, None, 1, torch.Generator()).ids  # it is certain
    False

    Args:
        uncertainty: Scores images.
        diversity: Selects from the shortlist.
        factor: Length of the shortlist divided by the number of images to query, at least 1.
        pool_subset: See :class:`~al_lightning.strategies.Strategy`.

    Raises:
        UsageError: On a factor below 1, on an ``uncertainty`` that scores no single images, where one
            of the two has a ``pool_subset`` of its own, and where they take other numbers of samples.
    """

    def __init__(
        self,
        uncertainty: ScoreStrategy,
        diversity: Strategy,
        factor: int = 10,
        *,
        pool_subset: int | None = None,
    ) -> None:
        super().__init__(pool_subset=pool_subset)
        require_part("strategy.uncertainty", uncertainty, scores=True)
        require_part("strategy.diversity", diversity, scores=False)
        whole_number("strategy.factor", factor, least=1)
        self.uncertainty = uncertainty
        self.diversity = diversity
        self.factor = factor
        self.needs = uncertainty.needs | diversity.needs
        self.labeled_needs = diversity.labeled_needs
        self.mc_samples = shared_samples({"uncertainty": uncertainty, "diversity": diversity})

    def choose(
        self, pool: Evidence, labeled: Evidence, count: int, generator: torch.Generator
    ) -> Selection:
        """Choose ``count`` of the highest scores."""
        scores = self.uncertainty.scores_of(pool)
        listed = top_k(scores, min(self.factor * count, len(pool)), generator)
        weights = self.uncertainty.weigh(scores[listed]).clamp(min=0)
        shortlist = replace(pool.rows(listed), weights=weights)
        chosen = self.diversity.select(shortlist, labeled, count, generator)
        return replace(chosen, uniform=())  # nothing is a uniform sample of the pool

    def working_bytes(self, sizes: Sizes) -> int:
        """Return the bytes of scoring, and of the shortlist with choosing from it."""
        listed = min(self.factor * sizes.count, sizes.pool)
        rows = 2 * listed * sizes.row_bytes(self.needs)
        return self.uncertainty.working_bytes(sizes) + rows + self.diversity.working_bytes(sizes)
