import pytest

from al_lightning.cli.needed import require_needed
from al_lightning.utils.errors import UsageError


@pytest.mark.parametrize(
    ("argument", "default"),
    [
        ("model=null", "model=cnn"),
        ("budget=null", "budget=standard"),
        ("strategy=NULL", "strategy=margin"),
        ("model=cnn,null", "model=cnn"),
        *((f"{group}=null", group) for group in ("dataset", "recipe", "oracle", "trainer")),
    ],
)
def test_what_a_run_needs_cannot_be_null(argument: str, default: str) -> None:
    with pytest.raises(UsageError, match=rf"{argument} leaves a run without.*{default}"):
        require_needed(["seed=1", argument])


def test_what_may_be_null_may_be() -> None:
    allowed = ["logger=null", "experiment=null", "threads=null", "model=cnn", "model.weights=null"]
    require_needed([*allowed, "budget.validation=null", "-m"])
