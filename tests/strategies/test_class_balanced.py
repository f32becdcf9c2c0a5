import pytest
import torch

from al_lightning.strategies import ClassBalanced, Entropy
from al_lightning.strategies.evidence import Evidence
from al_lightning.utils.errors import UsageError
from tests.strategies.helpers import make_evidence, seeded


def test_without_balance_it_is_entropy() -> None:
    pool, labeled = make_evidence(60), make_evidence(9, seed=1)
    found = ClassBalanced(0.0).select(pool, labeled, 10, seeded())
    expected = Entropy().select(pool, None, 10, seeded())
    assert found.ids.tolist() == expected.ids.tolist()
    torch.testing.assert_close(found.scores, expected.scores)


@pytest.mark.parametrize(("images", "count"), [(40, 8), (40, 40), (3_000, 700)])
def test_a_reference_that_computes_the_objective_itself(images: int, count: int) -> None:
    pool, labeled = make_evidence(images), make_evidence(12, seed=1)
    assert pool.probabilities is not None
    assert labeled.probabilities is not None
    p, balance = pool.probabilities.double(), 2.5
    entropies = torch.special.entr(p).sum(1)
    target = torch.full((5,), (12 + count) / 5, dtype=torch.float64)
    n = labeled.probabilities.double().sum(0)
    taken: list[int] = []
    for _ in range(count):
        before = (target - n).clamp(min=0).sum()
        after = (target - (n + p)).clamp(min=0).sum(1)
        values = entropies + balance * (before - after)
        values[taken] = -torch.inf
        taken.append(int(values.argmax()))
        n = n + p[taken[-1]]
    found = ClassBalanced(balance).select(pool, labeled, count, seeded())
    assert found.ids.tolist() == pool.ids[taken].tolist()


def test_a_class_that_is_lacking_is_asked_for() -> None:
    known = torch.zeros(20, 2)
    known[:, 0] = 1  # all labels are of the first class
    labeled = Evidence(1000 + torch.arange(20), probabilities=known)
    sure = torch.tensor([[0.99, 0.01], [0.01, 0.99]]).repeat(10, 1)
    pool = Evidence(torch.arange(20), probabilities=sure)
    ids = ClassBalanced().select(pool, labeled, 10, seeded()).ids
    assert all(int(i) % 2 == 1 for i in ids)


@pytest.mark.parametrize("balance", [-1.0, float("nan"), float("inf")])
def test_the_balance_must_be_finite_and_not_negative(balance: float) -> None:
    with pytest.raises(UsageError, match=r"strategy\.balance must be"):
        ClassBalanced(balance)
