import pytest
import torch
from sklearn.metrics import cohen_kappa_score
from torch import Tensor

from al_lightning.run.advice.agreement import (
    Agreement,
    agreement_of,
    cohen_kappa,
    f_change_bound,
    mean_kappa,
)
from al_lightning.run.advice.pool_predictions import PoolPredictions


def tensor(*values: int) -> Tensor:
    return torch.tensor(values)


def test_kappa_as_by_hand() -> None:
    # 7 of 10 agree; the classes are used 5, 5 and 6, 4 times: p_e = .5 * .6 + .5 * .4 = .5
    first = tensor(0, 0, 0, 0, 0, 1, 1, 1, 1, 1)
    second = tensor(0, 0, 0, 0, 1, 1, 1, 1, 0, 0)
    assert cohen_kappa(first, second) == pytest.approx((0.7 - 0.5) / 0.5)


def test_kappa_is_that_of_scikit_learn() -> None:
    generator = torch.Generator().manual_seed(0)
    for classes in (2, 3, 10):
        first = torch.randint(classes, (200,), generator=generator)
        other = torch.randint(classes, (200,), generator=generator)
        second = torch.where(torch.rand(200, generator=generator) < 0.7, first, other)
        assert cohen_kappa(first, second) == pytest.approx(cohen_kappa_score(first, second))


def test_one_class_alone_is_full_agreement() -> None:
    assert cohen_kappa(tensor(2, 2), tensor(2, 2)) == 1.0
    assert cohen_kappa(tensor(0, 0), tensor(1, 1)) == 0.0
    assert cohen_kappa(tensor(0, 2**40), tensor(0, 2**40 + 1)) == pytest.approx(
        (1 / 2 - 1 / 4) * 4 / 3
    )


@pytest.mark.parametrize("shapes", [((2,), (3,)), ((0,), (0,)), ((2, 2), (2, 2))])
def test_what_does_not_pair_up_is_refused(shapes: tuple[tuple[int, ...], ...]) -> None:
    first, second = (torch.zeros(shape, dtype=torch.int64) for shape in shapes)
    with pytest.raises(ValueError, match="do not pair up"):
        cohen_kappa(first, second)


def test_agreement_is_that_on_the_images_that_both_have_seen() -> None:
    first = PoolPredictions(tensor(1, 4, 6, 9), tensor(0, 1, 1, 0))
    second = PoolPredictions(tensor(0, 1, 6, 9), tensor(1, 0, 1, 1))
    found = agreement_of(first, second)
    assert found is not None
    # of 1, 6, 9: 0 0, 1 1, 0 1; p_o = 2/3, p_e = 2/3 * 1/3 + 1/3 * 2/3
    assert found.kappa == pytest.approx((2 / 3 - 4 / 9) / (5 / 9))
    assert found.disagreement == pytest.approx(1 / 3)
    assert found.images == 3
    assert agreement_of(first, PoolPredictions(tensor(7), tensor(0))) is None


def test_accuracies_differ_by_at_most_the_disagreement() -> None:
    generator = torch.Generator().manual_seed(1)
    ids = torch.arange(300)
    for _ in range(20):
        truth, first, second = torch.randint(4, (3, 300), generator=generator)
        found = agreement_of(PoolPredictions(ids, first), PoolPredictions(ids, second))
        accuracies = [float((each == truth).double().mean()) for each in (first, second)]
        assert found is not None
        assert abs(accuracies[0] - accuracies[1]) <= found.disagreement + 1e-12


def test_the_mean_is_of_three_agreements() -> None:
    some = [Agreement(kappa, 0.1, 10) for kappa in (0.2, 0.7, 0.8, 0.9)]
    assert mean_kappa(some) == pytest.approx(0.8)
    assert mean_kappa(some[:2]) is None
    assert mean_kappa([*some[:3], None]) is None


def test_the_bound_of_bloodgood_and_grothendieck() -> None:
    assert f_change_bound(0.99) == pytest.approx(0.04 / 0.99)
    assert f_change_bound(1.0) == 0.0
    assert f_change_bound(0.5) == 1.0
    assert f_change_bound(0.0) is None


def test_the_bound_holds_for_two_classes() -> None:
    generator = torch.Generator().manual_seed(2)

    def f_measure(found: Tensor, truth: Tensor) -> float:
        both = int((found & truth).sum())
        return 2 * both / max(1, int(found.sum() + truth.sum()))

    for _ in range(50):
        truth, first = torch.randint(2, (2, 100), generator=generator)
        flips = (torch.rand(100, generator=generator) < 0.1).long()
        second = (first + flips) % 2
        bound = f_change_bound(cohen_kappa(first, second))
        assert bound is not None
        assert abs(f_measure(first, truth) - f_measure(second, truth)) <= bound
