"""What every strategy keeps to; a new YAML in conf/strategy is covered the moment it exists."""

import pickle
import random
import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import DictConfig

from al_lightning.strategies import Selection, Strategy
from al_lightning.strategies.evidence import Evidence, Need
from al_lightning.strategies.sizes import Sizes
from tests.strategies.helpers import make_evidence, seeded

CONF = Path(__file__).parents[2] / "conf"
CONFIGS = sorted((CONF / "strategy").glob("*.yaml"))
N, COUNT = 60, 9


@cache
def composed(name: str) -> DictConfig:
    """The strategy's part of what the command line would compose, with what it is made of."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config: DictConfig = compose("config", overrides=[f"strategy={name}"]).strategy
    return config


@pytest.fixture(params=CONFIGS, ids=lambda path: path.stem)
def strategy(request: pytest.FixtureRequest) -> Strategy:
    made = instantiate(composed(request.param.stem), _convert_="all")
    assert isinstance(made, Strategy)
    return made


def pool_for(strategy: Strategy, count: int = N, classes: int = 5) -> Evidence:
    """Exactly what was declared, so that reading anything else fails."""
    return make_evidence(count, strategy.needs, classes=classes)


def labeled_for(strategy: Strategy, count: int = 20, classes: int = 5) -> Evidence:
    labeled = make_evidence(count, strategy.labeled_needs, seed=1, classes=classes)
    return Evidence(labeled.ids + 10**6, **named(labeled))


def named(evidence: Evidence) -> dict[str, torch.Tensor]:
    return {need.value: values for need, values in evidence.quantities().items()}


def spoiled(evidence: Evidence, need: Need, row: int, value: float) -> Evidence:
    quantities = {name: values.clone() for name, values in named(evidence).items()}
    quantities[need.value][row].flatten()[-1] = value
    return Evidence(evidence.ids, **quantities)


def check(selection: Selection, pool: Evidence, count: int) -> None:
    assert selection.ids.shape == selection.scores.shape == (count,)
    assert selection.ids.dtype == torch.int64
    assert selection.scores.dtype == torch.float32
    assert selection.scores.isfinite().all()
    chosen = set(selection.ids.tolist())
    assert len(chosen) == count
    assert chosen <= set(pool.ids.tolist())


def test_there_are_strategies() -> None:
    assert CONFIGS


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_first_line_says_what_it_is(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith("# ")


def test_selects_count_distinct_ids_of_the_pool(strategy: Strategy) -> None:
    pool = pool_for(strategy)
    check(strategy.select(pool, labeled_for(strategy), COUNT, seeded()), pool, COUNT)


def test_selects_one(strategy: Strategy) -> None:
    pool = pool_for(strategy)
    check(strategy.select(pool, labeled_for(strategy), 1, seeded()), pool, 1)


@pytest.mark.parametrize("count", [N - 1, N, N + 100])
def test_selects_nearly_everything_and_everything(strategy: Strategy, count: int) -> None:
    pool = pool_for(strategy)
    selection = strategy.select(pool, labeled_for(strategy), count, seeded())
    check(selection, pool, min(count, N))


def test_works_without_labeled_set(strategy: Strategy) -> None:
    pool = pool_for(strategy)
    check(strategy.select(pool, None, COUNT, seeded()), pool, COUNT)


@pytest.mark.parametrize("with_labeled", [True, False])
def test_works_on_a_single_image(strategy: Strategy, with_labeled: bool) -> None:
    pool = pool_for(strategy, count=1)
    labeled = labeled_for(strategy) if with_labeled else None
    check(strategy.select(pool, labeled, 1, seeded()), pool, 1)


def test_works_with_a_single_class(strategy: Strategy) -> None:
    pool = pool_for(strategy, classes=1)
    labeled = labeled_for(strategy, classes=1)
    check(strategy.select(pool, labeled, COUNT, seeded()), pool, COUNT)


def test_same_seed_same_selection(strategy: Strategy) -> None:
    pool, labeled = pool_for(strategy), labeled_for(strategy)
    one, other = (strategy.select(pool, labeled, COUNT, seeded(5)) for _ in range(2))
    assert torch.equal(one.ids, other.ids)
    assert torch.equal(one.scores, other.scores)


def test_embeddings_in_float16_choose_as_the_same_numbers_in_float32(strategy: Strategy) -> None:
    pool, labeled = pool_for(strategy), labeled_for(strategy)
    if pool.embeddings is None:
        return
    short = replace(pool, embeddings=pool.embeddings.half())
    same = replace(pool, embeddings=pool.embeddings.half().float())
    one, other = (strategy.select(each, labeled, COUNT, seeded()) for each in (short, same))
    assert torch.equal(one.ids, other.ids)
    torch.testing.assert_close(one.scores, other.scores)


@pytest.mark.parametrize("with_labeled", [True, False])
def test_order_of_rows_does_not_matter(strategy: Strategy, with_labeled: bool) -> None:
    pool = pool_for(strategy)
    labeled = labeled_for(strategy) if with_labeled else None
    one = strategy.select(pool, labeled, COUNT, seeded())
    permuted = pool.rows(torch.randperm(N, generator=seeded(1)))
    if labeled is not None:
        labeled = labeled.rows(torch.randperm(len(labeled), generator=seeded(2)))
    other = strategy.select(permuted, labeled, COUNT, seeded())
    assert set(one.ids.tolist()) == set(other.ids.tolist())


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_non_finite_evidence_is_an_error_that_names_the_id(
    strategy: Strategy, value: float
) -> None:
    pool, labeled = pool_for(strategy), labeled_for(strategy)
    for need in strategy.needs:
        bad = spoiled(pool, need, 17, value)
        with pytest.raises(ValueError, match=rf"pool.* {int(pool.ids[17])}\b"):
            strategy.select(bad, labeled, COUNT, seeded())
    for need in strategy.labeled_needs:
        bad = spoiled(labeled, need, 3, value)
        with pytest.raises(ValueError, match=rf"labeled.* {int(labeled.ids[3])}\b"):
            strategy.select(pool, bad, COUNT, seeded())


@pytest.mark.parametrize("distinct", [1, 3])
@pytest.mark.parametrize("with_labeled", [True, False])
def test_duplicates_terminate(strategy: Strategy, distinct: int, with_labeled: bool) -> None:
    originals = pool_for(strategy, count=distinct)
    pool = Evidence(
        pool_for(strategy).ids,
        **{k: v[torch.arange(N) % distinct] for k, v in named(originals).items()},
    )
    labeled = labeled_for(strategy) if with_labeled else None
    check(strategy.select(pool, labeled, N - 5, seeded()), pool, N - 5)


def test_certain_predictions_work(strategy: Strategy) -> None:
    """Probabilities of exactly 0 and 1, embeddings of exactly 0."""
    pool = pool_for(strategy)
    extreme = Evidence(pool.ids, **{k: extreme_of(k, v) for k, v in named(pool).items()})
    check(strategy.select(extreme, labeled_for(strategy), COUNT, seeded()), pool, COUNT)


def extreme_of(name: str, values: torch.Tensor) -> torch.Tensor:
    if name == Need.EMBEDDINGS:
        return torch.zeros_like(values)
    return torch.nn.functional.one_hot(values.argmax(-1), values.shape[-1]).float()


def test_global_random_states_are_left_alone(strategy: Strategy) -> None:
    pool, labeled = pool_for(strategy), labeled_for(strategy)
    before = torch.get_rng_state(), random.getstate(), numpy_state()
    strategy.select(pool, labeled, COUNT, seeded())
    strategy.select(pool, None, COUNT, seeded())
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]
    assert numpy_state() == before[2]


def numpy_state() -> bytes:
    return pickle.dumps(np.random.mtrand._rand)


def test_global_random_states_decide_nothing(strategy: Strategy) -> None:
    pool, found = pool_for(strategy), []
    with torch.random.fork_rng(devices=[]):
        for seed in (1, 2):
            torch.manual_seed(seed)
            found.append(strategy.select(pool, None, COUNT, seeded()).ids.tolist())
    assert found[0] == found[1]


def test_inputs_are_not_changed(strategy: Strategy) -> None:
    pool, labeled = pool_for(strategy), labeled_for(strategy)
    given = [e.ids for e in (pool, labeled)]
    given += [v for e in (pool, labeled) for v in e.quantities().values()]
    before = [values.clone() for values in given]
    strategy.select(pool, labeled, COUNT, seeded())
    assert all(torch.equal(a, b) for a, b in zip(given, before, strict=True))


def test_selecting_again_is_no_different(strategy: Strategy) -> None:
    """A strategy keeps nothing from one round to the next."""
    pool, labeled = pool_for(strategy), labeled_for(strategy)
    one = strategy.select(pool, labeled, COUNT, seeded())
    strategy.select(pool_for(strategy, count=7), None, 3, seeded(1))
    assert torch.equal(strategy.select(pool, labeled, COUNT, seeded()).ids, one.ids)


def test_scores_below_zero_are_declared(strategy: Strategy) -> None:
    selection = strategy.select(pool_for(strategy), labeled_for(strategy), N, seeded())
    assert (selection.scores >= 0).all() or getattr(strategy, "may_be_negative", True)


def test_file_name_is_a_plain_command_line_word() -> None:
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", path.stem) for path in CONFIGS)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_strategy_can_be_shown_a_subset_of_the_pool(path: Path) -> None:
    """So that one override holds for all strategies of a sweep."""
    config = composed(path.stem)
    assert config.pool_subset is None
    made = instantiate(config, pool_subset=7, _convert_="all")
    assert made.pool_subset == 7


def test_a_query_takes_memory_in_proportion_to_the_pool(strategy: Strategy) -> None:
    sizes = Sizes(pool=10**6, labeled=0, classes=10, embedding=64, samples=20, count=10)
    small, large = (strategy.working_bytes(replace(sizes, pool=n)) for n in (10**6, 10**7))
    assert 0 < small < large < 12 * small
    assert large < 10**7 * (
        1000 + 2 * sizes.row_bytes(strategy.needs)
    )  # and no distances of all pairs
