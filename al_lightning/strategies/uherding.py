"""UHerding: coverage of the uncertain images, for budgets of any size."""

from torch import Tensor

from al_lightning.strategies.evidence import Evidence, Need
from al_lightning.strategies.functional.herding import least_distance
from al_lightning.strategies.functional.uncertainty_scores import margin
from al_lightning.strategies.max_herding import MaxHerding


class UHerding(MaxHerding):
    """Covers uncertain images: :class:`MaxHerding`, where an image counts by its uncertainty.

    A pick maximises the mean over the pool of u_i max(k(x_i, x) - m_i, 0) with u = 1 - (p(1) - p(2)),
    by calibrated probabilities p = softmax(z / T). The bandwidth h of the kernel is the smallest
    distance of two labeled images that are not equal, in embeddings of unit length; so with few labels
    it covers, and with many it asks for the least certain images. Before the first label, every u
    is 1 and h is 1: MaxHerding. Bae, Sutherland & Oliveira, "Uncertainty herding: one active
    learning method for all label budgets", ICLR 2025, algorithm 1, with the margin as uncertainty.

    The temperature T is the learner's; see :attr:`Need.CALIBRATED_PROBABILITIES`. (The authors train a
    second network on 70 % of the labels, and take the T from 1 to 20 of the least calibration error on
    the others.) Pools of more than 100,000 images, ties and the rest of a batch: see
    :class:`MaxHerding`. A score is the mean above, in [0, 1].

    >>> import torch
    >>> from al_lightning import Evidence
    >>> from al_lightning.strategies import UHerding
    >>> angles = torch.tensor([0.0, 0.1, 0.2, 3.0])
    >>> rows = torch.stack([angles.cos(), angles.sin()], 1)
    >>> sure = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.6, 0.4]])
    >>> pool = Evidence(torch.arange(4), embeddings=rows, calibrated_probabilities=sure)
    >>> labeled = Evidence(torch.tensor([9]), embeddings=torch.tensor([[0.0, 1.0]]))
    >>> UHerding().select(pool, labeled, 1, torch.Generator()).ids  # the others are certain
    tensor([3])
    """

    needs = frozenset({Need.EMBEDDINGS, Need.CALIBRATED_PROBABILITIES})

    def weigh(self, pool: Evidence, labeled: Evidence) -> Tensor:
        """Return u of each image of the pool, (N,) float32; 1 before the first label."""
        if len(labeled) == 0:
            return super().weigh(pool, labeled)
        return 1 + margin(pool.require(Need.CALIBRATED_PROBABILITIES))

    def width(self, labeled: Tensor) -> float:
        """Return the smallest distance of two labeled images; ``bandwidth`` if there are none."""
        return least_distance(labeled) or self.bandwidth
