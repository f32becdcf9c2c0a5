"""The handwritten digits that ship with scikit-learn: real images, and nothing to download."""

import torch

from al_lightning.data.source import ImageData, Images
from al_lightning.data.sources.base_source import BaseSource
from al_lightning.data.sources.split import stratified_split

_TEST_IMAGES = 500
_WHITEST = 16  # the file's pixels run from 0 to 16


class Digits(BaseSource):
    """Handwritten digits (Alpaydin & Kaynak 1998): 1,297 training and 500 test images of 1 x 8 x 8.

    Test images are a fixed, stratified draw, whatever the run's seed. The file's 17 shades are
    spread over 0 to 255.

    >>> from al_lightning.data import Digits
    >>> data = Digits().load()
    >>> len(data.train), len(data.test), data.image_shape
    (1297, 500, (1, 8, 8))

    Args:
        horizontal_flip: Whether a mirrored image keeps its class; a mirrored digit does not.
        imbalance: "exponential" or "step" makes the training classes imbalanced.
        imbalance_ratio: The size of the most common training class over that of the rarest.
    """

    def __init__(
        self,
        *,
        horizontal_flip: bool = False,
        imbalance: str | None = None,
        imbalance_ratio: float = 50.0,
    ) -> None:
        super().__init__(
            horizontal_flip=horizontal_flip, imbalance=imbalance, imbalance_ratio=imbalance_ratio
        )

    def read(self) -> ImageData:
        """Read the images from scikit-learn's folder and split off the test images."""
        from sklearn.datasets import load_digits  # noqa: PLC0415  # slow to import

        digits = load_digits()
        shades = torch.from_numpy(digits.images).unsqueeze(1)
        pixels = (shades * 255 / _WHITEST).round().to(torch.uint8)
        images = Images(pixels, torch.from_numpy(digits.target).long())
        classes = tuple("0123456789")
        train, test = stratified_split(images.labels, _TEST_IMAGES, classes)
        return ImageData(images.rows(train), images.rows(test), classes)
