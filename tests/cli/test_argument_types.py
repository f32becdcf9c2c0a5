from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf, open_dict, read_write

from al_lightning.cli.argument_types import require_declared_types
from al_lightning.utils.errors import UsageError
from tests.command_line import CONF

GROUPS: dict[str, list[str]] = {}
for path in sorted(CONF.glob("*/*.yaml")):
    if path.parent.name not in ("experiment", "recipe_by_mode", "budget_override"):
        GROUPS.setdefault(path.parent.name, []).append(f"{path.parent.name}={path.stem}")
#: Every choice of every group, those of one place in their groups together.
CHOICES = [" ".join(filter(None, choices)) for choices in zip_longest(*GROUPS.values())]


def composed(*overrides: str) -> Any:
    given = [*overrides, "hydra.runtime.output_dir=run"]
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose("config", given, return_hydra_config=True)
    HydraConfig.instance().set_config(cfg)
    with read_write(cfg), open_dict(cfg):
        del cfg["hydra"]
    return cfg


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        # The value itself, and not what refers to it.
        ("dataset.horizontal_flip=no", "dataset.horizontal_flip must be true or false, not 'no'"),
        ("recipe.augmentation.horizontal_flip=off", "recipe.augmentation.horizontal_flip must be"),
        ("recipe.optimizer.fused=no", "must be true, false or null, not 'no'"),
        ("recipe=fixmatch recipe.adaptive=no", "recipe.adaptive must be true or false"),
        ("oracle=page oracle.open=no", "oracle.open must be true or false"),
        ("oracle=label_studio oracle.accept_partial=1", "oracle.accept_partial must be"),
        ("model=resnet18 model.freeze_batch_norm=no", "model.freeze_batch_norm must be"),
        ("+trainer.deterministic=no", "must be true, false, null or warn, not 'no'"),
        ("strategy=power strategy.beta=abc", "strategy.beta must be a number, not 'abc'"),
        ("strategy=cluster_margin strategy.distance=abc", "distance must be a number or null"),
        ("strategy=probcover strategy.clusters=1.5", "clusters must be a whole number, not 1.5"),
        ("strategy=mix strategy.parts.typiclust.neighbors=x", "strategy.parts.typiclust.neighbors"),
        ("dataset=mnist data_root=null", "dataset.root must be text, not None"),
        ("dataset=torchvision dataset.name=[x]", r"dataset.name must be text, not \['x'\]"),
        ("dataset=image_folder dataset.path={a:b}", "dataset.path must be text, not {'a': 'b'}"),
        ("budget.initial=abc", "budget.initial must be a whole number or all, not 'abc'"),
        ("budget.memory_limit=[1]", "budget.memory_limit must be a number or text"),
    ],
)
def test_what_is_of_another_type_is_refused_by_its_key(overrides: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        require_declared_types(composed(*overrides.split()))


@pytest.mark.parametrize("choice", CHOICES)
def test_what_the_configuration_holds_is_of_its_type(choice: str) -> None:
    require_declared_types(composed(*choice.split()))


@pytest.mark.parametrize(
    "overrides",
    [
        "recipe.optimizer.lr=1",  # a whole number is a number
        "dataset.horizontal_flip=null",  # no flag
        "+trainer.deterministic=warn",
        "strategy.pool_subset=20",
        "model.filters=[[1.5]]",  # for the constructor to check
        "recipe=plain recipe.optimizer.lr=abc",  # or a tensor
    ],
)
def test_what_may_be_so_is_left_to_the_constructor(overrides: str) -> None:
    require_declared_types(composed(*overrides.split()))


class Own:
    def __init__(self, folder: Path, sizes: "list[int]", count: int) -> None: ...


def test_parts_of_ones_own_are_checked_as_far_as_they_say() -> None:
    own = {"_target_": f"{__name__}.Own", "folder": "x", "sizes": 3, "count": "many"}
    with pytest.raises(UsageError, match=r"mine\.count must be a whole number, not 'many'"):
        require_declared_types(OmegaConf.create({"mine": own}))
    require_declared_types(OmegaConf.create({"mine": {**own, "count": 1, "_target_": "not.there"}}))


def test_an_argument_that_nothing_takes_is_named_by_its_key() -> None:
    own = {"_target_": f"{__name__}.Own", "folders": "x", "_partial_": True}
    with pytest.raises(UsageError, match=r"There is no mine\.folders; did you mean mine\.folder\?"):
        require_declared_types(OmegaConf.create({"mine": own}))
