"""The embeddings of unlabeled and labeled images together: labels change nothing of them."""

import torch
from torch import Tensor

from al_lightning.strategies.evidence import Evidence, Need


def all_embeddings(pool: Evidence, labeled: Evidence) -> tuple[Tensor, Tensor]:
    """Return the embeddings of all images by id, and where they come from.

    >>> import torch
    >>> from al_lightning import Evidence
    >>> from al_lightning.strategies.all_images import all_embeddings
    >>> pool = Evidence(torch.tensor([2, 7]), embeddings=torch.tensor([[0.2], [0.7]]))
    >>> labeled = Evidence(torch.tensor([5]), embeddings=torch.tensor([[0.5]]))
    >>> all_embeddings(pool, labeled)
    (tensor([[0.2000],
            [0.5000],
            [0.7000]]), tensor([0, 2, 1]))

    Args:
        pool: N unlabeled images.
        labeled: L others.

    Returns:
        (N + L, D) float32, and of each the row of the pool, or N and more for labeled images,
        (N + L,) int64.
    """
    origin = torch.cat([pool.ids, labeled.ids]).argsort()
    place = origin.argsort()
    parts = [evidence.require(Need.EMBEDDINGS) for evidence in (pool, labeled)]
    rows = torch.empty(len(origin), parts[0].shape[1])
    rows[place[: len(pool)]], rows[place[len(pool) :]] = (part.float() for part in parts)
    return rows, origin
