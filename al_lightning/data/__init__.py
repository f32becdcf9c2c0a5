"""Images in memory: where they come from, and how they reach the model."""

from al_lightning.data.datamodule import PoolDataModule
from al_lightning.data.folder.image_folder import ImageFolder
from al_lightning.data.source import ImageData, Images, ImageSource, Normalization
from al_lightning.data.sources.base_source import BaseSource
from al_lightning.data.sources.cifar import CIFAR10
from al_lightning.data.sources.digits import Digits
from al_lightning.data.sources.hugging_face import HuggingFaceSource
from al_lightning.data.sources.map_dataset import DatasetSource
from al_lightning.data.sources.medmnist import MedMNIST
from al_lightning.data.sources.mnist import MNIST, FashionMNIST
from al_lightning.data.sources.torchvision_source import TorchvisionSource
from al_lightning.data.strong_augmentation import RandAugment
from al_lightning.data.table.image_table import ImageTable
from al_lightning.data.transforms import (
    Cutout,
    Normalize,
    RandomHorizontalFlip,
    RandomShift,
    augmentation,
)

__all__ = [
    "CIFAR10",
    "MNIST",
    "BaseSource",
    "Cutout",
    "DatasetSource",
    "Digits",
    "FashionMNIST",
    "HuggingFaceSource",
    "ImageData",
    "ImageFolder",
    "ImageSource",
    "ImageTable",
    "Images",
    "MedMNIST",
    "Normalization",
    "Normalize",
    "PoolDataModule",
    "RandAugment",
    "RandomHorizontalFlip",
    "RandomShift",
    "TorchvisionSource",
    "augmentation",
]
