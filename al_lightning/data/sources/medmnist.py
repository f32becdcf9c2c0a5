"""MedMNIST: medical images of one small size."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from al_lightning.data.source import ImageData, Images
from al_lightning.data.sources.base_source import BaseSource
from al_lightning.data.sources.checksums import require_md5
from al_lightning.data.sources.locate import PublishedFiles, locate
from al_lightning.data.sources.medmnist_files import MEDMNIST
from al_lightning.utils.errors import UsageError
from al_lightning.utils.hints import did_you_mean

_SMALL = 28  # pixels; the file of this size has no size in its name
_GRAY = 3  # dimensions of (N, H, W)


class MedMNIST(BaseSource):
    """Medical images (Yang et al. 2023), such as "bloodmnist": one ``.npz`` file for each data set.

    ``<root>/<name>.npz``, or ``<name>_64.npz`` for images of 64 pixels, is checked against its
    published MD5 sum. The names are those of the two-dimensional data sets with one label an image.
    The pool is the published training part; the validation part is left out, since validation labels
    are bought from the budget.

    >>> from al_lightning.data import MedMNIST
    >>> MedMNIST("data", "bloodmnist").name  # .load() reads the images
    'bloodmnist'

    Args:
        root: The data root.
        name: Name of the data set.
        size: Of the images, in pixels: 28, 64, 128 or 224.
        download: Whether to download the file where it is not found.
        horizontal_flip: Whether a mirrored image keeps its class.
        imbalance: "exponential" or "step" makes the training classes imbalanced.
        imbalance_ratio: The size of the most common training class over that of the rarest.

    Raises:
        UsageError: If there is no such data set or size.
    """

    def __init__(
        self,
        root: str,
        name: str,
        *,
        size: int = 28,
        download: bool = True,
        horizontal_flip: bool = False,
        imbalance: str | None = None,
        imbalance_ratio: float = 50.0,
    ) -> None:
        super().__init__(
            horizontal_flip=horizontal_flip, imbalance=imbalance, imbalance_ratio=imbalance_ratio
        )
        if (known := MEDMNIST.get(name)) is None:
            hint = did_you_mean(name, MEDMNIST) or f": take one of {', '.join(MEDMNIST)}"
            raise UsageError(
                f"dataset.name={name} is no two-dimensional data set of MedMNIST with one label an "
                f"image{hint}"
            )
        if size not in known.md5:
            raise UsageError(f"dataset.size must be one of {[*known.md5]}, not {size!r}")
        self.root = Path(root).expanduser()
        self.name = name
        self.size = size
        self.download = download
        self._classes, self._md5 = known.classes, known.md5[size]

    def read(self) -> ImageData:
        """Find, check and read the file.

        Raises:
            DataError: If the file is nowhere, or it is damaged or foreign.
        """
        file = f"{self.name}.npz" if self.size == _SMALL else f"{self.name}_{self.size}.npz"
        published = PublishedFiles(
            title=self.name,
            folder="",
            names=(file,),
            fetch=lambda root: self._fetch(root, file),
        )
        path = locate(published, self.root, download=self.download)[file]
        require_md5(path, self._md5)
        with np.load(path, allow_pickle=False) as arrays:
            train, test = (_images(arrays, part) for part in ("train", "test"))
        return ImageData(train, test, self._classes)

    def _fetch(self, root: Path, file: str) -> None:
        from torchvision.datasets.utils import download_url  # noqa: PLC0415  # slow to import

        address = f"https://zenodo.org/records/10519652/files/{file}?download=1"
        download_url(address, str(root), file, self._md5)


def _images(arrays: Any, part: str) -> Images:
    """Bring (N, H, W) or (N, H, W, 3) uint8 and labels (N, 1) to images."""
    pixels = torch.from_numpy(arrays[f"{part}_images"])
    pixels = pixels.unsqueeze(1) if pixels.ndim == _GRAY else pixels.permute(0, 3, 1, 2)
    labels = torch.from_numpy(arrays[f"{part}_labels"]).long().flatten()
    return Images(pixels.contiguous(), labels)
