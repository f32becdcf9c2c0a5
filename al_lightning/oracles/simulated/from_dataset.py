"""The labels that a data set came with."""

from pathlib import Path
from typing import Self

from torch import Tensor

from al_lightning.data.source import ImageData
from al_lightning.oracles.answers import whole_numbers
from al_lightning.run.questions import SimulatedOracle
from al_lightning.utils.errors import UsageError

_REMEDY = (
    "Let a person label them: oracle=page, oracle=csv or oracle=label_studio; "
    "in Python, oracle=ManualOracle()"
)


class DatasetOracle(SimulatedOracle):
    """Returns the labels of the data set: the usual simulation of an annotator.

    >>> import torch
    >>> from al_lightning import DatasetOracle
    >>> DatasetOracle(torch.tensor([3, 1, 4])).annotate(torch.tensor([2, 0]))
    tensor([4, 3])

    Args:
        labels: The true classes of the training set by dataset id, (N,) int64; negative for unknown
            classes.

    Raises:
        UsageError: If they are no whole numbers.
    """

    def __init__(self, labels: Tensor) -> None:
        self._labels = whole_numbers("The labels of an oracle", labels)

    @classmethod
    def for_run(cls, data: ImageData, folder: Path, seed: int) -> Self:  # noqa: ARG003
        """Make the oracle of a run from its data, the folder of its query sheets, and its seed.

        Raises:
            UsageError: If the data set does not know all classes.
        """
        require_known(data)
        return cls(data.train.labels)

    def annotate(self, ids: Tensor) -> Tensor:
        """Return the true classes.

        Raises:
            UsageError: If the data set does not know them, or an image has none here.
        """
        if len(beyond := ids[ids >= len(self._labels)]):
            raise UsageError(
                f"The oracle has {len(self._labels)} labels, and is asked for id {int(beyond[0])}: "
                "give it the label of every training image, by dataset id"
            )
        labels = self._labels[ids]
        if len(unknown := ids[labels < 0]):
            raise UsageError(
                f"The data set does not know the classes of {len(unknown)} of the images that are "
                f"asked for, such as id {int(unknown[0])}. {_REMEDY}"
            )
        return labels


def require_known(data: ImageData) -> None:
    """Check that a data set knows all its classes, so that they can be revealed.

    Raises:
        UsageError: If it does not.
    """
    if unknown := int((data.train.labels < 0).sum()):
        raise UsageError(f"The data set does not know the classes of {unknown} images. {_REMEDY}")
