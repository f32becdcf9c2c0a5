"""One pass over images by any module, run by Lightning, on one device or several."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping

import lightning as L
import torch
from lightning.pytorch.utilities.seed import isolate_rng
from torch import Tensor

from al_lightning.data.datamodule import PoolDataModule
from al_lightning.data.source import Images
from al_lightning.utils.ranks import collect_on_rank_zero, wait_for_all
from al_lightning.utils.torchrun import rank, world_size


class ImagePass(L.LightningModule):
    """Computes something of images, on the right device and in the right precision.

    Subclasses implement :meth:`compute` and :meth:`store`. What computes must be an attribute, so that
    Lightning moves it to the device. Ranks take the batches in turns.
    """

    datamodule: PoolDataModule
    ids: Tensor  # of all images, in order, (N,) int64
    batch_ids: Tensor  # of the images of the batch, (B,) int64, while it is computed

    def __init__(self) -> None:
        super().__init__()
        self.allow_zero_length_dataloader_with_multiple_devices = True  # fewer batches than ranks

    @abstractmethod
    def compute(self, images: Tensor) -> Iterable[Mapping[str, Tensor]]:
        """Yield what is wanted of a batch of prepared images, part by part: by name, (B, ...) float32.

        A part is stored before the next one is computed, which may change it.
        """

    @abstractmethod
    def store(self, first: int, found: Mapping[str, Tensor]) -> None:
        """Store a part of what was computed of a batch; called on rank zero, batch by batch in order.

        Args:
            first: The position of the batch's first image among all.
            found: A part of what :meth:`compute` has yielded, anywhere.
        """

    def transfer_batch_to_device(
        self,
        batch: tuple[Tensor, Tensor],
        device: torch.device,
        dataloader_idx: int,  # noqa: ARG002
    ) -> Tensor:
        """Move the images of a batch; labels are not used."""
        return batch[0].to(device, non_blocking=True)

    def on_after_batch_transfer(self, batch: Tensor, dataloader_idx: int) -> Tensor:  # noqa: ARG002
        """Prepare the images."""
        return self.datamodule.prepare(batch)

    def predict_step(self, batch: Tensor, batch_idx: int) -> int:
        """Compute, and send the result to rank zero; return the number of images."""
        size = self.datamodule.pass_batch_size
        index = batch_idx * world_size() + rank()
        self.batch_ids = self.ids[index * size : index * size + len(batch)]
        for part in self.compute(batch):
            for at, found in collect_on_rank_zero(index, -(-len(self.ids) // size), part):
                self.store(at * size, found)
        return len(batch)


def run_pass(
    trainer: L.Trainer,
    images_pass: ImagePass,
    datamodule: PoolDataModule,
    images: Images,
    ids: Tensor,
) -> None:
    """Run a pass over images; torch's global random state stays as it was.

    Args:
        trainer: Decides device and precision.
        images_pass: What is done with them.
        datamodule: Serves the images, and prepares them on the device.
        images: The training or the test images.
        ids: Which of them, (N,) int64, in this order.
    """
    images_pass.datamodule, images_pass.ids = datamodule, ids
    loader = datamodule.images_dataloader(images, ids, trainer.strategy.root_device)
    wait_for_all()
    with isolate_rng():
        trainer.predict(images_pass, dataloaders=loader, return_predictions=False)
