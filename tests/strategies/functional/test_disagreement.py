import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from al_lightning.strategies.functional import disagreement
from tests.strategies.helpers import seeded

FORMULAS = [
    disagreement.mutual_information,
    disagreement.variation_ratios,
    disagreement.vote_entropy,
    disagreement.mean_std,
]
each_formula = pytest.mark.parametrize("formula", FORMULAS, ids=lambda f: f.__name__)
# Four samples of two images: sure of different classes; unsure alike.
SAMPLES = torch.tensor(
    [
        [[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]],
        [[0.5, 0.5], [0.5, 0.5], [0.5, 0.5], [0.5, 0.5]],
    ]
)
H_QUARTER = -0.75 * math.log(0.75) - 0.25 * math.log(0.25)


def made_up(count: int = 50, samples: int = 7, classes: int = 4, spread: float = 2.0) -> Tensor:
    logits = spread * torch.randn(count, samples, classes, generator=seeded(), dtype=torch.float64)
    return logits.softmax(2)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (disagreement.mutual_information, [H_QUARTER, 0.0]),
        (disagreement.variation_ratios, [0.25, 0.0]),
        (disagreement.vote_entropy, [H_QUARTER, 0.0]),
        (disagreement.mean_std, [math.sqrt(3) / 4, 0.0]),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_formulas_by_hand(formula: Callable[[Tensor], Tensor], expected: list[float]) -> None:
    torch.testing.assert_close(formula(SAMPLES), torch.tensor(expected))


def test_votes_are_shares_and_the_first_of_equals_gets_them() -> None:
    assert disagreement.class_votes(SAMPLES).tolist() == [[0.75, 0.25], [1.0, 0.0]]


def test_mutual_information_is_the_mean_divergence_from_the_consensus() -> None:
    samples = made_up()
    consensus = samples.mean(1, keepdim=True)
    divergence = (samples * (samples.log() - consensus.log())).sum(2).mean(1)
    torch.testing.assert_close(disagreement.mutual_information(samples), divergence)


def test_mutual_information_is_that_of_scikit_activeml() -> None:
    batch_bald = pytest.importorskip("skactiveml.pool").batch_bald
    samples = made_up()
    (utilities,) = batch_bald(samples.numpy().transpose(1, 0, 2).copy(), 1, n_MC_samples=1)
    found = disagreement.mutual_information(samples).numpy()
    np.testing.assert_allclose(found, utilities, atol=1e-12)


def test_votes_are_those_of_scikit_activeml() -> None:
    pool = pytest.importorskip("skactiveml.pool")
    samples = made_up()
    votes = samples.argmax(2).numpy()
    expected = pool.vote_entropy(votes, classes=list(range(4)))
    np.testing.assert_allclose(disagreement.vote_entropy(samples).numpy(), expected, atol=1e-12)


def test_standard_deviation_is_numpys() -> None:
    samples = made_up()
    expected = samples.numpy().std(1).mean(1)
    np.testing.assert_allclose(disagreement.mean_std(samples).numpy(), expected, atol=1e-14)


@each_formula
def test_a_single_class_or_a_single_sample_tells_nothing(
    formula: Callable[[Tensor], Tensor],
) -> None:
    torch.testing.assert_close(formula(torch.ones(3, 5, 1)), torch.zeros(3))
    torch.testing.assert_close(formula(made_up(3, samples=1)), torch.zeros(3).double())


@each_formula
@settings(max_examples=30)
@given(
    samples=st.integers(1, 6),
    classes=st.integers(1, 5),
    seed=st.integers(0, 999),
    ties=st.booleans(),
)
def test_scores_stay_in_range_and_follow_no_order(
    formula: Callable[[Tensor], Tensor], samples: int, classes: int, seed: int, ties: bool
) -> None:
    generator = seeded(seed)
    logits = 5 * torch.randn(8, samples, classes, generator=generator, dtype=torch.float64)
    values = logits.round().softmax(2) if ties else logits.softmax(2)
    scores = formula(values)
    highest: dict[Callable[[Tensor], Tensor], float] = {
        disagreement.mutual_information: math.log(min(samples, classes)),
        disagreement.variation_ratios: 1 - 1 / min(samples, classes),
        disagreement.vote_entropy: math.log(min(samples, classes)),
        disagreement.mean_std: 0.5,
    }
    assert (scores >= 0).all()
    assert (scores <= highest[formula] + 1e-12).all()
    turned = values[:, torch.randperm(samples, generator=generator)]
    torch.testing.assert_close(formula(turned), scores)
    torch.testing.assert_close(formula(values.flip(0)), scores.flip(0))
