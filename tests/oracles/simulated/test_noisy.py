import pytest
import torch

from al_lightning import NoisyOracle, UsageError

TRUTH = torch.arange(5).repeat(2000)


def test_mistakes_come_at_their_rate_and_evenly() -> None:
    ids = torch.arange(len(TRUTH))
    given = NoisyOracle(TRUTH, 5, 0.2, seed=0).annotate(ids)
    wrong = given != TRUTH
    assert 0.19 < float(wrong.double().mean()) < 0.21  # three standard errors are .012
    offsets = torch.bincount((given - TRUTH)[wrong] % 5, minlength=5).tolist()
    assert offsets[0] == 0
    assert all(420 < count < 580 for count in offsets[1:])  # of 500 expected, sigma 20
    assert given.min() >= 0
    assert given.max() <= 4


def test_a_mistake_depends_on_the_image_and_the_seed_alone() -> None:
    oracle = NoisyOracle(TRUTH, 5, 0.3, seed=1)
    ids = torch.tensor([9, 4, 700])
    one_by_one = torch.cat([oracle.annotate(ids[i : i + 1]) for i in range(3)])
    assert oracle.annotate(ids).equal(one_by_one)
    again = NoisyOracle(TRUTH, 5, 0.3, seed=1).annotate(torch.arange(1000))
    assert oracle.annotate(torch.arange(1000)).equal(again)
    assert not NoisyOracle(TRUTH, 5, 0.3, seed=2).annotate(torch.arange(1000)).equal(again)


def test_the_ends_of_the_rate() -> None:
    ids = torch.arange(100)
    assert NoisyOracle(TRUTH, 5, 0.0, seed=0).annotate(ids).equal(TRUTH[ids])
    assert bool((NoisyOracle(TRUTH, 5, 1.0, seed=0).annotate(ids) != TRUTH[ids]).all())


@pytest.mark.parametrize("rate", [-0.1, 1.5, float("nan")])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(UsageError, match=r"oracle\.rate"):
        NoisyOracle(TRUTH, 5, rate, seed=0)


def test_one_class_cannot_be_mistaken() -> None:
    with pytest.raises(UsageError, match="2 classes"):
        NoisyOracle(torch.zeros(3, dtype=torch.int64), 1, 0.1, seed=0)


def test_classes_that_nobody_knows_stay_unknown() -> None:
    with pytest.raises(UsageError, match="oracle=csv"):
        NoisyOracle(torch.tensor([0, -1]), 2, 1.0, seed=0).annotate(torch.tensor([1]))
