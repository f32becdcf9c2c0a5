import numpy as np
import pytest
import torch

from al_lightning.strategies import MaxHerding
from al_lightning.strategies.evidence import Evidence
from al_lightning.utils.errors import UsageError
from tests.strategies.functional.test_herding import plain
from tests.strategies.helpers import make_evidence, seeded


@pytest.mark.parametrize("known", [0, 5])
def test_agrees_with_scikit_activeml(known: int) -> None:
    """Its kernel is pinned to h = 1: by default it is another one."""
    max_herding = pytest.importorskip("skactiveml.pool").MaxHerding
    rows = torch.randn(150, 6, generator=seeded())
    labels = np.r_[np.zeros(known), np.full(150 - known, np.nan)]
    reference = max_herding(random_state=0, metric="rbf", metric_dict={"gamma": 1.0})
    theirs = reference.query(rows.double().numpy(), labels, batch_size=12)
    pool = Evidence(torch.arange(known, 150), embeddings=rows[known:])
    labeled = Evidence(torch.arange(known), embeddings=rows[:known])
    ours = MaxHerding().select(pool, labeled, 12, seeded())
    assert ours.ids.tolist() == [int(i) for i in theirs]


def test_a_score_is_the_mean_that_an_image_adds() -> None:
    rows = torch.nn.functional.normalize(torch.randn(40, 3, generator=seeded()))
    pool = Evidence(torch.arange(40), embeddings=7 * rows)  # whose length does not count
    found = MaxHerding(bandwidth=0.4).select(pool, None, 6, seeded())
    picks, gains = plain(rows, torch.ones(40), rows[:0], 0.4, 6)
    assert found.ids.tolist() == picks
    assert found.scores.tolist() == pytest.approx([gain / 40 for gain in gains], rel=1e-4)


def test_large_pools_are_covered_by_a_sample() -> None:
    pool = make_evidence(300)
    strategy = MaxHerding(0.5, exact_up_to=299, references=100)
    one, again = (strategy.select(pool, None, 10, seeded()) for _ in range(2))
    exact = MaxHerding(0.5).select(pool, None, 10, seeded())
    assert one.ids.tolist() == again.ids.tolist() != exact.ids.tolist()
    assert pool.embeddings is not None
    rows = torch.nn.functional.normalize(pool.embeddings.double())
    kernel = torch.exp(-((torch.cdist(rows, rows) / 0.5) ** 2))
    covered = [
        float(kernel[torch.isin(pool.ids, found.ids)].amax(0).mean()) for found in (one, exact)
    ]
    assert covered[1] == pytest.approx(float(exact.scores.sum()))
    assert 0.8 * covered[1] < covered[0] < covered[1]


def test_copies_are_drawn_at_the_end() -> None:
    rows = torch.eye(3).repeat(5, 1)
    found = MaxHerding(0.2).select(Evidence(torch.arange(15), embeddings=rows), None, 6, seeded())
    assert {int(i) % 3 for i in found.ids[:3]} == {0, 1, 2}
    assert found.scores[3:].tolist() == [0, 0, 0]


@pytest.mark.parametrize("key", ["bandwidth", "exact_up_to", "references"])
def test_arguments_out_of_range_are_refused(key: str) -> None:
    with pytest.raises(UsageError, match=rf"strategy\.{key} must be "):
        MaxHerding(**{key: 0})
