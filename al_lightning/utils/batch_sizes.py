"""How an epoch is cut into batches."""

import math


def batch_sizes(count: int, batch_size: int) -> list[int]:
    """Return the sizes of the batches of an epoch: as few as possible, and as equal as possible.

    Full batches and a rest would do harm: 2,500 images in batches of 32 leave 4, and batch
    normalisation over 4 images, once an epoch, cost 2 to 4 points of accuracy (docs/recipe.md).

    >>> batch_sizes(100, 32)
    [25, 25, 25, 25]

    Args:
        count: Images of the epoch.
        batch_size: Images a batch, at most.
    """
    if count == 0:
        return []
    # No image stays alone, since batch normalisation cannot train on one.
    batches = max(1, min(math.ceil(count / batch_size), count // 2))
    size, larger = divmod(count, batches)
    return [size + 1] * larger + [size] * (batches - larger)
