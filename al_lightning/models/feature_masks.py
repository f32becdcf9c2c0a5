"""Dropout on embeddings, with masks that differ from image to image but not from run to run."""

import torch
from torch import Tensor

from al_lightning.utils.randomness import derive_generator

_BANK = 4_096  # masks that are drawn; an image and a pass pick one
_MIX = (2_654_435_761, 40_503_000_001, 0x45D9F3B)  # odd numbers that spread the bits of an id
_WORD = 0xFFFFFFFF


class FeatureMasks:
    """Drops numbers of embeddings: others for each image and pass, the same whatever the batch.

    An image's mask in a pass is one of 4,096, by its id. So a pass needs no generator of its own for
    each image, and a prediction does not depend on the images beside it.

    >>> import torch
    >>> from al_lightning.models.feature_masks import FeatureMasks
    >>> masks = FeatureMasks(p=0.75, seed=0)
    >>> dropped = masks.apply(torch.ones(2, 1000), torch.tensor([7, 8]), 0)
    >>> dropped.unique(), bool(0.7 < (dropped == 0).float().mean() < 0.8)
    (tensor([0., 4.]), True)

    Args:
        p: Share of the numbers that are dropped, in [0, 1); the others are divided by 1 - p.
        seed: With the ids and the number of the pass, all that the masks depend on.
    """

    def __init__(self, p: float, seed: int) -> None:
        self.p = p
        self._seed = seed
        self._bank: Tensor | None = None

    def apply(self, embeddings: Tensor, ids: Tensor, index: int) -> Tensor:
        """Return embeddings, (B, D), of which numbers are dropped.

        Args:
            embeddings: (B, D) float.
            ids: Of the images, (B,) int64.
            index: Number of the pass, from 0.
        """
        if self._bank is None or self._bank.device != embeddings.device:
            generator = derive_generator(self._seed, "features")
            drawn = torch.rand(_BANK, embeddings.shape[1], generator=generator)
            self._bank = (drawn >= self.p).to(embeddings.device)
        rows = _spread(ids, index).to(embeddings.device)
        return embeddings * self._bank[rows] / (1 - self.p)


def _spread(ids: Tensor, index: int) -> Tensor:
    """Return which mask each image has in a pass, (B,) int64."""
    word = (ids * _MIX[0] + (index + 1) * _MIX[1]) & _WORD
    for _ in range(2):
        word = ((word ^ (word >> 16)) * _MIX[2]) & _WORD
    return (word ^ (word >> 16)) % _BANK
