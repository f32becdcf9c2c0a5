import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from al_lightning.budget import Budget
from al_lightning.errors import UsageError
from al_lightning.evidence import Evidence, Need
from al_lightning.query_memory import query_bytes, query_sizes, require_memory
from al_lightning.sizes import Sizes
from al_lightning.strategies import Euclidean, FarthestFirst, Margin, Random, Selection, Strategy

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
    assert query_bytes(Samples(), SIZES) == pool + labeled + 5000
    assert query_bytes(Random(), SIZES) == 64_000


def test_what_fits_is_let_through() -> None:
    needed = query_bytes(Samples(), SIZES)
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
        "images 51.2 kB, the strategy's own work 5.0 MB. Let it look at fewer images "
        "(strategy.pool_subset=11969), take fewer samples (strategy.mc_samples), take another "
        "strategy, such as margin, or allow it more (budget.memory_limit)"
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
    assert sizes(given=30) == [(970, 30, 50), (730, 270, 50)]


def test_a_run_without_a_query_has_no_sizes() -> None:
    assert sizes(budget={"initial": "all", "total": "all"}) == []
    assert sizes(budget={"total": 100}) == []
    assert sizes(images=100) == []


def test_farthest_first_holds_blocks_beside_a_few_numbers_an_image() -> None:
    small, large = (FarthestFirst(Euclidean(), b).working_bytes(SIZES) for b in (1, 512))
    assert small < 64 * 1100
    assert large > 8 * 512 * 512


MEASURE = """
import ctypes
import json
from pathlib import Path
import torch
from al_lightning.provenance import peak_rss_bytes
from al_lightning.sizes import Sizes
from al_lightning.strategies import BALD, BatchBALD, Entropy, Euclidean, FarthestFirst, Power
from tests.strategies.helpers import make_evidence, seeded

torch.set_num_threads(1)
sizes = Sizes(pool=30_000, labeled=0, classes=10, embedding=64, samples=10, count=5)
options = {"classes": sizes.classes, "dimensions": sizes.embedding, "samples": sizes.samples}
found = {}
for strategy in (
    Entropy(), BALD(10), BatchBALD(10, configurations=50), FarthestFirst(Euclidean()), Power(BALD(10))
):
    pool = make_evidence(sizes.pool, strategy.needs, **options)
    pool = pool.rows(pool.ids.argsort())
    few = make_evidence(100, strategy.needs, **options)
    strategy.select(few, None, 5, seeded())  # loads the kernels
    for values in pool.quantities().values():
        values.sum()  # pages that the system has taken away would count when they return
    ctypes.CDLL(None).malloc_trim(0)  # what was freed before must be taken again
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = peak_rss_bytes()
    strategy.select(pool, None, sizes.count, seeded())
    name = f"{len(found)} {type(strategy).__name__}"
    found[name] = [peak_rss_bytes() - before, strategy.working_bytes(sizes)]
print(json.dumps(found))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux says how much memory a process has held")
def test_strategies_take_no_more_memory_than_they_say() -> None:
    root = Path(__file__).parents[1]
    result = subprocess.run(
        [sys.executable, "-c", MEASURE], cwd=root, capture_output=True, text=True, check=False
    )
    if "clear_refs" in result.stderr:
        pytest.skip("this system does not let a process reset its peak")
    assert result.returncode == 0, result.stderr
    noise = 8 * 2**20  # what the allocator keeps, and what a kernel takes once
    for name, (taken, said) in json.loads(result.stdout).items():
        assert taken <= said + noise, f"{name}: {taken} bytes, {said} were estimated"
        assert said <= 4 * (taken + noise), f"{name}: {taken} bytes, {said} were estimated"
