"""A selection from made-up evidence, so that a faulty strategy shows before the first fit."""

from collections.abc import Collection
from copy import deepcopy

import torch
from torch import Tensor

from al_lightning.strategies.evidence import Evidence, Need
from al_lightning.strategies.strategy import Strategy
from al_lightning.utils.errors import ScoreError, UsageError

_IMAGES = 16  # in the pool, and labeled; fewer where there are not twice as many


def rehearse(strategy: Strategy, images: int, classes: int, embedding: int) -> None:
    """Let a copy of a strategy select once, from a pool of the highest ids.

    So positions that are returned for ids are found out: in a run, most of them are ids of unlabeled
    images too, and would be taken for rounds. What a strategy raises itself is left to the run, and so
    are scores that are not finite: embeddings of a run may all be positive, and made-up ones are not.

    Args:
        strategy: Left as it is.
        images: Size of the data set that ids belong to.
        classes: C.
        embedding: D.

    Raises:
        UsageError: If what it selects cannot be taken, or it reads what it has not declared; names the
            strategy or the need.
    """
    count = min(_IMAGES, images // 2)
    if count == 0:
        return
    ids, generator = torch.arange(images), torch.Generator().manual_seed(0)
    sizes = classes, embedding, strategy.mc_samples
    pool = _made_up(ids[-count:], strategy.needs, sizes, generator)
    labeled = _made_up(ids[:count], strategy.labeled_needs, sizes, generator)
    try:
        deepcopy(strategy).select(pool, labeled, max(1, count // 2), generator)
    except ScoreError:
        return
    except UsageError as error:
        raise UsageError(
            f"{type(strategy).__name__} was tried on made-up evidence of {count} images: {error}"
        ) from error
    except Exception:
        return


def _made_up(
    ids: Tensor,
    needs: Collection[Need],
    sizes: tuple[int, int, int],
    generator: torch.Generator,
) -> Evidence:
    """Return random evidence of so many classes, dimensions of an embedding, and samples."""
    drawn = {
        need: torch.randn(len(ids), *need.row_shape(*sizes), generator=generator)
        for need in sorted(needs)
    }
    return Evidence(
        ids,
        **{
            need.value: values if need == Need.EMBEDDINGS else values.softmax(-1)
            for need, values in drawn.items()
        },
    )
