import pytest

from al_lightning.utils.hints import did_you_mean, nearest

KNOWN = {
    "strategy",
    "budget.query",
    "budget.total",
    "recipe.batch_size",
    "recipe.eval_batch_size",
    "seed",
}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("budget.qeury", "budget.query"),
        ("batch_size", "recipe.batch_size"),
        ("model.batch_size", "recipe.batch_size"),
        ("strategi", "strategy"),
        ("sed", "seed"),
        ("Strategie", "strategy"),
        ("xyz", None),
    ],
)
def test_the_nearest_name(typed: str, meant: str | None) -> None:
    assert nearest(typed, KNOWN) == meant


def test_what_is_no_text_is_near_to_nothing() -> None:
    assert nearest(["seed"], KNOWN) is None


def test_among_none_there_is_none() -> None:
    assert nearest("seed", []) is None


def test_a_message_on_an_unknown_name_ends_with_the_nearest() -> None:
    assert did_you_mean("dgo", ["cat", "Dog"]) == "; did you mean Dog?"
    assert did_you_mean("xyz", ["cat", "Dog"]) == ""
    assert did_you_mean(7, ["cat", "Dog"]) == ""
