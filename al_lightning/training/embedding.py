"""One pass over images that yields their embeddings."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import cast

import lightning as L
from torch import Tensor, nn

from al_lightning.data.datamodule import PoolDataModule
from al_lightning.data.source import Images
from al_lightning.models.backbone import Embedder
from al_lightning.training.passes import ImagePass, run_pass


def embed_images(
    trainer: L.Trainer,
    classifier: nn.Module,
    datamodule: PoolDataModule,
    sets: Sequence[tuple[Images, Tensor]],
    write: Callable[[Tensor], None],
) -> None:
    """Embed images batch by batch, so that memory does not grow with their number.

    In evaluation mode, without gradients, under the trainer's precision and on its device.

    Args:
        trainer: Its callbacks show the progress.
        classifier: Gives the embeddings, see :class:`al_lightning.Embedder`.
        datamodule: Serves the images, and normalises them on the device.
        sets: Images, and which of them, (N,) int64; one set after the other.
        write: Called on rank zero with the embeddings of each batch, (B, D) float32 on the CPU, in
            order.
    """
    for images, ids in sets:
        run_pass(trainer, _EmbeddingPass(classifier, write), datamodule, images, ids)


class _EmbeddingPass(ImagePass):
    def __init__(self, classifier: nn.Module, write: Callable[[Tensor], None]) -> None:
        super().__init__()
        self.classifier = classifier
        self._write = write

    def compute(self, images: Tensor) -> Iterator[dict[str, Tensor]]:
        """Yield the embeddings of a batch."""
        yield {"embeddings": cast("Embedder", self.classifier).embed(images).float()}

    def store(self, first: int, found: Mapping[str, Tensor]) -> None:  # noqa: ARG002
        """Write the embeddings of a batch."""
        self._write(found["embeddings"].cpu())
