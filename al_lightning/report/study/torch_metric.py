"""Metrics of torchmetrics by name: ``MulticlassCohenKappa``, ``auroc``, ``fbeta_score(beta=0.5)``."""

import ast
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric, classification

from al_lightning.run.round_predictions import RoundPredictions
from al_lightning.utils.errors import UsageError
from al_lightning.utils.hints import did_you_mean

_PREFIX = "Multiclass"
_OTHERS = ("Binary", "Multilabel")
_MARGIN = 1e-6  # of the predicted class's probability above others that float16 makes equal


@dataclass(frozen=True)
class TorchMetric:
    """A metric of a single number, computed from what is predicted of the test images.

    Attributes:
        name: As the user wrote it; the metric's name in reports.
        kind: Its class.
        arguments: Of its constructor, but for the number of classes.
    """

    name: str
    kind: type[Metric]
    arguments: Mapping[str, Any]

    def __call__(self, found: RoundPredictions) -> float:
        """Return the metric.

        Args:
            found: Predictions, with the true classes.

        Raises:
            ValueError: If there are no true classes, torchmetrics cannot compute it, or it is not a
                single number; says which.
        """
        if found.labels is None:
            raise ValueError("the true classes were not kept")
        classes = found.log_probabilities.shape[1]
        try:
            metric = self.kind(num_classes=classes, **self.arguments)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of classes without images, at every file
                metric.update(_probabilities(found), found.labels)
                value = metric.compute()
        except (ValueError, TypeError, RuntimeError) as error:
            raise ValueError(f"torchmetrics says: {error}") from error
        if not isinstance(value, Tensor) or value.numel() != 1:
            shape = tuple(value.shape) if isinstance(value, Tensor) else "several values"
            raise ValueError(f"it is {shape}, not a number; some metrics take average='macro'")
        if not torch.isfinite(value):
            raise ValueError(f"it is {float(value)}")
        return float(value)


def torch_metric(text: str) -> TorchMetric:
    """Return a metric by its name in ``torchmetrics.classification``.

    >>> torch_metric("cohen_kappa").kind.__name__
    'MulticlassCohenKappa'
    >>> torch_metric("MulticlassFBetaScore(beta=0.5)").arguments
    {'beta': 0.5}

    Args:
        text: The class of multiclass metrics, or a short form of it, with arguments or without.

    Raises:
        UsageError: If there is none; names near ones.
    """
    name, arguments = _parsed(text.strip())
    known = {
        _plain(kind.removeprefix(_PREFIX)): kind
        for kind in classification.__all__
        if kind.startswith(_PREFIX)
    }
    if name.startswith(_OTHERS):
        raise UsageError(
            f"--metric {text}: predictions are of several classes; name a {_PREFIX} metric"
        )
    short = _plain(name).removeprefix(_PREFIX.lower())
    if short not in known:
        hint = did_you_mean(short, [kind.removeprefix(_PREFIX) for kind in known.values()])
        raise UsageError(
            f"--metric {text}: torchmetrics.classification has no multiclass metric of this name{hint}"
        )
    return TorchMetric(text.strip(), getattr(classification, known[short]), arguments)


def _parsed(text: str) -> tuple[str, dict[str, Any]]:
    """Return the name and the arguments of a text such as "fbeta_score(beta=0.5)"."""
    try:
        found = ast.parse(text, mode="eval").body
        if isinstance(found, ast.Call) and isinstance(found.func, ast.Name) and not found.args:
            pairs = [(each.arg, ast.literal_eval(each.value)) for each in found.keywords]
            return found.func.id, {name: value for name, value in pairs if name is not None}
        if isinstance(found, ast.Name):
            return found.id, {}
    except (SyntaxError, ValueError):
        pass
    raise UsageError(
        f"--metric {text}: write a name, such as cohen_kappa, or a name with arguments, such as "
        '"fbeta_score(beta=0.5)"'
    )


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _probabilities(found: RoundPredictions) -> Tensor:
    """Return probabilities, the highest that of the predicted class: float16 may have made a tie."""
    probabilities = found.log_probabilities.softmax(1)
    rows = torch.arange(len(probabilities))
    highest, place = probabilities.max(1)
    tied = place != found.predicted
    probabilities[rows[tied], found.predicted[tied]] = highest[tied] * (1 + _MARGIN)
    return probabilities / probabilities.sum(1, keepdim=True)
