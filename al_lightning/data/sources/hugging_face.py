"""Data sets of the Hugging Face hub, or on the disk, by the package ``datasets``, an extra."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from al_lightning.data.pixels.decode import to_mode
from al_lightning.data.pixels.duplicates import equal_images, image_digests
from al_lightning.data.source import ImageData, Images
from al_lightning.data.sources.base_source import BaseSource
from al_lightning.data.sources.grouped_split import grouped_split
from al_lightning.data.sources.map_dataset import DatasetSource
from al_lightning.data.sources.split import stratified_split
from al_lightning.utils.checks import require_within, whole_number
from al_lightning.utils.errors import DataError, UsageError

_SAVED = "dataset_dict.json"  # in a folder that datasets has saved


def _split(images: Images, fraction: float, classes: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Return which images to train and which to test on; equal ones are on one side."""
    count = max(1, round(fraction * len(images)))
    copies = equal_images(image_digests(images.pixels[:]), range(len(images)))
    if not copies:
        return stratified_split(images.labels, count, classes)
    owners = torch.arange(len(images))
    for group in copies:
        owners[[*group]] = group[0]
    return grouped_split(images.labels, owners, count, classes)


class HuggingFaceSource(BaseSource):
    """Images and labels of a data set of the Hugging Face hub, or in a folder.

    A folder is one that ``DatasetDict.save_to_disk`` has written, or one that ``load_dataset`` reads,
    such as of Parquet files. The classes are the names of the label's ``ClassLabel``, or the distinct
    labels, sorted. Images become RGB or gray, and squares of ``image_size``.

    >>> from al_lightning.data import HuggingFaceSource
    >>> HuggingFaceSource("uoft-cs/cifar10", image="img").label  # .load() reads the images
    'label'

    Args:
        name: Name of the data set on the hub, or a folder.
        config: Name of its configuration; None for the only one.
        image: Column of the images.
        label: Column of the labels.
        train: The split that is the pool.
        test: The split of the test images; None draws ``test_fraction`` of the pool, each class in
            proportion.
        test_fraction: Share of test images without a split of them, in (0, 1).
        image_size: Resize images to squares of this many pixels; None leaves them as they are, which
            is possible if all of them have one size.
        channels: 3 for RGB, 1 for gray.
        horizontal_flip: Whether a mirrored image keeps its class.
        imbalance: "exponential" or "step" makes the training classes imbalanced.
        imbalance_ratio: The size of the most common training class over that of the rarest.

    Raises:
        UsageError: On arguments out of range; names the key.
    """

    def __init__(
        self,
        name: str,
        *,
        config: str | None = None,
        image: str = "image",
        label: str = "label",
        train: str = "train",
        test: str | None = "test",
        test_fraction: float = 0.2,
        image_size: int | None = None,
        channels: int = 3,
        horizontal_flip: bool = False,
        imbalance: str | None = None,
        imbalance_ratio: float = 50.0,
    ) -> None:
        super().__init__(
            horizontal_flip=horizontal_flip, imbalance=imbalance, imbalance_ratio=imbalance_ratio
        )
        require_within("dataset.test_fraction", test_fraction, "(0, 1)")
        if image_size is not None:
            whole_number("dataset.image_size", image_size, least=1)
        if channels not in (1, 3):
            raise UsageError(f"dataset.channels must be 3 (RGB) or 1 (gray), not {channels!r}")
        self.name = name
        self.config = config
        self.image = image
        self.label = label
        self.train = train
        self.test = test
        self.test_fraction = test_fraction
        self.image_size = image_size
        self.channels = channels

    def read(self) -> ImageData:
        """Load the data set, and read its images.

        Raises:
            UsageError: If the package is not installed.
            DataError: If the data set cannot be loaded, or lacks a split or a column; names those that
                there are.
        """
        parts = self._load()
        train = self._split(parts, self.train)
        test = None if self.test is None else self._split(parts, self.test)
        classes, numbers = self._classes([train] if test is None else [train, test])
        read = [None if part is None else _Rows(self, part, numbers) for part in (train, test)]
        assert read[0] is not None
        data = DatasetSource(read[0], read[1], classes).read()
        if test is not None:
            return data
        kept, drawn = _split(data.train, self.test_fraction, classes)
        return ImageData(data.train.rows(kept), data.train.rows(drawn), classes)

    def _load(self) -> Any:
        """Return the splits by name."""
        try:
            datasets = import_module("datasets")
        except ImportError as error:
            raise UsageError(
                f"dataset=hugging_face needs the package datasets ({error}): "
                'pip install "al-lightning[hugging_face]"'
            ) from error
        folder = Path(self.name).expanduser()
        try:
            if (folder / _SAVED).is_file():
                return datasets.load_from_disk(str(folder))
            place = str(folder) if folder.is_dir() else self.name
            return datasets.load_dataset(place, self.config)
        except Exception as error:  # the hub and datasets have errors of many kinds
            said = f"{type(error).__name__}: {' '.join(str(error).split())}"
            raise DataError(
                f"{self.name} could not be loaded by datasets: {said}. Check dataset.name (a name on "
                "the hub, such as uoft-cs/cifar10, or a folder) and dataset.config. Without internet, "
                "save it elsewhere by load_dataset(NAME).save_to_disk(FOLDER), and set "
                "dataset.name=FOLDER"
            ) from error

    def _split(self, parts: Any, name: str) -> Any:
        """Return a split, with the columns that are needed."""
        key = "train" if name == self.train else "test"
        if name not in parts:
            raise DataError(
                f"{self.name} has no split {name!r}, but {', '.join(map(str, parts))}: set "
                f"dataset.{key}"
                + ("" if key == "train" else ", or null to draw the test images from the pool")
            )
        split = parts[name]
        for column in ("image", "label"):
            if (wanted := getattr(self, column)) not in split.column_names:
                raise DataError(
                    f"The split {name!r} of {self.name} has no column {wanted!r}, but "
                    f"{', '.join(split.column_names)}: set dataset.{column}"
                )
        return split

    def _classes(self, splits: Sequence[Any]) -> tuple[tuple[str, ...], dict[Any, int]]:
        """Return the names of the classes, and the number of each label."""
        names = getattr(splits[0].features[self.label], "names", None)
        if names is not None:
            return tuple(names), {number: number for number in range(len(names))}
        try:
            found = sorted({label for split in splits for label in split[self.label]} - {None})
        except TypeError as error:  # lists of labels, or texts among numbers
            raise DataError(
                f"The column {self.label!r} of {self.name} has not one label an image, all of one type "
                f"({error}): set dataset.label to a column that has"
            ) from error
        return tuple(map(str, found)), {label: number for number, label in enumerate(found)}


class _Rows(Dataset[Any]):
    """A split as pairs of an image and the number of its class."""

    def __init__(self, source: HuggingFaceSource, split: Any, numbers: dict[Any, int]) -> None:
        self._source = source
        self._split = split
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self._split)

    def __getitem__(self, index: int) -> tuple[Image.Image, int]:
        row = self._split[index]
        image, label = row[self._source.image], row[self._source.label]
        if not isinstance(image, Image.Image):
            raise DataError(
                f"Column {self._source.image!r} of {self._source.name} has no images, but "
                f"{type(image).__name__}: set dataset.image"
            )
        if label not in self._numbers:
            raise DataError(
                f"Row {index} of {self._source.name} has the label {label!r}, which is none of its "
                "classes: leave out images without labels"
            )
        image = to_mode(image, self._source.channels)
        if (size := self._source.image_size) is not None:
            image = image.resize((size, size), Image.Resampling.BILINEAR)
        return image, self._numbers[label]
