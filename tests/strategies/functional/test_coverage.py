import pytest
import torch

from al_lightning.strategies.functional import coverage as module
from al_lightning.strategies.functional.balls import Balls
from al_lightning.strategies.functional.coverage import Coverage
from tests.strategies.helpers import seeded


@pytest.mark.parametrize("block", [1, 7, 1000])
@pytest.mark.parametrize("known", [[], [3, 50, 51]])
def test_picks_are_those_of_the_plain_greedy_algorithm(
    known: list[int], block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BLOCK", block)
    rows = torch.randn(200, 3, generator=seeded()) / 5
    graph = torch.cdist(rows.double(), rows.double()) <= 0.15
    order = torch.randperm(200, generator=seeded())
    coverage = Coverage(Balls(rows, 0.15), order)
    coverage.cover(known)
    picks, gains = coverage.run(60)
    covered = graph[known].any(0)
    for pick, gain in zip(picks.tolist(), gains.tolist(), strict=True):
        news = (graph & ~covered).sum(1)
        equal = (news == news.max()).nonzero().squeeze(1)
        assert pick == int(equal[order[equal].argmin()])  # the first of equals
        assert gain == int(news.max())
        covered |= graph[pick]
    assert len(picks) == 60 or bool(covered.all())
    assert torch.equal(coverage.open, ~covered)


def test_all_that_is_covered_leaves_nothing_to_pick() -> None:
    coverage = Coverage(Balls(torch.zeros(3, 2), 0.5), torch.arange(3))
    assert coverage.run(3)[0].tolist() == [0]
    assert coverage.run(3)[0].tolist() == []


def test_no_points_have_no_balls() -> None:
    assert Coverage(Balls(torch.zeros(0, 2), 0.5), torch.arange(0)).run(3)[0].tolist() == []
