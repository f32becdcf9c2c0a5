"""CIFAR-10."""

from pathlib import Path

import numpy as np
import torch

from al_lightning.data.source import ImageData, Images, Normalization
from al_lightning.data.sources.base_source import BaseSource
from al_lightning.data.sources.checksums import require_md5
from al_lightning.data.sources.locate import PublishedFiles, locate


class CIFAR10(BaseSource):
    """Small photographs (Krizhevsky 2009): 50,000 training and 10,000 test images of 3 x 32 x 32.

    The files are looked for in ``<root>/cifar-10-batches-py``, then downloaded into it. torchvision
    reads them, after their MD5 sums were checked.

    >>> from al_lightning.data import CIFAR10
    >>> CIFAR10("data").horizontal_flip  # CIFAR10("data").load() reads the images
    True

    Args:
        root: The data root.
        download: Whether to download the files where they are not found.
        horizontal_flip: Whether a mirrored image keeps its class; all ten do.
        imbalance: "exponential" or "step" makes the training classes imbalanced.
        imbalance_ratio: The size of the most common training class over that of the rarest.
    """

    def __init__(
        self,
        root: str,
        *,
        download: bool = True,
        horizontal_flip: bool = True,
        imbalance: str | None = None,
        imbalance_ratio: float = 50.0,
    ) -> None:
        super().__init__(
            horizontal_flip=horizontal_flip, imbalance=imbalance, imbalance_ratio=imbalance_ratio
        )
        self.root = Path(root).expanduser()
        self.download = download

    def read(self) -> ImageData:
        """Find, check and read the batches.

        Raises:
            DataError: If the files are nowhere, or one is damaged or foreign.
        """
        from torchvision.datasets import CIFAR10 as Batches  # noqa: N811, PLC0415  # slow to import

        checksums = dict([*Batches.train_list, *Batches.test_list])
        checksums[Batches.meta["filename"]] = Batches.meta["md5"]
        files = PublishedFiles(
            title="CIFAR-10",
            folder=Batches.base_folder,
            names=tuple(checksums),
            fetch=lambda root: Batches(root, download=True),
        )
        paths = locate(files, self.root, download=self.download)
        for name, path in paths.items():
            # torchvision refuses a damaged file too, but does not name it.
            require_md5(path, checksums[name])
        train, test = Batches(self.root, train=True), Batches(self.root, train=False)
        return ImageData(
            train=_images(train.data, train.targets),
            test=_images(test.data, test.targets),
            classes=tuple(train.classes),
            normalization=Normalization(
                mean=(0.4914, 0.4822, 0.4465), std=(0.2470, 0.2435, 0.2616)
            ),
        )


def _images(pixels: np.ndarray, labels: list[int]) -> Images:
    """Bring (N, 32, 32, 3) to (N, 3, 32, 32)."""
    channels_first = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))
    return Images(torch.from_numpy(channels_first), torch.tensor(labels))
