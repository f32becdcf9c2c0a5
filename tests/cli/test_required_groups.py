import re

import pytest

from al_lightning.cli.required_groups import require_groups
from al_lightning.utils.errors import UsageError


@pytest.mark.parametrize(
    ("argument", "default"),
    [
        ("model=null", "model=cnn"),
        ("budget=null", "budget=standard"),
        ("strategy=NULL", "strategy=margin"),
        ("model=cnn,null", "model=cnn"),
        ("strategy=", "strategy=margin"),
        ("strategy=1", "strategy=margin"),
        ("+model=1e3,cnn", "model=cnn"),
        ("recipe=true", "recipe=default"),
        ("~strategy", "strategy=margin"),
        ("~trainer=default", "trainer=default"),
        ("~seed", "leave it out"),
        ("~names", "leave it out"),
        *((f"{group}=null", group) for group in ("dataset", "recipe", "oracle", "trainer")),
    ],
)
def test_what_a_run_needs_cannot_be_null(argument: str, default: str) -> None:
    message = rf"{re.escape(argument)} leaves a run without.*{default}"
    with pytest.raises(UsageError, match=message):
        require_groups(["seed=1", argument])


@pytest.mark.parametrize("argument", ["logger=1", "experiment=true", "experiment="])
def test_what_may_be_left_out_must_have_a_name(argument: str) -> None:
    with pytest.raises(UsageError, match=f"{argument} is the name of no "):
        require_groups([argument])


def test_what_may_be_null_may_be() -> None:
    allowed = [
        "logger=null",
        "~logger",
        "~budget.query",
        "experiment=null",
        "threads=null",
        "strategy=l2",
        "model.weights=null",
    ]
    require_groups([*allowed, "budget.validation=null", "-m"])
