import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils.data import TensorDataset

from al_lightning import (
    ActiveLearningLoop,
    Budget,
    DatasetOracle,
    DatasetSource,
    Evidence,
    Journal,
    Need,
    Query,
    ScoreStrategy,
    plain_loop,
)
from al_lightning.loop.query import require_embeddings_alone
from al_lightning.strategies import Euclidean, FarthestFirst, Margin, Random, Strategy
from al_lightning.utils.errors import UsageError


@pytest.mark.parametrize("strategy", [Random(), FarthestFirst(Euclidean())], ids=["random", "l2"])
def test_strategies_on_embeddings_alone_can_choose_the_first_labels(strategy: Strategy) -> None:
    require_embeddings_alone(strategy)


def test_strategies_that_need_more_cannot() -> None:
    with pytest.raises(UsageError, match="cannot be Margin: it needs probabilities, but no"):
        require_embeddings_alone(Margin())


class GlobalDraw(ScoreStrategy):
    """Draws from every global generator, as code that it calls may do."""

    needs = frozenset({Need.EMBEDDINGS})

    def score(self, pool: Evidence) -> Tensor:
        drawn = torch.rand(len(pool)) + torch.from_numpy(np.random.rand(len(pool)))  # noqa: NPY002
        return drawn + torch.tensor([random.random() for _ in pool.ids])


def queried(folder: Path, query_seed: int | None = None, initial: Strategy | None = None) -> Any:
    """Run a loop, whatever was drawn before; return what it has labeled, in order."""
    data = TensorDataset(torch.rand(60, 1, 8, 8), torch.arange(60) % 3)
    policy = "uniform" if initial is None else "global"
    budget = Budget(6, 3, 12, initial_policy=policy)
    journal = Journal(folder / "journal.jsonl")
    learner = plain_loop(DatasetSource(data), Random(), folder, Budget(6, 3, 12), epochs=1).learner
    query = Query(GlobalDraw(), query_seed, initial)
    loop = ActiveLearningLoop(learner, query, DatasetOracle(data.tensors[1]), journal, budget)
    state = torch.get_rng_state()
    events = loop.run().events
    assert torch.equal(torch.get_rng_state(), state)
    return [event["ids"] for event in events if event["event"] == "labels"]


@pytest.mark.parametrize("initial", [None, GlobalDraw()], ids=["queries", "first labels too"])
@pytest.mark.filterwarnings("ignore:The first labels are selected with an untrained network")
def test_a_strategy_that_draws_from_global_generators_selects_the_same_again(
    tmp_path: Path, initial: Strategy | None
) -> None:
    first, again, other = (
        queried(tmp_path / name, seed, initial)
        for name, seed in (("first", None), ("again", None), ("other", 1))
    )
    assert first == again
    assert first[0] == other[0]
    assert first[1:] != other[1:]  # as its own draws, they follow query_seed
    assert first[1] != first[2]
