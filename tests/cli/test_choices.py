from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from al_lightning.cli.choices import require_single_choices
from al_lightning.utils.errors import UsageError
from tests.command_line import CONF


def require(*overrides: str, path: Path | None = None) -> None:
    found = [] if path is None else [f"hydra.searchpath=['file://{path}']"]
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose("config", [*found, *overrides], return_hydra_config=True)
        require_single_choices(cfg.hydra.runtime.choices, overrides)


@pytest.mark.parametrize(
    ("group", "options"),
    [
        ("strategy", "margin,entropy"),
        ("dataset", "digits,mnist"),
        ("model", "cnn,resnet18"),
        ("recipe", "default,plain"),
        ("budget", "small,all"),
        ("oracle", "dataset,noisy"),
        ("logger", "csv,wandb"),
        ("experiment", "passive,compare"),
        ("strategy@strategy.base", "margin,entropy"),
    ],
)
def test_a_list_of_choices_is_refused_for_every_group(group: str, options: str) -> None:
    more = ["strategy=power"] if "@" in group else []
    with pytest.raises(UsageError) as caught:
        require(*more, f"{group}=[{options}]")
    assert str(caught.value).endswith(f"-m {group}={options}")


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        ("[]", "<one>,<other>"),
        ("[entropy]", "entropy"),
        ("[margin,entropy],[l2]", "margin,entropy,l2"),
    ],
)
def test_other_lists_are_refused_by_what_was_given(given: str, advice: str) -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        compose("config", return_hydra_config=True)
        with pytest.raises(UsageError) as caught:
            require_single_choices({}, [f"strategy={given}"])
    assert str(caught.value) == (
        f"strategy={given} has a list of choices, and one run has one. For a run of each: "
        f"-m strategy={advice}"
    )


def test_a_list_in_an_experiment_is_refused(tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "two.yaml").write_text(
        "# @package _global_\ndefaults:\n  - override /strategy: [margin, entropy]\n"
    )
    with pytest.raises(UsageError, match="overrides /strategy by a list"):
        require("experiment=two", path=tmp_path)


def test_a_group_that_may_be_left_out_may_be_deleted() -> None:
    require("~logger", "~experiment")


def test_one_choice_a_group_and_lists_that_are_values_are_taken() -> None:
    require("strategy=entropy", "model.filters=[[4],[4]]", "experiment=passive")
    with initialize_config_dir(str(CONF), version_base="1.3"):
        choices = compose("config", return_hydra_config=True).hydra.runtime.choices
        require_single_choices(choices, ["strategy=l2,kl", "model=glob(*)", "budget.query=[5],[6]"])
