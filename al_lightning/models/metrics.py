"""How well a classifier does, by torchmetrics."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torchmetrics import MetricCollection
from torchmetrics.classification import (
    MulticlassAccuracy,
    MulticlassConfusionMatrix,
    MulticlassF1Score,
    MulticlassPrecision,
    MulticlassRecall,
)
from torchmetrics.metric import Metric

#: What :func:`evaluate` returns.
Evaluation = tuple[dict[str, float], dict[str, list[float]], Tensor]

_UNBOUNDED = ("nll",)  # the others are shares, and means in float32 round to just above 1
_BINS = 15  # of the calibration error, as in Guo et al. 2017


class NegativeLogLikelihood(Metric):
    """Mean of -ln p(true class), in nats; torchmetrics has none for class probabilities."""

    full_state_update = False
    higher_is_better = False
    total: Tensor
    count: Tensor

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Add probabilities, (B, C), and classes, (B,)."""
        likelihood = preds.gather(1, target[:, None]).squeeze(1)
        # A float32 softmax can round a class to 0; the smallest normal number keeps the mean finite.
        self.total -= likelihood.clamp_min(torch.finfo(torch.float32).tiny).log().sum()
        self.count += len(target)

    def compute(self) -> Tensor:
        """Return the mean, a scalar."""
        return self.total / self.count


class BalancedAccuracy(MulticlassConfusionMatrix):
    """Mean recall of the classes that have labels, as scikit-learn's ``balanced_accuracy_score``.

    Macro recall counts a class that is predicted, and has no labels, as 0; this leaves it out.
    """

    def compute(self) -> Tensor:
        """Return the mean, a scalar."""
        confusion = super().compute().float()
        labels = confusion.sum(1)
        recall: Tensor = confusion.diagonal()[labels > 0] / labels[labels > 0]
        return recall.mean()


class ExpectedCalibrationError(Metric):
    """Mean gap of confidence and accuracy over equal bins of confidence, (lo, hi].

    The gap of a bin is |share of right predictions - mean confidence|, weighed by how many it has.
    Guo, Pleiss, Sun & Weinberger, "On calibration of modern neural networks", ICML 2017, equation 3.
    (torchmetrics' bins are [lo, hi), with a confidence of 1 in a bin of its own.)

    Args:
        num_bins: Bins between 0 and 1.
    """

    full_state_update = False
    higher_is_better = False
    gaps: Tensor
    count: Tensor

    def __init__(self, num_bins: int = 15, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_bins = num_bins
        self.add_state("gaps", torch.zeros(num_bins), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Add probabilities, (B, C), and classes, (B,)."""
        confidence, predicted = preds.max(1)
        # Upper ends as the nearest numbers there are: .6 is in (.533, .6], whatever the dtype.
        ends = torch.arange(1, self.num_bins, dtype=preds.dtype, device=preds.device)
        bins = torch.bucketize(confidence, ends / self.num_bins)
        inside = torch.nn.functional.one_hot(bins, self.num_bins)
        self.gaps += (inside * ((predicted == target).to(preds.dtype) - confidence)[:, None]).sum(0)
        self.count += len(target)

    def compute(self) -> Tensor:
        """Return the error, a scalar in [0, 1]."""
        return self.gaps.abs().sum() / self.count


def scalar_metrics(num_classes: int, prefix: str = "") -> MetricCollection:
    """Return the metrics of one number each, of probabilities (B, C) and classes (B,).

    ``balanced_accuracy`` is the mean recall of the classes that have labels. A class that has none, and
    is predicted, counts as 0 in the macro averages; one that is not predicted either counts in none.
    Expected calibration error, ``ece``, has 15 equal bins.

    Args:
        num_classes: Number of classes.
        prefix: Of the names of the results.
    """
    return MetricCollection(
        {
            "accuracy": MulticlassAccuracy(num_classes, average="micro"),
            "balanced_accuracy": BalancedAccuracy(num_classes),
            "macro_precision": MulticlassPrecision(num_classes, average="macro"),
            "macro_recall": MulticlassRecall(num_classes, average="macro"),
            "macro_f1": MulticlassF1Score(num_classes, average="macro"),
            "nll": NegativeLogLikelihood(),
            "ece": ExpectedCalibrationError(_BINS),
        },
        prefix=prefix,
        compute_groups=False,  # groups merge states lazily, which costs more than it saves here
    )


def per_class_metrics(num_classes: int) -> MetricCollection:
    """Return the metrics of one number a class: precision, recall, F1; and the confusion matrix.

    The confusion matrix, (C, C) int64, has true classes in rows, predicted ones in columns.
    """
    return MetricCollection(
        {
            "precision": MulticlassPrecision(num_classes, average="none"),
            "recall": MulticlassRecall(num_classes, average="none"),
            "f1": MulticlassF1Score(num_classes, average="none"),
            "confusion_matrix": MulticlassConfusionMatrix(num_classes),
        },
        compute_groups=False,
    )


def evaluate(probabilities: Tensor, labels: Tensor) -> Evaluation:
    """Measure predictions on a whole set at once.

    Args:
        probabilities: (N, C) float32, rows sum to 1.
        labels: (N,) int64.

    Returns:
        Scalar metrics by name; per-class precision, recall, F1 and support (number of images) by name;
        the confusion matrix, (C, C) int64, true classes in rows.
    """
    num_classes = probabilities.shape[1]
    scalars: Mapping[str, Tensor] = scalar_metrics(num_classes)(probabilities, labels)
    per_class: dict[str, Tensor] = per_class_metrics(num_classes)(probabilities, labels)
    confusion = per_class.pop("confusion_matrix")
    per_class["support"] = confusion.sum(1)
    return (
        {n: float(v if n in _UNBOUNDED else v.clamp(max=1)) for n, v in scalars.items()},
        {name: value.tolist() for name, value in per_class.items()},
        confusion,
    )
