"""Embeddings of a whole data set."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Embeddings:
    """What a frozen network sees in a data set, row for row with its images.

    Attributes:
        train: Of the training images, (N, D) float32; may lie on the disk.
        test: Of the test images, (M, D) float32.
        seconds: How long computing them took, in this run or in an earlier one.
    """

    train: Tensor
    test: Tensor
    seconds: float
