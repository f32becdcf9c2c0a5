import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from al_lightning.strategies.functional import uncertainty_scores as uncertainty
from tests.strategies.helpers import make_evidence

P = torch.tensor([[0.7, 0.2, 0.1], [0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [1 / 3, 1 / 3, 1 / 3]])


def test_least_confidence_by_hand() -> None:
    torch.testing.assert_close(
        uncertainty.least_confidence(P), torch.tensor([0.3, 0.5, 0.0, 2 / 3])
    )


def test_margin_by_hand() -> None:
    torch.testing.assert_close(uncertainty.margin(P), torch.tensor([-0.5, 0.0, -1.0, 0.0]))


@pytest.mark.parametrize("classes", [1, 2, 3, 17])
def test_margin_and_ratio_are_those_of_sorted_rows(classes: int) -> None:
    rows = torch.rand(50, classes, generator=torch.Generator().manual_seed(0)).softmax(1)
    rows[0] = 1 / classes  # a tie
    ordered = torch.cat([rows, torch.zeros(50, 1)], 1).sort(1, descending=True).values
    first, second = ordered[:, 0], ordered[:, 1]
    assert torch.equal(uncertainty.margin(rows), second - first)
    assert torch.equal(uncertainty.ratio(rows), second / first)


def test_entropy_by_hand() -> None:
    first = -(0.7 * math.log(0.7) + 0.2 * math.log(0.2) + 0.1 * math.log(0.1))
    expected = torch.tensor([first, math.log(2), 0.0, math.log(3)])
    torch.testing.assert_close(uncertainty.entropy(P), expected)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (uncertainty.least_confidence, 0.0),
        (uncertainty.margin, -1.0),
        (uncertainty.entropy, 0.0),
    ],
)
def test_single_class_is_certain(formula: Callable[[Tensor], Tensor], expected: float) -> None:
    assert formula(torch.ones(3, 1)).tolist() == [expected] * 3


@pytest.mark.parametrize(
    "formula", [uncertainty.least_confidence, uncertainty.margin, uncertainty.entropy]
)
def test_keeps_dtype_and_input(formula: Callable[[Tensor], Tensor]) -> None:
    before = P.clone()
    scores = formula(P)
    assert scores.shape == (4,)
    assert scores.dtype == torch.float32
    assert torch.equal(P, before)


@pytest.mark.parametrize(
    ("formula", "method", "shift"),
    [
        (uncertainty.least_confidence, "least_confident", 0.0),
        (uncertainty.margin, "margin_sampling", 1.0),  # theirs is 1 - (p(1) - p(2))
        (uncertainty.entropy, "entropy", 0.0),
    ],
)
def test_agrees_with_scikit_activeml(
    formula: Callable[[Tensor], Tensor], method: str, shift: float
) -> None:
    reference = pytest.importorskip("skactiveml.pool").uncertainty_scores
    p = make_evidence(200).probabilities
    assert p is not None
    p = p.double() / p.double().sum(1, keepdim=True)
    expected = reference(p.numpy(), method=method)
    np.testing.assert_allclose(formula(p).numpy() + shift, expected, atol=1e-12)
