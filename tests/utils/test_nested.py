from typing import Any

import pytest

from al_lightning.utils.nested import leaves, without

CONFIG: dict[str, Any] = {
    "seed": 0,
    "recipe": {"epochs": 10, "optimizer": {"lr": 0.1}},
    "filters": [32, 64],
}


def test_without_drops_dotted_keys_and_nothing_else() -> None:
    kept = without(CONFIG, {"seed", "recipe.optimizer.lr"})
    assert kept == {"recipe": {"epochs": 10, "optimizer": {}}, "filters": [32, 64]}
    assert without(CONFIG, {"recipe"}) == {"seed": 0, "filters": [32, 64]}
    assert CONFIG["recipe"]["optimizer"] == {"lr": 0.1}


@pytest.mark.parametrize("key", ["lr", "epochs", "optimizer.lr", "recipe.seed", "seed.x", "recip"])
def test_without_absent_keys_is_the_same(key: str) -> None:
    assert without(CONFIG, {key}) == CONFIG


def test_leaves_have_dotted_keys_and_an_empty_mapping_is_one() -> None:
    assert dict(leaves({"a": {"b": {"c": 1}, "d": None}, "e": {}, 7: [1]})) == {
        "a.b.c": 1, "a.d": None, "e": {}, "7": [1],
    }  # fmt: skip
    assert list(leaves(3)) == [("", 3)]
