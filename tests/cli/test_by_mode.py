from collections.abc import Iterator
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from al_lightning.cli.by_mode import compose_by_mode, shown_by_mode
from al_lightning.cli.resolvers import register
from tests.command_line import CONF

LINEAR = (128, 5.0)  # batch size and weight decay of recipe=linear
FINETUNE = (32, 0.1)
PLAIN_BATCH = 64


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    register()
    before = HydraConfig.instance().cfg
    yield
    HydraConfig.instance().cfg = before


def composed(*overrides: str) -> tuple[DictConfig, str | None]:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose("config", [*overrides], return_hydra_config=True)
        HydraConfig.instance().set_config(cfg)
        return compose_by_mode(cfg, cfg.hydra)


def recipe_of(*overrides: str) -> tuple[tuple[int, float | None], str | None]:
    cfg, recipe = composed(*overrides)
    return (cfg.recipe.batch_size, cfg.recipe.optimizer.get("weight_decay")), recipe


@pytest.mark.parametrize("model", ["efficientnet_lite0", "timm", "torchvision", "vit_b_16"])
def test_a_trained_head_gets_the_recipe_for_heads_whatever_the_network(model: str) -> None:
    assert recipe_of(f"model={model}", "model.mode=linear") == (LINEAR, "linear")
    assert recipe_of(f"model={model}") == (FINETUNE, None)
    assert recipe_of(f"model={model}", "model.mode=last_block") == (FINETUNE, None)


def test_a_network_that_is_trained_does_not_get_the_recipe_for_heads() -> None:
    assert recipe_of("model=efficientnet_lite0_linear") == (LINEAR, None)
    for mode in ("finetune", "last_block"):
        overrides = ("model=efficientnet_lite0_linear", f"model.mode={mode}")
        assert recipe_of(*overrides) == (FINETUNE, "finetune")


def test_a_recipe_that_was_named_stays() -> None:
    overrides = ("model=resnet18", "model.mode=linear")
    assert recipe_of(*overrides, "recipe=finetune") == (FINETUNE, None)
    assert recipe_of(*overrides, "recipe=plain")[0][0] == PLAIN_BATCH
    assert recipe_of(*overrides, "recipe.batch_size=7") == ((7, 5.0), "linear")


def test_an_experiment_may_name_the_mode_or_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    head = "# @package _global_\ndefaults:\n  - override /model: resnet18\n"
    (tmp_path / "experiment" / "mode.yaml").write_text(f"{head}model:\n  mode: linear\n")
    (tmp_path / "experiment" / "both.yaml").write_text(
        f"{head}  - override /recipe: finetune\nmodel:\n  mode: linear\n"
    )
    path = f"hydra.searchpath=['file://{tmp_path}']"
    assert recipe_of(path, "experiment=mode") == (LINEAR, "linear")
    assert recipe_of(path, "experiment=both") == (FINETUNE, None)


def strategy_of(*overrides: str) -> tuple[str, str, str]:
    """Return the name and the class of the strategy, and the folder of the run."""
    cfg = composed(*overrides)[0]
    target = cfg.strategy._target_.rpartition(".")[2]
    return cfg.names.strategy, target, str(HydraConfig.get().run.dir)


@pytest.mark.parametrize(
    ("model", "name", "target"),
    [
        ("efficientnet_lite0_linear", "dropquery", "DropQuery"),
        ("dinov2_small", "dropquery", "DropQuery"),
        ("resnet18 model.mode=linear", "dropquery", "DropQuery"),
        ("efficientnet_lite0_linear model.mode=last_block", "margin", "Margin"),
        ("resnet18", "margin", "Margin"),
        ("cnn", "margin", "Margin"),
    ],
)
def test_a_persons_strategy_is_what_the_study_found_for_the_mode(
    model: str, name: str, target: str
) -> None:
    found = strategy_of("oracle=csv", "project=null", *f"model={model}".split())
    assert found[:2] == (name, target)
    assert f"/{name}/seed=0" in found[2]


@pytest.mark.parametrize("oracle", ["csv", "label_studio", "page"])
def test_it_is_so_wherever_a_person_labels(oracle: str) -> None:
    found = strategy_of(f"oracle={oracle}", "model=efficientnet_lite0_linear")
    assert found[:2] == ("dropquery", "DropQuery")


def test_auto_can_be_asked_for_and_a_strategy_that_was_named_stays() -> None:
    frozen = "model=efficientnet_lite0_linear"
    assert strategy_of("strategy=auto", frozen)[:2] == ("dropquery", "DropQuery")
    assert strategy_of("strategy=auto")[:2] == ("margin", "Margin")
    assert strategy_of("oracle=csv", frozen, "strategy=badge")[:2] == ("badge", "Badge")
    assert strategy_of(frozen)[:2] == ("margin", "Margin")
    assert strategy_of("oracle=csv", frozen, "names.strategy=mine")[:2] == ("mine", "DropQuery")


def test_settings_of_a_strategy_that_was_not_named_are_those_of_margin() -> None:
    frozen = ("oracle=csv", "model=efficientnet_lite0_linear")
    assert strategy_of(*frozen, "strategy.mc_samples=5")[:2] == ("margin", "Margin")
    own, target, _ = strategy_of(*frozen, "strategy._target_=mine.Density")
    assert (own, target) == ("margin", "Density")
    for typed in ("strategy.mc_samples=null", "++strategy.beta=2"):
        assert strategy_of(*frozen, typed)[:2] == ("margin", "Margin")
    target = "strategy._target_=al_lightning.strategies.Margin"
    assert strategy_of(*frozen, target)[:2] == ("margin", "Margin")


def test_a_setting_of_both_leaves_the_choice_to_the_mode() -> None:
    frozen = ("oracle=csv", "model=efficientnet_lite0_linear")
    cfg = composed(*frozen, "strategy.pool_subset=99")[0]
    assert cfg.names.strategy == "dropquery"
    assert (cfg.strategy.passes, cfg.strategy.pool_subset) == (3, 99)


def test_auto_is_made_of_margin() -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        auto, margin = (compose("config", [f"strategy={name}"]) for name in ("auto", "margin"))
    assert auto.strategy == margin.strategy


def test_an_experiment_of_ones_own_may_have_it(tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    head = "# @package _global_\ndefaults:\n  - override /oracle: csv\n"
    linear = f"{head}  - override /model: efficientnet_lite0_linear\n"
    for name, text in (
        ("plain", linear),
        ("set", f"{linear}strategy:\n  mc_samples: 20\n"),
        ("same", f"{linear}strategy:\n  mc_samples: null\n"),
        ("named", f"{linear}  - override /strategy: l2\n"),
    ):
        (tmp_path / "experiment" / f"{name}.yaml").write_text(text)
    path = f"hydra.searchpath=['file://{tmp_path}']"
    assert strategy_of(path, "experiment=plain")[:2] == ("dropquery", "DropQuery")
    assert strategy_of(path, "experiment=set")[:2] == ("margin", "Margin")
    assert strategy_of(path, "experiment=named")[0] == "l2"
    assert "mc_samples" not in composed(path, "experiment=same")[0].strategy
    shown = shown_by_mode(["--config-dir", str(tmp_path), "--cfg", "job", "experiment=plain"])
    assert shown == ["strategy=dropquery"]


def test_what_is_shown_is_what_would_run() -> None:
    overrides = ["model=resnet18", "model.mode=linear"]
    assert shown_by_mode(["--cfg", "job", *overrides]) == ["recipe_by_mode=linear"]
    assert shown_by_mode(["--cfg", "job", *overrides, "strategy=auto"]) == [
        "recipe_by_mode=linear",
        "strategy=dropquery",
    ]
    assert shown_by_mode(overrides) == []
    assert shown_by_mode(["--cfg", "job", "model=resnet18"]) == []
    assert shown_by_mode(["--cfg", "job", "model=no_such"]) == []
    assert shown_by_mode(["--cfg", "job", "model=[cnn"]) == []  # Hydra says it
