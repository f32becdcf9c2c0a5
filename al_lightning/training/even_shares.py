"""Gradients of batches that are shared out among ranks, every image counting the same."""

from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor, distributed
from torch._C._distributed_c10d import GradBucket
from torch.nn.parallel import DistributedDataParallel

from al_lightning.data.batches import share_weights
from al_lightning.utils.batch_sizes import batch_sizes
from al_lightning.utils.torchrun import rank, world_size


class EvenShares(Callback):
    """Lets every image of a batch count the same, whichever rank has it.

    DistributedDataParallel averages over ranks; where one has an image more than another, its images
    would count less than the other's.

    Args:
        labels: Images to train on.
        batch_size: Images a batch, of all ranks together.
    """

    def __init__(self, labels: int, batch_size: int) -> None:
        self._weights = share_weights(batch_sizes(labels, batch_size), rank(), world_size())
        self._weight = 0.0

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Decide how gradients are put together."""
        model = trainer.strategy.model
        if isinstance(model, DistributedDataParallel):
            model.register_comm_hook(None, self._weighted_sum)

    def on_train_batch_start(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Note how much of this batch is here."""
        self._weight = self._weights[batch_idx]

    def _weighted_sum(self, state: object, bucket: GradBucket) -> torch.futures.Future[Tensor]:
        """Return the mean of the gradients over all images of the batch."""
        gradients = bucket.buffer().mul_(self._weight)
        work = distributed.all_reduce(gradients, async_op=True)
        return work.get_future().then(lambda done: done.value()[0])
