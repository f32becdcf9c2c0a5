"""Common options of all sources: horizontal flip and imbalance."""

from abc import ABC, abstractmethod
from dataclasses import replace

from al_lightning.data.source import UNKNOWN, ImageData
from al_lightning.data.sources.imbalance import check_imbalance, imbalanced_ids
from al_lightning.utils.errors import UsageError


class BaseSource(ABC):
    """An :class:`~al_lightning.data.source.ImageSource` whose training set can be made imbalanced.

    A source implements :meth:`read`; users call :meth:`load`.

    >>> import torch
    >>> from al_lightning import ImageData, Images
    >>> from al_lightning.data import BaseSource
    >>> class Noise(BaseSource):
    ...     def read(self):
    ...         images = Images(torch.rand(100, 1, 8, 8), torch.arange(100) % 2)
    ...         return ImageData(images, images, classes=("a", "b"))
    >>> source = Noise(imbalance="step", imbalance_ratio=10.0)
    >>> source.load().train.labels.bincount()
    tensor([50,  5])

    Args:
        horizontal_flip: Whether a mirrored image keeps its class: clothes do, digits do not. On the
            command line, the recipe reads it from the YAML of the data set.
        imbalance: The profile that the sizes of the training classes follow, "exponential" or
            "step"; None keeps every training image. The test set always stays as it is.
        imbalance_ratio: The size of the most common class over that of the rarest.

    Raises:
        UsageError: If the profile is unknown or the ratio is below 1.
    """

    def __init__(
        self,
        *,
        horizontal_flip: bool = False,
        imbalance: str | None = None,
        imbalance_ratio: float = 50.0,
    ) -> None:
        if imbalance is not None:
            check_imbalance(imbalance, imbalance_ratio)
        self.horizontal_flip = horizontal_flip
        self.imbalance = imbalance
        self.imbalance_ratio = imbalance_ratio

    def load(self) -> ImageData:
        """Read, check and return the data, with an imbalanced training set if requested.

        Raises:
            DataError: If the data is missing, damaged or foreign; names the file and what to do.
            DataError: If the imbalance leaves a class without an image.
            UsageError: If an imbalance is requested, but the classes of some images are unknown.
        """
        data = self.read()
        if self.imbalance is None:
            return data
        self.check_imbalance_of(known=not bool((data.train.labels == UNKNOWN).any()))
        labels, classes = data.train.labels, data.classes
        kept = imbalanced_ids(labels, classes, self.imbalance, self.imbalance_ratio)
        return replace(data, train=data.train.rows(kept))

    def check_imbalance_of(self, *, known: bool) -> None:
        """Check that no imbalance is requested, or all classes of the training images are known.

        A source may call it before it has read everything.

        Raises:
            UsageError: If not.
        """
        if self.imbalance is not None and not known:
            raise UsageError(
                f"dataset.imbalance={self.imbalance} is not possible with unlabeled images: it makes "
                "some classes rare, and theirs are not known. Use dataset.imbalance=null"
            )

    @abstractmethod
    def read(self) -> ImageData:
        """Read, check and return all the data there is.

        Raises:
            DataError: If the data is missing, damaged or foreign; names the file and what to do.
        """
