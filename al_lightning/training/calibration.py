"""Calibrated confidences: the temperature by which logits are divided, and what it changes."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from al_lightning.models.backbone import to_probabilities
from al_lightning.models.metrics import ExpectedCalibrationError

_LOG_RANGE = math.log(20.0)  # temperatures from 1/20 to 20
_HALVINGS = 50  # of that range: to the last bit


@dataclass(frozen=True)
class Calibration:
    """A temperature, and how much better confidences are with it.

    >>> import torch
    >>> from al_lightning.training.calibration import calibrate
    >>> logits = torch.tensor([[4.0, 0.0], [4.0, 0.0], [0.0, 4.0], [4.0, 0.0]])
    >>> found = calibrate(logits, torch.tensor([0, 1, 1, 0]), torch.tensor([0, 0, 1, 1]), "validation")
    >>> found.temperature > 1  # sure of 98 %, right in 3 of 4
    True

    Attributes:
        temperature: T > 0; above 1, confidences become lower.
        labels: The number of labels that it was fitted on.
        source: What these labels are: "validation", drawn at random; or "out_of_fold", those that the
            classifier has trained on, predicted by classifiers that have not.
        ece_before: Expected calibration error on these labels without the temperature, in [0, 1].
        ece_after: The same with a temperature. That of a label was fitted without the label's fold, so
            that the error is not too low.
    """

    temperature: float
    labels: int
    source: str
    ece_before: float
    ece_after: float

    def as_event(self) -> dict[str, Any]:
        """Return the attributes as plain values, as the journal has them."""
        return asdict(self)


def to_logits(probabilities: Tensor) -> Tensor:
    """Return the logarithms of probabilities, (N, C) float32: logits but for a constant a row.

    A probability of 0, as a softmax in float32 rounds it, counts as the smallest normal number.
    """
    return probabilities.clamp_min(torch.finfo(torch.float32).tiny).log()


def tempered(logits: Tensor, temperature: float) -> Tensor:
    """Return probabilities at a temperature: softmax(logits / temperature).

    The order of the classes of an image stays, so that it is predicted to be the same class.

    >>> import torch
    >>> from al_lightning.training.calibration import tempered
    >>> tempered(torch.tensor([[2.0, 0.0]]), 2.0)
    tensor([[0.7311, 0.2689]])

    Args:
        logits: (N, C) float; or logarithms of probabilities, which differ by a constant a row.
        temperature: Above 0.

    Returns:
        (N, C) float32; rows sum to 1.
    """
    return to_probabilities(logits.float() / temperature)


def fit_temperature(logits: Tensor, labels: Tensor, prior_std: float = 1.0) -> float:
    """Fit the temperature to labels: the one of the highest likelihood, between 1/20 and 20.

    Guo, Pleiss, Sun & Weinberger, "On calibration of modern neural networks", ICML 2017, section 4.2.
    A normal prior on ln T with mean 0 is added: where a few labels are all predicted right, the
    likelihood alone has its maximum at T = 0, which means to be sure of everything. Among 100 labels
    the prior hardly matters. ``prior_std=math.inf`` is the likelihood alone.

    The derivative of the objective is bisected in float64, which no starting point or step size can
    lead astray.

    >>> import torch
    >>> from al_lightning.training.calibration import fit_temperature
    >>> logits = torch.tensor([[4.0, 0.0]]).repeat(100, 1)
    >>> labels = (torch.arange(100) % 4 == 0).long()  # .75 of class 0, and ln(.75 / .25) = 4 / T
    >>> round(fit_temperature(logits, labels, float("inf")), 4)
    3.641

    Args:
        logits: (N, C) float, finite.
        labels: (N,) int64.
        prior_std: Standard deviation of the prior on ln T.

    Raises:
        ValueError: If logits are not finite, or labels do not pair up with them.
    """
    if logits.shape[:1] != labels.shape or not bool(logits.isfinite().all()):
        raise ValueError(
            f"expected finite logits (N, C) and labels (N,), not {tuple(logits.shape)} and "
            f"{tuple(labels.shape)}"
        )
    rows = logits.double()
    given = rows.gather(1, labels[:, None]).squeeze(1)

    def slope(log_t: float) -> float:
        """Return the derivative of the negative log posterior with respect to ln T."""
        inverse = math.exp(-log_t)
        expected = ((rows * inverse).softmax(1) * rows).sum(1)
        return -inverse * float((expected - given).sum()) + log_t / prior_std**2

    low, high = -_LOG_RANGE, _LOG_RANGE
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return math.exp((low + high) / 2)


def calibrate(logits: Tensor, labels: Tensor, fold_of: Tensor, source: str) -> Calibration:
    """Fit a temperature on all labels, and measure what temperatures do on labels they have not seen.

    Args:
        logits: (N, C) float of images that the classifier was not trained on; or logarithms of
            probabilities.
        labels: (N,) int64.
        fold_of: The fold of each image, (N,) int64; for the error after calibration, the temperature
            of a fold is fitted on the other folds.
        source: What the labels are, see :class:`Calibration`.
    """
    after = torch.empty(logits.shape)
    for fold in torch.unique(fold_of).tolist():
        others = fold_of != fold
        after[~others] = tempered(logits[~others], fit_temperature(logits[others], labels[others]))
    return Calibration(
        fit_temperature(logits, labels),
        len(labels),
        source,
        calibration_error(to_probabilities(logits), labels),
        calibration_error(after, labels),
    )


def calibration_error(probabilities: Tensor, labels: Tensor) -> float:
    """Return the expected calibration error, as the journal's metric ``ece`` counts it.

    Args:
        probabilities: (N, C) float32.
        labels: (N,) int64.
    """
    error: Tensor = ExpectedCalibrationError()(probabilities, labels)
    return float(error)
