import math

import numpy as np
import pytest
import torch
from sklearn import metrics as reference
from torch import Tensor

from al_lightning.models.metrics import NegativeLogLikelihood, evaluate, scalar_metrics

C = 5


def predictions(count: int = 200, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Probabilities that are right about half of the time, and classes that are not balanced."""
    generator = torch.Generator().manual_seed(seed)
    labels = (torch.rand(count, generator=generator) ** 2 * C).long()
    logits = torch.randn(count, C, generator=generator)
    logits[torch.arange(count), labels] += 1.5
    return logits.softmax(1), labels


def sure_of(*pairs: tuple[int, float]) -> Tensor:
    """Rows of three probabilities: this class with this probability, the rest shared evenly."""
    rows = [[(1 - p) / 2] * 3 for _, p in pairs]
    for row, (predicted, p) in zip(rows, pairs, strict=True):
        row[predicted] = p
    return torch.tensor(rows)


@pytest.mark.parametrize("count", [1, 7, 200])
def test_scalars_are_those_of_scikit_learn(count: int) -> None:
    probabilities, labels = predictions(count)
    scalars, _, _ = evaluate(probabilities, labels)
    truth, guess = labels.numpy(), probabilities.argmax(1).numpy()
    options = {"average": "macro", "zero_division": 0.0}
    exact = probabilities.double() / probabilities.double().sum(1, keepdim=True)
    expected = {
        "accuracy": reference.accuracy_score(truth, guess),
        "macro_precision": reference.precision_score(truth, guess, **options),
        "macro_recall": reference.recall_score(truth, guess, **options),
        "macro_f1": reference.f1_score(truth, guess, **options),
        "nll": reference.log_loss(truth, exact.numpy(), labels=range(C)),
    }
    assert {key: scalars[key] for key in expected} == pytest.approx(expected, rel=1e-5)


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")  # which is the point
@pytest.mark.parametrize("count", [2, 7, 200])
def test_balanced_accuracy_is_that_of_scikit_learn(count: int) -> None:
    probabilities, labels = predictions(count)
    expected = reference.balanced_accuracy_score(labels.numpy(), probabilities.argmax(1).numpy())
    assert evaluate(probabilities, labels)[0]["balanced_accuracy"] == pytest.approx(expected)


def test_a_class_without_labels_counts_in_macro_recall_alone() -> None:
    # Class 2 has no labels and is predicted once: recalls are 1, 1/2 and, in the macro average, 0.
    probabilities = sure_of((0, 0.9), (1, 0.9), (2, 0.9))
    scalars, _, _ = evaluate(probabilities, torch.tensor([0, 1, 1]))
    assert scalars["balanced_accuracy"] == pytest.approx(3 / 4)
    assert scalars["macro_recall"] == pytest.approx(1 / 2)


def test_scalars_are_the_ones_the_journal_promises() -> None:
    scalars, per_class, _ = evaluate(*predictions())
    macro = {"macro_precision", "macro_recall", "macro_f1"}
    assert scalars.keys() == {"accuracy", "balanced_accuracy", "nll", "ece"} | macro
    assert all(type(value) is float for value in scalars.values())
    assert per_class.keys() == {"precision", "recall", "f1", "support"}


@pytest.mark.parametrize("count", [3, 200])
def test_per_class_is_that_of_scikit_learn(count: int) -> None:
    probabilities, labels = predictions(count)
    _, per_class, _ = evaluate(probabilities, labels)
    expected = reference.precision_recall_fscore_support(
        labels.numpy(), probabilities.argmax(1).numpy(), labels=range(C), zero_division=0.0
    )
    for name, values in zip(("precision", "recall", "f1"), expected[:3], strict=True):
        assert per_class[name] == pytest.approx(values.tolist())


def test_confusion_matrix_has_true_classes_in_rows() -> None:
    probabilities, labels = predictions()
    _, _, confusion = evaluate(probabilities, labels)
    truth, guess = labels.numpy(), probabilities.argmax(1).numpy()
    expected = reference.confusion_matrix(truth, guess, labels=range(C))
    assert confusion.dtype == torch.int64
    assert confusion.tolist() == expected.tolist()
    assert confusion.tolist() != expected.T.tolist()


def test_scalars_by_hand() -> None:
    probabilities = sure_of((0, 0.9), (0, 0.5), (1, 0.8), (2, 0.6))
    scalars, per_class, confusion = evaluate(probabilities, torch.tensor([0, 1, 1, 2]))
    assert scalars["accuracy"] == 0.75
    assert scalars["balanced_accuracy"] == pytest.approx((1 + 0.5 + 1) / 3)
    assert scalars["macro_precision"] == pytest.approx((0.5 + 1 + 1) / 3)
    assert scalars["macro_f1"] == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    logs = math.log(0.9) + math.log(0.25) + math.log(0.8) + math.log(0.6)
    assert scalars["nll"] == pytest.approx(-logs / 4)
    assert per_class["recall"] == [1.0, 0.5, 1.0]
    assert confusion.tolist() == [[1, 0, 0], [1, 1, 0], [0, 0, 1]]


@pytest.mark.parametrize("classes", [3, 10, 37])
def test_what_is_all_right_is_never_more_than_right(classes: int) -> None:
    """A tenth in float32, ten times, is more than 1."""
    labels = torch.arange(7 * classes) % classes
    scalars, per_class, _ = evaluate(torch.eye(classes)[labels], labels)
    shares = [value for name, value in scalars.items() if name not in ("nll", "ece")]
    assert shares == [1.0] * 5
    assert per_class["f1"] == [1.0] * classes


def test_calibration_error_by_hand() -> None:
    # Two of confidence .9, one of them right; two of confidence .5, both right.
    probabilities = sure_of((0, 0.9), (1, 0.9), (2, 0.5), (0, 0.5))
    scalars, _, _ = evaluate(probabilities, torch.tensor([0, 0, 2, 0]))
    assert scalars["ece"] == pytest.approx(0.5 * 0.4 + 0.5 * 0.5)


def test_calibration_error_has_fifteen_bins() -> None:
    # .81 and .88 share a bin of tenths; .87 and .93 share a bin of fifteenths.
    apart, together = sure_of((0, 0.81), (0, 0.88)), sure_of((0, 0.87), (0, 0.93))
    labels = torch.tensor([0, 1])
    assert evaluate(apart, labels)[0]["ece"] == pytest.approx((0.19 + 0.88) / 2)
    assert evaluate(together, labels)[0]["ece"] == pytest.approx(0.9 - 0.5)


def test_calibration_bins_hold_their_upper_ends() -> None:
    # 12/15 = .8 lies with .75, not with .85; and 1 lies with .99.
    labels = torch.tensor([0, 1])
    with_lower, with_upper = sure_of((0, 0.75), (0, 0.8)), sure_of((0, 0.8), (0, 0.85))
    assert evaluate(with_lower, labels)[0]["ece"] == pytest.approx((0.75 + 0.8 - 1) / 2)
    assert evaluate(with_upper, labels)[0]["ece"] == pytest.approx((0.2 + 0.85) / 2)
    certain = sure_of((0, 0.99), (0, 1.0))
    assert evaluate(certain, labels)[0]["ece"] == pytest.approx((0.99 + 1 - 1) / 2)


def test_calibration_error_is_the_one_of_the_formula() -> None:
    probabilities, labels = predictions()
    confidence, guess = probabilities.max(1)
    right, bins = (guess == labels).double(), (confidence.double() * 15).ceil().long() - 1
    gaps = [float((right - confidence)[bins == b].sum()) for b in range(15)]
    expected = sum(abs(gap) for gap in gaps) / len(labels)
    assert evaluate(probabilities, labels)[0]["ece"] == pytest.approx(expected, rel=1e-4)


def test_a_true_class_of_probability_zero_leaves_the_likelihood_finite() -> None:
    probabilities = torch.tensor([[1.0, 0.0], [0.5, 0.5]])
    scalars, _, _ = evaluate(probabilities, torch.tensor([1, 0]))
    expected = (-math.log(np.finfo(np.float32).tiny) + math.log(2)) / 2
    assert scalars["nll"] == pytest.approx(expected)


def test_likelihoods_of_batches_add_up() -> None:
    probabilities, labels = predictions()
    metric = NegativeLogLikelihood()
    for part in (slice(0, 7), slice(7, 150), slice(150, 200)):
        metric.update(probabilities[part], labels[part])
    assert float(metric.compute()) == pytest.approx(evaluate(probabilities, labels)[0]["nll"])


def test_scalars_of_batches_are_those_of_the_whole() -> None:
    probabilities, labels = predictions()
    collection = scalar_metrics(C)
    for part in (slice(0, 64), slice(64, 128), slice(128, 200)):
        collection.update(probabilities[part], labels[part])
    found = {name: float(value) for name, value in collection.compute().items()}
    assert found == pytest.approx(evaluate(probabilities, labels)[0], rel=1e-5)


def test_a_class_neither_present_nor_predicted_counts_in_no_average() -> None:
    probabilities = torch.tensor([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]])
    scalars, per_class, _ = evaluate(probabilities, torch.tensor([0, 1]))
    macro = ("balanced_accuracy", "macro_precision", "macro_recall", "macro_f1")
    assert [scalars[name] for name in macro] == [1.0] * 4
    assert per_class["recall"] == [1.0, 1.0, 0.0]
