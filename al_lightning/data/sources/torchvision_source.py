"""The classification data sets of torchvision, by name."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from al_lightning.data.source import UNKNOWN, ImageData, Images
from al_lightning.data.sources.base_source import BaseSource
from al_lightning.data.sources.locate import not_found
from al_lightning.data.sources.map_dataset import DatasetSource
from al_lightning.utils.checks import whole_number
from al_lightning.utils.errors import DataError, UsageError
from al_lightning.utils.hints import did_you_mean


@dataclass(frozen=True)
class _Set:
    """How torchvision names the parts of a data set.

    Attributes:
        train: Arguments for the training images.
        test: Arguments for the test images.
        mirrored: Whether a mirrored image keeps its class.
        unlabeled: Arguments for images without labels; None if there are none.
        sized: Whether all images have one size.
        transposed: Whether the files have rows for columns.
    """

    train: Mapping[str, Any]
    test: Mapping[str, Any]
    mirrored: bool = True
    unlabeled: Mapping[str, Any] | None = None
    sized: bool = True
    transposed: bool = False


_FLAGS = {"train": True}, {"train": False}
_SPLITS = {"split": "train"}, {"split": "test"}
_TRAINVAL = {"split": "trainval"}, {"split": "test"}
_SETS: Mapping[str, _Set] = {
    "CIFAR10": _Set(*_FLAGS),
    "CIFAR100": _Set(*_FLAGS),
    "DTD": _Set(*_SPLITS, sized=False),
    "EMNIST": _Set(
        {"split": "balanced", "train": True},
        {"split": "balanced", "train": False},
        mirrored=False,
        transposed=True,  # https://github.com/pytorch/vision/issues/8783
    ),
    "FGVCAircraft": _Set(*_TRAINVAL, sized=False),
    "FashionMNIST": _Set(*_FLAGS),
    "Flowers102": _Set(*_SPLITS, sized=False),
    "Food101": _Set(*_SPLITS, sized=False),
    "GTSRB": _Set(*_SPLITS, mirrored=False, sized=False),
    "KMNIST": _Set(*_FLAGS, mirrored=False),
    "MNIST": _Set(*_FLAGS, mirrored=False),
    "OxfordIIITPet": _Set(*_TRAINVAL, sized=False),
    "QMNIST": _Set(*_FLAGS, mirrored=False),
    "STL10": _Set(*_SPLITS, unlabeled={"split": "unlabeled"}),
    "SVHN": _Set(*_SPLITS, mirrored=False),
    "USPS": _Set(*_FLAGS, mirrored=False),
}


def keeps_class_mirrored(name: str) -> bool:
    """Return whether mirrored images of a data set keep their class; False for unknown names.

    >>> keeps_class_mirrored("CIFAR100"), keeps_class_mirrored("SVHN")
    (True, False)
    """
    return name in _SETS and _SETS[name].mirrored


class TorchvisionSource(BaseSource):
    """A classification data set of torchvision, in its published split into training and test images.

    torchvision reads the files, in its own layout below the data root, and downloads them where they
    are missing. The names are CIFAR10, CIFAR100, DTD, EMNIST (its balanced split), FGVCAircraft,
    FashionMNIST, Flowers102, Food101, GTSRB, KMNIST, MNIST, OxfordIIITPet, QMNIST, STL10, SVHN and
    USPS. The labels of SVHN are the digits, 0 to 9. The images of EMNIST, which torchvision shows lying
    on their side, are put upright.

    >>> from al_lightning.data import TorchvisionSource
    >>> TorchvisionSource("data", "SVHN").horizontal_flip  # .load() reads the images
    False

    Args:
        root: The data root.
        name: The name of torchvision's class.
        download: Whether to download the files where they are not found.
        image_size: Resize images to squares of this many pixels; None leaves them as they are, which
            is possible if all of them have one size.
        unlabeled: Whether images that were published without labels belong to the pool (STL10 has
            100,000 of them); a person has to label them.
        horizontal_flip: Whether a mirrored image keeps its class; None: as the data set has it.
        imbalance: "exponential" or "step" makes the training classes imbalanced.
        imbalance_ratio: The size of the most common training class over that of the rarest.

    Raises:
        UsageError: If there is no such data set, or images of many sizes are not resized.
    """

    def __init__(
        self,
        root: str,
        name: str,
        *,
        download: bool = True,
        image_size: int | None = None,
        unlabeled: bool = True,
        horizontal_flip: bool | None = None,
        imbalance: str | None = None,
        imbalance_ratio: float = 50.0,
    ) -> None:
        if (known := _SETS.get(name)) is None:
            hint = did_you_mean(name, _SETS) or f": take one of {', '.join(_SETS)}"
            raise UsageError(
                f"dataset.name={name} is no classification data set of torchvision{hint}"
            )
        if image_size is not None:
            whole_number("dataset.image_size", image_size, least=1)
        elif not known.sized:
            raise UsageError(
                f"The images of {name} have many sizes: set dataset.image_size, such as 224"
            )
        super().__init__(
            horizontal_flip=known.mirrored if horizontal_flip is None else horizontal_flip,
            imbalance=imbalance,
            imbalance_ratio=imbalance_ratio,
        )
        self.root = Path(root).expanduser()
        self.name = name
        self.download = download
        self.image_size = image_size
        self.unlabeled = unlabeled
        self._parts = known

    def read(self) -> ImageData:
        """Read the training and test images, and those without labels.

        Raises:
            DataError: If the files are nowhere, or torchvision refuses them.
        """
        data = DatasetSource(self._part(self._parts.train), self._part(self._parts.test)).read()
        if self._parts.transposed:
            data = replace(data, train=_upright(data.train), test=_upright(data.test))
        if self._parts.unlabeled is None or not self.unlabeled:
            return data
        images = _Zeros(self._part(self._parts.unlabeled))
        pixels = DatasetSource(images, classes=data.classes).read().train.pixels
        labels = torch.full((len(pixels),), UNKNOWN)
        train = data.train
        return replace(
            data,
            train=Images(
                torch.cat([train.pixels[:], pixels[:]]), torch.cat([train.labels, labels])
            ),
        )

    def _part(self, options: Mapping[str, Any]) -> Any:
        """Return a part of the data set, downloaded where it is missing."""
        from torchvision import datasets  # noqa: PLC0415  # slow to import

        kind, tried = getattr(datasets, self.name), []
        settings = {**options, **self._resized()}
        try:
            return kind(self.root, **settings)
        except Exception as error:  # torchvision has errors of many kinds
            tried.append(f"{self.root}: {_said(error)}")
        if not self.download:
            tried.append("download: switched off by dataset.download=false")
        else:
            try:
                self.root.mkdir(parents=True, exist_ok=True)
                return kind(self.root, **settings, download=True)
            except Exception as error:
                tried.append(f"download into {self.root}: {_said(error)}")
        files = f"Put the files into {self.root}, as torchvision.datasets.{self.name} has them."
        raise DataError(not_found(self.name, files, "them", self.root, tried))

    def _resized(self) -> dict[str, Any]:
        """Return the transform that brings all images to one size, as an argument."""
        if self.image_size is None:
            return {}
        from torchvision.transforms import v2  # noqa: PLC0415  # slow to import

        size = (self.image_size, self.image_size)
        return {"transform": v2.Compose([v2.RGB(), v2.Resize(size, antialias=True)])}


def _upright(images: Images) -> Images:
    return Images(images.pixels[:].transpose(2, 3).contiguous(), images.labels)


class _Zeros(torch.utils.data.Dataset[Any]):
    """The images of a data set without labels, all of class 0."""

    def __init__(self, images: Any) -> None:
        self._images = images

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return self._images[index][0], 0


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
