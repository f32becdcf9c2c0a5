from typing import Any

from study.settings import differing_settings


def config(**changes: Any) -> dict[str, Any]:
    recipe = {"epochs": 32, "warm_start": False, **changes.pop("recipe", {})}
    return {"seed": 0, "strategy": {"name": "margin"}, "recipe": recipe, **changes}


def test_what_is_planned_to_differ_does_not_count() -> None:
    others = [
        config(seed=1, strategy={"name": "badge", "pool_subset": None}, output_root="here"),
        config(budget_override={"initial": "all"}, names={"strategy": "passive"}, threads=1),
    ]
    assert differing_settings([config(), *others]) == []
    assert differing_settings([]) == []


def test_defaults_that_were_changed_are_named() -> None:
    changed = config(recipe={"epochs": 20, "momentum": 0.9}, query=[1, 2])
    keys = ["query", "recipe.epochs", "recipe.momentum"]
    assert differing_settings([config(), config(), changed]) == keys


def test_null_is_absent() -> None:
    assert differing_settings([config(), config(recipe={"momentum": None})]) == []
