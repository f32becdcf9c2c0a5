"""One pass over images that hands on their embeddings."""

from collections.abc import Callable, Sequence
from typing import Any, cast

import lightning as L
from lightning.pytorch.utilities.seed import isolate_rng
from torch import Tensor
from torch.utils.data import DataLoader

from al_lightning.models.backbone import Embedder
from al_lightning.training.round_trainer import RoundTrainer


def embed_images(
    trainer: RoundTrainer,
    classifier: L.LightningModule,
    prepare: Callable[[Tensor], Tensor],
    loaders: Sequence[DataLoader[Any]],
    write: Callable[[Tensor], None],
) -> None:
    """Embed images batch by batch, so that memory does not grow with their number.

    In evaluation mode, without gradients, under the trainer's precision and on its device.

    Args:
        trainer: A fresh one; its callbacks show the progress.
        classifier: Gives the embeddings.
        prepare: Maps raw images to what the classifier looks at, on the device.
        loaders: Of batches whose first part is raw images; read one after the other.
        write: Takes the embeddings of each batch, (B, D) float32 on the CPU, in order.
    """
    with isolate_rng():
        trainer.predict(
            _Pass(classifier, prepare, write), dataloaders=list(loaders), return_predictions=False
        )


class _Pass(L.LightningModule):
    """Wraps any classifier, so that Lightning runs it on the right device in the right precision."""

    def __init__(
        self,
        classifier: L.LightningModule,
        prepare: Callable[[Tensor], Tensor],
        write: Callable[[Tensor], None],
    ) -> None:
        super().__init__()
        self.classifier = classifier
        self._embedder = cast("Embedder", classifier)
        self._prepare, self._write = prepare, write

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:  # noqa: ARG002
        """Prepare the images."""
        return self._prepare(batch[0])

    def predict_step(self, images: Tensor, batch_idx: int, dataloader_idx: int = 0) -> Tensor:  # noqa: ARG002
        """Hand on the embeddings of a batch."""
        embeddings = self._embedder.embed(images).float().cpu()
        self._write(embeddings)
        return embeddings  # which nobody keeps; Lightning would warn of nothing
