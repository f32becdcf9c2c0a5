from pathlib import Path

import pytest

from tests.command_line import QUICK, Here

OTHERS = [argument for argument in QUICK if not argument.startswith("model.")]


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ("model._target_=builtins.complex", "model cannot be made: "),
        ("model.filters=5", "model.filters must be a list of blocks such as"),
        ("recipe._target_=builtins.dict", "recipe must be a Recipe, not {"),
        ("budget._target_=builtins.dict", "budget must be a Budget, not {"),
        ("recipe=fixmatch recipe.strong=null", "recipe.strong must be a Module, not None"),
        ("model=torchvision model.name=[resnet18]", "model.name must be text, not ['resnet18']"),
        ("recipe.optimizer.lr=inf", "recipe.optimizer.lr must hold plain values"),
        ("names.strategy=nan", "config.names.strategy must hold plain values"),
        ("budget.memory_limit=9e999GB", "budget.memory_limit must be a size"),
        ("oracle=page oracle.keys=abc", "oracle.keys must be a Mapping"),
        ("model.filters=[[100000000000]]", "Memory has run out. Lower recipe.batch_size"),
    ],
)
def test_a_part_that_cannot_be_made_is_one_message(
    here: Here, tmp_path: Path, overrides: str, said: str
) -> None:
    result = here(tmp_path, *OTHERS, *overrides.split())
    assert result.returncode == 1
    assert said in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "overrides", ["budget=all", "strategy=passive strategy.pool_subset=20 output_root=${seed}"]
)
def test_what_can_be_made_is(here: Here, tmp_path: Path, overrides: str) -> None:
    """One was an interpolation of itself, others are a subset of nothing, a number for a folder."""
    given = [argument for argument in QUICK if not argument.startswith("budget")]
    result = here(tmp_path, *given, *overrides.split())
    assert result.returncode == 0, result.stderr
