"""Random sampling, the baseline that every other strategy has to beat."""

import torch

from al_lightning.strategies.evidence import Evidence
from al_lightning.strategies.selection import Selection
from al_lightning.strategies.strategy import Strategy


class Random(Strategy):
    """Samples uniformly without replacement.

    It needs no evidence, so there is no pass over the pool. Every score is 0.

    >>> import torch
    >>> from al_lightning import Evidence
    >>> from al_lightning.strategies import Random
    >>> selection = Random().select(Evidence(torch.arange(10)), None, 3, torch.Generator())
    >>> len(selection.ids.unique()), selection.scores
    (3, tensor([0., 0., 0.]))
    """

    uniform = True

    def choose(
        self,
        pool: Evidence,
        labeled: Evidence,  # noqa: ARG002 - a random choice depends on nothing
        count: int,
        generator: torch.Generator,
    ) -> Selection:
        """Choose ``count`` images, every set of them with the same probability."""
        chosen = torch.randperm(len(pool), generator=generator)[:count]
        return Selection(pool.ids[chosen], torch.zeros(count))
