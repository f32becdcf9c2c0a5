import math

import pytest
import torch
from torch.nn import functional as F

from al_lightning.models.metrics import evaluate
from al_lightning.training.calibration import (
    Calibration,
    calibrate,
    fit_temperature,
    tempered,
    to_logits,
)


def sampled(count: int, scale: float, classes: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits, and labels that follow their softmax; the logits are then too large by ``scale``."""
    generator = torch.Generator().manual_seed(count)
    logits = 2 * torch.randn(count, classes, generator=generator)
    labels = torch.multinomial(logits.softmax(1), 1, generator=generator).squeeze(1)
    return logits * scale, labels


@pytest.mark.parametrize("scale", [0.25, 1.0, 3.0])
def test_the_temperature_undoes_a_scale(scale: float) -> None:
    logits, labels = sampled(20_000, scale)
    assert fit_temperature(logits, labels) == pytest.approx(scale, rel=0.03)


@pytest.mark.parametrize("prior_std", [math.inf, 1.0, 0.1])
@pytest.mark.parametrize("scale", [0.3, 4.0])
def test_no_temperature_of_a_fine_grid_is_better(prior_std: float, scale: float) -> None:
    logits, labels = sampled(60, scale)

    def loss(temperature: float) -> float:
        entropy = F.cross_entropy(logits.double() / temperature, labels, reduction="sum")
        return float(entropy) + math.log(temperature) ** 2 / (2 * prior_std**2)

    grid = torch.logspace(-1, 1, 4001, dtype=torch.float64).tolist()
    best = min(grid, key=loss)
    found = fit_temperature(logits, labels, prior_std)
    assert found == pytest.approx(best, rel=2e-3)
    assert loss(found) <= loss(best) + 1e-12


def test_the_likelihood_of_two_classes_by_hand() -> None:
    logits = torch.tensor([[3.0, 1.0]]).repeat(10, 1)
    labels = torch.tensor([0] * 8 + [1] * 2)  # .8 = sigmoid(2 / T)
    assert fit_temperature(logits, labels, math.inf) == pytest.approx(2 / math.log(4))


def test_a_constant_a_row_changes_nothing() -> None:
    logits, labels = sampled(50, 2.0)
    expected = fit_temperature(logits, labels)
    assert fit_temperature(to_logits(logits.softmax(1)), labels) == pytest.approx(
        expected, rel=1e-5
    )
    shifted = logits + torch.arange(50)[:, None]
    assert fit_temperature(shifted, labels) == pytest.approx(expected, rel=1e-5)


def test_labels_that_are_all_right_or_all_wrong_stay_within_bounds() -> None:
    logits = torch.eye(3).repeat(4, 1) * 5
    right, wrong = torch.arange(12) % 3, (torch.arange(12) + 1) % 3
    assert fit_temperature(logits, right, math.inf) == pytest.approx(1 / 20)
    assert fit_temperature(logits, wrong, math.inf) == pytest.approx(20)
    assert 0.3 < fit_temperature(logits, right) < 1.0  # the prior: 12 labels do not make certain
    assert fit_temperature(logits[:0], right[:0]) == pytest.approx(1.0)


def test_the_predicted_class_stays() -> None:
    logits, _ = sampled(1000, 3.0)
    for temperature in (0.05, 0.7, 1.0, 3.0, 20.0):
        probabilities = tempered(logits, temperature)
        assert probabilities.argmax(1).equal(logits.argmax(1))
        torch.testing.assert_close(probabilities.sum(1), torch.ones(1000))
    assert tempered(logits, 1.0).equal(logits.softmax(1))


def test_zero_probabilities_are_finite_logits() -> None:
    logits = to_logits(torch.tensor([[1.0, 0.0]]))
    assert logits[0, 0] == 0
    assert logits[0, 1] == pytest.approx(math.log(torch.finfo(torch.float32).tiny))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_logits_that_are_not_finite_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="expected finite logits"):
        fit_temperature(torch.tensor([[0.0, bad]]), torch.tensor([0]))


def test_labels_that_do_not_pair_up_are_refused() -> None:
    with pytest.raises(ValueError, match=r"not \(2, 3\) and \(1,\)"):
        fit_temperature(torch.zeros(2, 3), torch.tensor([0]))


def test_the_error_after_is_of_labels_that_the_temperature_has_not_seen() -> None:
    logits, labels = sampled(300, 3.0)
    fold_of = torch.arange(300) % 3
    found = calibrate(logits, labels, fold_of, "validation")
    after = torch.empty(300, 4)
    for row in range(300):  # by the definition, row by row
        others = fold_of != fold_of[row]
        after[row] = (logits[row] / fit_temperature(logits[others], labels[others])).softmax(0)
    expected = Calibration(
        fit_temperature(logits, labels),
        300,
        "validation",
        evaluate(logits.softmax(1), labels)[0]["ece"],
        evaluate(after, labels)[0]["ece"],
    )
    assert found.as_event() == pytest.approx(expected.as_event())
    assert found.ece_after < found.ece_before / 2


def test_one_label_says_little() -> None:
    found = calibrate(
        torch.tensor([[2.0, 0.0]]), torch.tensor([0]), torch.tensor([0]), "validation"
    )
    assert found.ece_after == pytest.approx(found.ece_before)  # no other label to fit to
    assert 0.5 < found.temperature < 1.0
