from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from al_lightning.cli.recipe_by_mode import compose_by_mode, shown_recipe
from tests.command_line import CONF

LINEAR = (128, 5.0)  # batch size and weight decay of recipe=linear
FINETUNE = (32, 0.1)
PLAIN_BATCH = 64


def recipe_of(*overrides: str) -> tuple[tuple[int, float | None], str | None]:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose("config", [*overrides], return_hydra_config=True)
        cfg, recipe = compose_by_mode(cfg, cfg.hydra)
    return (cfg.recipe.batch_size, cfg.recipe.optimizer.get("weight_decay")), recipe


@pytest.mark.parametrize(
    "model",
    ["efficientnet_lite0", "efficientnet_b0", "resnet18", "timm", "torchvision", "vit_b_16"],
)
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


def test_what_is_shown_is_what_would_run() -> None:
    overrides = ["model=resnet18", "model.mode=linear"]
    assert shown_recipe(["--cfg", "job", *overrides]) == ["recipe_by_mode=linear"]
    assert shown_recipe(overrides) == []
    assert shown_recipe(["--cfg", "job", "model=resnet18"]) == []
    assert shown_recipe(["--cfg", "job", "model=no_such"]) == []
