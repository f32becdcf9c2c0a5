import math

import pytest
import torch
from sklearn import metrics as sklearn
from torch import Tensor

from al_lightning.report.study.torch_metric import torch_metric
from al_lightning.run.round_predictions import RoundPredictions
from al_lightning.utils.errors import UsageError

# Of four images: three right, one of class 2 taken for class 0.
PROBABILITIES = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.5, 0.1, 0.4], [0.2, 0.2, 0.6]])
LABELS = torch.tensor([0, 1, 2, 2])


def found(
    probabilities: Tensor = PROBABILITIES, labels: Tensor | None = LABELS
) -> RoundPredictions:
    return RoundPredictions.of(probabilities, labels)


@pytest.mark.parametrize(
    "name",
    [
        "MulticlassCohenKappa",
        "cohen_kappa",
        "CohenKappa",
        "multiclass_cohen_kappa",
        " cohen_kappa ",
    ],
)
def test_a_metric_has_several_names(name: str) -> None:
    """By hand: 3 of 4 right; by chance 1/4 1/2 + 1/4 1/4 + 1/2 1/4 = 5/16, so (12 - 5) / (16 - 5)."""
    metric = torch_metric(name)
    assert metric(found()) == pytest.approx(7 / 11)
    assert metric.name == name.strip()


def test_probabilities_and_arguments_count() -> None:
    generator = torch.Generator().manual_seed(0)
    probabilities = torch.rand(200, 4, generator=generator).softmax(1)
    labels = torch.randint(4, (200,), generator=generator)
    auroc = sklearn.roc_auc_score(labels, probabilities, multi_class="ovr")
    assert torch_metric("auroc")(found(probabilities, labels)) == pytest.approx(auroc, abs=1e-3)
    predicted = probabilities.argmax(1)
    for beta in (0.5, 3.0):
        expected = sklearn.fbeta_score(labels, predicted, beta=beta, average="macro")
        metric = torch_metric(f"fbeta_score(beta={beta})")
        assert metric(found(probabilities, labels)) == pytest.approx(expected, abs=1e-6)
        assert metric.name == f"fbeta_score(beta={beta})"


def test_the_predicted_class_counts_where_float16_makes_a_tie() -> None:
    tied = RoundPredictions(torch.arange(2), torch.full((2, 3), math.log(1 / 3)), torch.tensor([2, 1]),
                            torch.tensor([2, 2]))  # fmt: skip
    assert torch_metric("MulticlassAccuracy(average='micro')")(tied) == 0.5


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cohen_kapa", "no multiclass metric of this name; did you mean CohenKappa"),
        ("xyzzy", "no multiclass metric of this name$"),
        ("BinaryAUROC", "name a Multiclass metric"),
        ("auroc(", "write a name, such as cohen_kappa"),
        ("auroc(3)", "write a name"),
        ("fbeta_score(beta=open('x'))", "write a name"),
    ],
)
def test_an_unknown_metric_is_refused(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        torch_metric(name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("confusion_matrix", r"it is \(3, 3\), not a number; some metrics take average='macro'"),
        ("recall(average=None)", r"it is \(3,\), not a number"),
        ("roc", "it is several values"),
        ("fbeta_score", "torchmetrics says: .*beta"),
        ("auroc(average='x')", "torchmetrics says: "),
    ],
)
def test_what_is_not_a_number_cannot_be_computed(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        torch_metric(name)(found())


def test_without_true_classes_nothing_can_be_computed() -> None:
    with pytest.raises(ValueError, match="the true classes were not kept"):
        torch_metric("auroc")(found(labels=None))
