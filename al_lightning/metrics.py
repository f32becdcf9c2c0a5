"""How well a classifier does, by torchmetrics."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torchmetrics import MetricCollection
from torchmetrics.classification import (
    MulticlassAccuracy,
    MulticlassCalibrationError,
    MulticlassConfusionMatrix,
    MulticlassF1Score,
    MulticlassPrecision,
    MulticlassRecall,
)
from torchmetrics.metric import Metric

#: What :func:`evaluate` returns.
Evaluation = tuple[dict[str, float], dict[str, list[float]], Tensor]

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


def scalar_metrics(num_classes: int) -> MetricCollection:
    """Return the metrics of one number each, of probabilities (B, C) and classes (B,).

    ``balanced_accuracy`` is the mean recall of the classes. Expected calibration error, ``ece``, has
    15 equal bins. A class that is neither present nor predicted counts in no macro average.
    """
    return MetricCollection(
        {
            "accuracy": MulticlassAccuracy(num_classes, average="micro"),
            "balanced_accuracy": MulticlassAccuracy(num_classes, average="macro"),
            "macro_precision": MulticlassPrecision(num_classes, average="macro"),
            "macro_recall": MulticlassRecall(num_classes, average="macro"),
            "macro_f1": MulticlassF1Score(num_classes, average="macro"),
            "nll": NegativeLogLikelihood(),
            "ece": MulticlassCalibrationError(num_classes, n_bins=_BINS, norm="l1"),
        },
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
        Scalar metrics by name; per-class precision, recall and F1 by name; the confusion matrix,
        (C, C) int64, true classes in rows.
    """
    num_classes = probabilities.shape[1]
    scalars: Mapping[str, Tensor] = scalar_metrics(num_classes)(probabilities, labels)
    per_class: dict[str, Tensor] = per_class_metrics(num_classes)(probabilities, labels)
    confusion = per_class.pop("confusion_matrix")
    return (
        {name: float(value) for name, value in scalars.items()},
        {name: value.tolist() for name, value in per_class.items()},
        confusion,
    )
