from itertools import groupby
from operator import attrgetter
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from al_lightning.cli.model_choice import AUTO
from al_lightning.cli.resolvers import register
from al_lightning.run.budget import Budget
from al_lightning.strategies.evidence import Need
from study.part import Part
from study.parts import FASHION, FROZEN, PLAN
from study.study import ARCHIVES, MOST_BYTES
from tests.command_line import CONF
from tests.strategies.test_contract import composed

PARTS = tuple(dict.fromkeys(run.part for run in PLAN))
NAMES = sorted({path.stem for path in (CONF / "strategy").glob("*.yaml")} - {AUTO})


def test_parts_are_looked_at_at_5_and_at_10_seeds() -> None:
    looks = groupby(PLAN, attrgetter("part.name"))
    steps = [(name, len({run.seed for run in runs})) for name, runs in looks]
    assert steps == [
        *(
            ("a", 10),
            ("a_first", 10),
            ("b", 5),
            ("c_cifar10", 5),
            ("c_mnist", 5),
            ("c_imbalanced", 5),
        ),
        *(("d_finetuned", 3), ("d_noisy", 5), ("d_query_100", 5), ("b", 5)),
    ]
    assert {run.seed for run in PLAN if run.part == FASHION} == {*range(10)}


def test_no_run_is_planned_twice() -> None:
    assert len({run.folder(Path()) for run in PLAN}) == len(PLAN)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_what_is_planned_can_be_composed(part: Part) -> None:
    register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose("config", [*part.overrides, "seed=0", "threads=1"])
        for name, overrides in part.strategy_overrides.items():
            compose("config", [*part.overrides, f"strategy={name}", *overrides])
    assert isinstance(instantiate(cfg.budget, _convert_="all"), Budget)
    assert {*part.strategies} <= {*NAMES}
    assert "random" in part.strategies


def test_every_part_has_its_passive_baseline() -> None:
    shared = [part.name for part in PARTS if "passive" not in part.strategies]
    assert shared == ["a_first", "d_query_100"]


def test_part_a_has_every_strategy_that_its_network_can_serve() -> None:
    found = {name: instantiate(composed(name), _convert_="all") for name in NAMES}
    served = {
        name
        for name, strategy in found.items()
        if Need.MC_PROBABILITIES not in strategy.needs | strategy.labeled_needs
    }
    assert {*FROZEN.strategies} == served


def test_the_archives_are_small() -> None:
    assert sum(path.stat().st_size for path in ARCHIVES.glob("*.tar.xz")) <= MOST_BYTES
