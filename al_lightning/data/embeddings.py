"""Embeddings of a whole data set."""

from dataclasses import dataclass

from torch import Tensor

from al_lightning.data.pixels.stored import Pixels
from al_lightning.data.source import ImageData, Images


@dataclass(frozen=True)
class Embeddings:
    """What a frozen network sees in a data set, row for row with its images.

    Attributes:
        train: Of the training images, (N, D) float32; may be on the disk.
        test: Of the test images, (M, D) float32.
        seconds: How long computing them took, in this run or in an earlier one.
    """

    train: Tensor
    test: Tensor
    seconds: float


def served_rows(images: Images, data: ImageData, embeddings: Embeddings | None) -> Pixels:
    """Return what is served of some images: pixels, or embeddings where there are any.

    Args:
        images: The training or the test images of the data set, or others.
        data: The data set that the embeddings are of.
        embeddings: None for pixels.
    """
    if embeddings is not None and images is data.train:
        return embeddings.train
    if embeddings is not None and images is data.test:
        return embeddings.test
    return images.pixels
