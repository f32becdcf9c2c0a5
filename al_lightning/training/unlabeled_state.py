"""What a fit on unlabeled images keeps beside the weights."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

_FIRST = 10  # steps in which the average of the weights forgets fast


class UnlabeledState:
    """Averages of weights and of confidences, and the position in the unlabeled batches.

    >>> import torch
    >>> from al_lightning.training.unlabeled_state import UnlabeledState
    >>> state = UnlabeledState([torch.zeros(1)], 2, torch.device("cpu"))
    >>> state.average([torch.ones(1)], 0.5)  # a decay of 1 / 10 in the first step
    >>> state.weights
    [tensor([0.9000])]

    Args:
        weights: That train, as the fit begins.
        num_classes: Number of classes.
        device: Of the fit.

    Attributes:
        weights: Averages, in the order of the weights.
        epoch: In the unlabeled batches, from 0.
        batches: That were taken of it.
    """

    def __init__(self, weights: Sequence[Tensor], num_classes: int, device: torch.device) -> None:
        self.weights = [weight.clone() for weight in weights]
        self.steps = self.epoch = self.batches = 0
        self.confidence = torch.tensor(1 / num_classes, device=device)
        self.shares = torch.full((num_classes,), 1 / num_classes, device=device)

    def average(self, weights: Sequence[Tensor], decay: float) -> None:
        """Take the weights after a step into the average."""
        kept = min(decay, (1 + self.steps) / (_FIRST + self.steps))
        self.steps += 1
        torch._foreach_lerp_(self.weights, list(weights), 1 - kept)

    def put_into(self, weights: Sequence[Tensor]) -> None:
        """Set weights to their averages."""
        for weight, average in zip(weights, self.weights, strict=True):
            weight.copy_(average)

    def thresholds(self, probabilities: Tensor, decay: float) -> Tensor:
        """Return the threshold of each class after another batch, (C,) float32.

        Wang et al. 2023, "FreeMatch", ICLR, equations 5 to 8.

        Args:
            probabilities: Of weakly augmented images, (B, C) float32.
            decay: Of the averages.
        """
        self.confidence = self.confidence.lerp(probabilities.amax(1).mean(), 1 - decay)
        self.shares = self.shares.lerp(probabilities.mean(0), 1 - decay)
        return self.confidence * self.shares / self.shares.max()

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as plain values and tensors."""
        return dict(vars(self))

    def load(self, saved: dict[str, Any]) -> None:
        """Take what :meth:`as_dict` has returned."""
        device = self.confidence.device
        for name, value in saved.items():
            moved = value.to(device) if isinstance(value, Tensor) else value
            setattr(self, name, moved)
        self.weights = [weight.to(device) for weight in self.weights]
