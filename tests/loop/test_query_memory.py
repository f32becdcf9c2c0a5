import json
from collections.abc import Callable
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from al_lightning.loop.query_memory import query_bytes, query_sizes, require_memory
from al_lightning.run.budget import Budget
from al_lightning.strategies import (
    BALD,
    BatchBALD,
    Entropy,
    Euclidean,
    FarthestFirst,
    Margin,
    Power,
    Random,
    Selection,
    Strategy,
)
from al_lightning.strategies.evidence import Evidence, Need
from al_lightning.strategies.sizes import Sizes
from al_lightning.utils.errors import UsageError
from tests.strategies.helpers import make_evidence, seeded

SIZES = Sizes(pool=1000, labeled=100, classes=10, embedding=64, samples=20, count=50)


class Samples(Strategy):
    needs = frozenset({Need.MC_PROBABILITIES})
    labeled_needs = frozenset({Need.EMBEDDINGS})

    def choose(
        self, pool: Evidence, labeled: Evidence, count: int, generator: torch.Generator
    ) -> Selection:
        raise NotImplementedError

    def working_bytes(self, sizes: Sizes) -> int:
        return 5 * sizes.pool


def test_a_query_is_evidence_on_both_sets_and_the_work() -> None:
    pool, labeled = 1000 * 4 * 20 * 10, 2 * 100 * 4 * 64
    assert query_bytes(Samples(), SIZES, 10**9) == pool + labeled + 5000
    assert query_bytes(Random(), SIZES, 10**9) == 64_000


def test_embeddings_of_more_than_half_of_the_memory_are_on_the_disk() -> None:
    strategy, embeddings = FarthestFirst(Euclidean()), 1000 * 4 * 64
    rest = query_bytes(strategy, SIZES, 10**9) - embeddings
    assert query_bytes(strategy, SIZES, 2 * embeddings) == rest + embeddings
    assert query_bytes(strategy, SIZES, 2 * embeddings - 1) == rest


def test_what_fits_is_let_through() -> None:
    needed = query_bytes(Samples(), SIZES, 10**9)
    require_memory(Samples(), [SIZES], needed)
    require_memory(Samples(), [SIZES], None)
    require_memory(Samples(), [], 1)
    with pytest.raises(UsageError):
        require_memory(Samples(), [SIZES], needed - 1)


def test_a_refusal_says_how_much_what_for_and_what_to_do() -> None:
    sizes = replace(SIZES, pool=1_000_000, classes=1000)
    with pytest.raises(UsageError) as error:
        require_memory(Samples(), [SIZES, sizes], 10**9)
    assert str(error.value) == (
        "A query would take about 80.0 GB of memory, and 1.0 GB are available to it: evidence on "
        "1,000,000 unlabeled images in 20 samples of 1000 classes 80.0 GB, evidence on 100 labeled "
        "images 51.2 kB, the strategy's own work 5.0 MB. Use fewer images "
        "(strategy.pool_subset=11969), use fewer samples (strategy.mc_samples), use another "
        "strategy, such as margin, or raise the limit (budget.memory_limit)"
    )
    require_memory(Samples(), [replace(sizes, pool=11_969)], 10**9)  # as it was advised


def test_no_subset_is_advised_that_would_not_do() -> None:
    with pytest.raises(UsageError) as error:
        require_memory(Samples(), [replace(SIZES, labeled=10_000)], 100_000)
    assert "pool_subset" not in str(error.value)
    with pytest.raises(UsageError) as error:
        require_memory(Margin(), [SIZES], 10)
    assert "samples" not in str(error.value)


def sizes(strategy: Strategy | None = None, **changes: Any) -> list[tuple[int, int, int]]:
    budget = Budget(**{"initial": 100, "query": 50, "total": 320, **changes.pop("budget", {})})
    options = {"images": 1000, "given": 0, "classes": 10, "embedding": 64, **changes}
    found = query_sizes(strategy or Margin(), budget, **options)
    assert all((s.classes, s.embedding, s.samples) == (10, 64, 20) for s in found)
    return [(s.pool, s.labeled, s.count) for s in found]


def test_the_first_and_the_last_query_are_the_largest() -> None:
    assert sizes() == [(900, 100, 50), (730, 270, 50)]
    assert sizes(Margin(pool_subset=300)) == [(300, 100, 50), (300, 270, 50)]
    assert sizes(budget={"validation": 20}) == [(880, 100, 50), (730, 250, 50)]
    assert sizes(budget={"total": 120}) == [(900, 100, 20), (900, 100, 20)]
    assert sizes(budget={"total": "all"}) == [(900, 100, 50), (50, 950, 50)]
    assert sizes(budget={"query": [10, 70, 20]}) == [(900, 100, 70), (750, 250, 70)]
    assert sizes(given=30) == [(970, 30, 50), (730, 270, 50)]


def test_a_run_without_a_query_has_no_sizes() -> None:
    assert sizes(budget={"initial": "all", "total": "all"}) == []
    assert sizes(budget={"total": 100}) == []
    assert sizes(images=100) == []


def test_farthest_first_holds_blocks_beside_a_few_numbers_an_image() -> None:
    small, large = (FarthestFirst(Euclidean(), b).working_bytes(SIZES) for b in (1, 512))
    assert small < 64 * 1100
    assert large > 8 * 512 * 512


def most_held(path: Path, work: Callable[[], object]) -> int:
    """The most bytes that tensors held at once while the work was done, as torch's profiler has it.

    Not what the process held: what the system takes away and gives back depends on its other processes.
    """
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
        work()
    recorded.export_chrome_trace(str(path))
    events = json.loads(path.read_text(encoding="utf-8"))["traceEvents"]
    changes = [event for event in events if event["name"] == "[memory]"]
    changes.sort(key=lambda event: float(event["ts"]))
    return max(accumulate(int(event["args"]["Bytes"]) for event in changes))


def test_what_is_held_at_once_is_measured(tmp_path: Path) -> None:
    def work() -> None:
        for _ in range(2):
            torch.zeros(1000).add(torch.zeros(500, 1000).sum(0))

    two, sums = 4 * 501_000, 4 * 1000
    assert two <= most_held(tmp_path / "trace.json", work) <= two + 2 * sums


@pytest.mark.parametrize(
    "strategy",
    [
        Entropy(),
        BALD(10),
        BatchBALD(10, configurations=50),
        FarthestFirst(Euclidean()),
        Power(BALD(10)),
    ],
    ids=lambda strategy: type(strategy).__name__,
)
def test_strategies_take_no_more_memory_than_they_say(tmp_path: Path, strategy: Strategy) -> None:
    sizes = Sizes(pool=30_000, labeled=0, classes=10, embedding=64, samples=10, count=5)
    pool = make_evidence(sizes.pool, strategy.needs, classes=10, dimensions=64, samples=10)
    pool = pool.rows(pool.ids.argsort())  # else they are sorted first, which takes a copy
    taken = most_held(
        tmp_path / "trace.json", lambda: strategy.select(pool, None, sizes.count, seeded())
    )
    said = strategy.working_bytes(sizes)
    kernels = 8 * 2**20  # what they take beside tensors, once
    assert taken <= said, f"{taken} bytes, {said} were estimated"
    assert said <= 4 * (taken + kernels), f"{taken} bytes, {said} were estimated"
