"""A simulated annotator with label noise."""

from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from al_lightning.data.source import ImageData
from al_lightning.oracles.answers import whole_numbers
from al_lightning.oracles.simulated.from_dataset import DatasetOracle, require_known
from al_lightning.utils.checks import require_within
from al_lightning.utils.errors import UsageError
from al_lightning.utils.randomness import derive_generator


class NoisyOracle(DatasetOracle):
    """Gives another class than the true one at a given rate, each other class equally likely.

    This is the uniform label noise of Angluin & Laird, "Learning from noisy examples", 1988. The wrong
    labels depend only on the seed and the image, not on the strategy or the time of the query.

    >>> import torch
    >>> from al_lightning import NoisyOracle
    >>> oracle = NoisyOracle(torch.zeros(1000).long(), num_classes=2, rate=0.1, seed=0)
    >>> mistakes = int(oracle.annotate(torch.arange(1000)).sum())
    >>> 60 < mistakes < 140
    True

    Args:
        labels: The true classes by dataset id, (N,) int64; negative for unknown classes.
        num_classes: Number of classes, at least 2.
        rate: The probability of a wrong label, in [0, 1].
        seed: Seed of the wrong labels.

    Raises:
        UsageError: On a rate outside [0, 1], or fewer than 2 classes.
    """

    def __init__(self, labels: Tensor, num_classes: int, rate: float, seed: int) -> None:
        require_within("oracle.rate", rate, "[0, 1]")
        if num_classes < 2:  # noqa: PLR2004
            raise UsageError("oracle=noisy needs at least 2 classes")
        labels = whole_numbers("The labels of an oracle", labels)
        generator = derive_generator(seed, "label noise")
        mistaken = torch.rand(len(labels), generator=generator, dtype=torch.float64) < rate
        offset = torch.randint(1, num_classes, (len(labels),), generator=generator)
        flipped = mistaken & (labels >= 0)
        super().__init__(torch.where(flipped, (labels + offset) % num_classes, labels))

    @classmethod
    def for_run(cls, data: ImageData, folder: Path, seed: int, rate: float = 0.1) -> Self:  # noqa: ARG003
        """Make the oracle of a run from its data, the folder of its query sheets, and its seed."""
        require_known(data)
        return cls(data.train.labels, len(data.classes), rate, seed)
