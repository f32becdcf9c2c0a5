"""MNIST and Fashion-MNIST, which are published in the same form."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

from torch import Tensor

from al_lightning.data.source import ImageData, Images, Normalization
from al_lightning.data.sources.base_source import BaseSource
from al_lightning.data.sources.idx import IdxFile, read_idx
from al_lightning.data.sources.locate import PublishedFiles, locate


class _IdxSource(BaseSource):
    """60,000 training and 10,000 test images of 1 x 28 x 28 bytes in ten classes, as IDX files.

    The files may be plain or compressed with gzip, and each is checked against the MD5 sum of its
    uncompressed content.
    """

    title: ClassVar[str]
    name: ClassVar[str]  # what torchvision calls its class, and the folder it downloads into
    files: ClassVar[Mapping[str, IdxFile]]
    elsewhere: ClassVar[tuple[Path, ...]] = ()
    advice: ClassVar[str] = ""
    classes: ClassVar[tuple[str, ...]]
    normalization: ClassVar[Normalization]

    def __init__(
        self,
        root: str,
        *,
        download: bool = True,
        horizontal_flip: bool = False,
        imbalance: str | None = None,
        imbalance_ratio: float = 50.0,
    ) -> None:
        super().__init__(
            horizontal_flip=horizontal_flip, imbalance=imbalance, imbalance_ratio=imbalance_ratio
        )
        self.root = Path(root).expanduser()
        self.download = download

    def read(self) -> ImageData:
        """Find, read and check the four files.

        Raises:
            DataError: If the files are nowhere, or one is damaged or foreign.
        """
        paths = locate(self._published(), self.root, download=self.download)
        arrays = {name: read_idx(paths[name], self.files[name]) for name in self.files}
        return ImageData(
            train=_images(arrays, "train"),
            test=_images(arrays, "t10k"),
            classes=self.classes,
            normalization=self.normalization,
        )

    def _published(self) -> PublishedFiles:
        return PublishedFiles(
            title=self.title,
            folder=f"{self.name}/raw",
            names=tuple(self.files),
            fetch=self._fetch,
            endings=("", ".gz"),
            elsewhere=self.elsewhere,
            advice=self.advice,
        )

    def _fetch(self, root: Path) -> None:
        """Download with torchvision, which checks the compressed files."""
        from torchvision import datasets  # noqa: PLC0415  # slow to import, seldom needed

        fetch: Callable[..., object] = getattr(datasets, self.name)
        fetch(root, download=True)


def _images(arrays: Mapping[str, Tensor], part: str) -> Images:
    """Pair a part's images with its labels."""
    pixels = arrays[f"{part}-images-idx3-ubyte"]
    return Images(pixels.unsqueeze(1), arrays[f"{part}-labels-idx1-ubyte"].long())


class MNIST(_IdxSource):
    """Handwritten digits (LeCun et al. 1998): 60,000 training, 10,000 test images, 1 x 28 x 28.

    The files are looked for in ``<root>/MNIST/raw``, then downloaded into it.

    >>> from al_lightning.data import MNIST
    >>> MNIST("data").normalization  # MNIST("data").load() reads the images
    Normalization(mean=(0.1307,), std=(0.3081,))

    Args:
        root: The data root.
        download: Whether to download the files where they are not found.
        horizontal_flip: Whether a mirrored image keeps its class; a mirrored digit does not.
        imbalance: "exponential" or "step" makes the training classes imbalanced.
        imbalance_ratio: The size of the most common training class over that of the rarest.
    """

    title = "MNIST"
    name = "MNIST"
    files: ClassVar[Mapping[str, IdxFile]] = {
        "train-images-idx3-ubyte": IdxFile((60000, 28, 28), "6bbc9ace898e44ae57da46a324031adb"),
        "train-labels-idx1-ubyte": IdxFile((60000,), "a25bea736e30d166cdddb491f175f624"),
        "t10k-images-idx3-ubyte": IdxFile((10000, 28, 28), "2646ac647ad5339dbf082846283269ea"),
        "t10k-labels-idx1-ubyte": IdxFile((10000,), "27ae3e4e09519cfbb04c329615203637"),
    }
    classes = tuple("0123456789")
    normalization = Normalization(mean=(0.1307,), std=(0.3081,))


class FashionMNIST(_IdxSource):
    """Clothes (Xiao et al. 2017): 60,000 training and 10,000 test images of 1 x 28 x 28.

    The files are looked for in ``<root>/FashionMNIST/raw``, then where Debian's package
    dataset-fashion-mnist installs them, then downloaded into the first.

    >>> from al_lightning.data import FashionMNIST
    >>> FashionMNIST("data").classes[:3]  # FashionMNIST("data").load() reads the images
    ('T-shirt/top', 'Trouser', 'Pullover')

    Args:
        root: The data root.
        download: Whether to download the files where they are not found.
        horizontal_flip: Whether a mirrored image keeps its class; a mirrored garment does.
        imbalance: "exponential" or "step" makes the training classes imbalanced.
        imbalance_ratio: The size of the most common training class over that of the rarest.
    """

    title = "Fashion-MNIST"
    name = "FashionMNIST"
    files: ClassVar[Mapping[str, IdxFile]] = {
        "train-images-idx3-ubyte": IdxFile((60000, 28, 28), "f4a8712d7a061bf5bd6d2ca38dc4d50a"),
        "train-labels-idx1-ubyte": IdxFile((60000,), "9018921c3c673c538a1fc5bad174d6f9"),
        "t10k-images-idx3-ubyte": IdxFile((10000, 28, 28), "8181f5470baa50b63fa0f6fddb340f0a"),
        "t10k-labels-idx1-ubyte": IdxFile((10000,), "15d484375f8d13e6eb1aabb0c3f46965"),
    }
    elsewhere = (Path("/usr/share/datasets/fashion-mnist"),)
    advice = "On Debian and Ubuntu: apt-get install dataset-fashion-mnist."
    classes = (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    )
    normalization = Normalization(mean=(0.2860,), std=(0.3530,))

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
            root,
            download=download,
            horizontal_flip=horizontal_flip,
            imbalance=imbalance,
            imbalance_ratio=imbalance_ratio,
        )
