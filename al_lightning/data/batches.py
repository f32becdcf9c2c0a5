"""Which positions of a subset make up each batch."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor
from torch.utils.data import Sampler

from al_lightning.utils.batch_sizes import batch_sizes
from al_lightning.utils.errors import UsageError
from al_lightning.utils.randomness import derive_generator

_FEWEST = 2  # images of a batch on a rank


class OrderedBatches(Sampler[Tensor]):
    """Consecutive positions, every one once.

    Args:
        count: Number of images.
        batch_size: Images a batch; the last may be smaller.
    """

    def __init__(self, count: int, batch_size: int) -> None:
        self._count, self._batch_size = count, batch_size

    def __len__(self) -> int:
        return math.ceil(self._count / self._batch_size)

    def __iter__(self) -> Iterator[Tensor]:
        positions = torch.arange(self._count)
        return iter(
            [positions[i : i + self._batch_size] for i in range(0, self._count, self._batch_size)]
        )


@dataclass(frozen=True)
class FitPosition:
    """Where a fit is in its batches.

    Attributes:
        epoch: From 0.
        batches: Of this epoch, that are done.
    """

    epoch: int = 0
    batches: int = 0


class ShuffledBatches(Sampler[Tensor]):
    """A new order each epoch, every position once an epoch.

    Batches are as :func:`~al_lightning.utils.batch_sizes.batch_sizes` cuts them: at most
    ``batch_size`` images, of nearly equal number.

    Args:
        count: Number of images.
        batch_size: Images a batch.
        seed: Decides the orders: epoch e of two samplers of one seed is the same.
        start: Where the first iteration begins.
    """

    def __init__(
        self, count: int, batch_size: int, seed: int, start: FitPosition | None = None
    ) -> None:
        self._count, self._batch_size, self._seed = count, batch_size, seed
        start = start or FitPosition()
        self._epoch, self._skipped = start.epoch, start.batches

    def __len__(self) -> int:
        return len(batch_sizes(self._count, self._batch_size))

    def __iter__(self) -> Iterator[Tensor]:
        # A generator, which begins when it is first asked: a DataLoader with workers makes two
        # iterators an epoch, and asks one of them.
        generator = derive_generator(self._seed, "epoch", self._epoch)
        self._epoch += 1
        skipped, self._skipped = self._skipped, 0
        yield from torch.split(
            torch.randperm(self._count, generator=generator),
            batch_sizes(self._count, self._batch_size),
        )[skipped:]


class DealtBatches(Sampler[Tensor]):
    """Whole batches, dealt out to processes in turns.

    So every batch is what it would be in one process, and so is what is computed from it.

    Args:
        batches: All of them.
        rank: Of this process, from 0.
        world_size: The number of processes.
    """

    def __init__(self, batches: OrderedBatches, rank: int, world_size: int) -> None:
        self._batches, self._rank, self._world_size = batches, rank, world_size

    def __len__(self) -> int:
        return len(range(self._rank, len(self._batches), self._world_size))

    def __iter__(self) -> Iterator[Tensor]:
        return islice(iter(self._batches), self._rank, None, self._world_size)


class SharedBatches(Sampler[Tensor]):
    """The share of a process in every batch: the processes together train on what one would train on.

    Args:
        batches: All of them.
        rank: Of this process, from 0.
        world_size: The number of processes.
    """

    def __init__(self, batches: ShuffledBatches, rank: int, world_size: int) -> None:
        self._batches, self._rank, self._world_size = batches, rank, world_size

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[Tensor]:
        for batch in self._batches:
            yield torch.tensor_split(batch, self._world_size)[self._rank]


def share_weights(sizes: Sequence[int], rank: int, world_size: int) -> list[float]:
    """Return which part of each batch is a process's, as :class:`SharedBatches` cuts them.

    Args:
        sizes: Of the batches.
        rank: Of the process, from 0.
        world_size: The number of processes.
    """
    return [(size // world_size + (rank < size % world_size)) / size for size in sizes]


def require_shares(count: int, batch_size: int, world_size: int) -> None:
    """Check that each rank gets enough of every batch for batch normalisation.

    Raises:
        UsageError: If a share has fewer than 2 images.
    """
    smallest = min(batch_sizes(count, batch_size)) // world_size
    if smallest < _FEWEST:
        raise UsageError(
            f"{count} labels in batches of {batch_size} leave {smallest} image(s) of a batch "
            f"to each of {world_size} devices, which need at least {_FEWEST}: raise "
            "budget.initial or batch_size, or use one device"
        )
