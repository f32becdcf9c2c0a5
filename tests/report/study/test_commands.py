import shlex
from collections.abc import Sequence

from al_lightning.report.study.commands import commands_of
from tests.report.helpers import a_run


def commands(*given: Sequence[str] | None) -> tuple[str, ...]:
    return commands_of([a_run(overrides=overrides) for overrides in given])


def test_every_run_has_a_command_with_all_its_overrides() -> None:
    assert commands(["strategy=random", "seed=0"], ["strategy=margin", "threads=1"], []) == (
        "python -m al_lightning strategy=random seed=0",
        "python -m al_lightning strategy=margin threads=1",
        "python -m al_lightning",
    )


def test_values_are_kept_as_they_were_given_and_quoted() -> None:
    given = ["model.filters=[[4],[4]]", "dataset.path=/my cats", "+recipe.new=1", "~recipe.x"]
    (command,) = commands(given)
    assert shlex.split(command)[3:] == given


def test_what_starts_anew_or_opens_a_service_is_left_out() -> None:
    given = ["overwrite=true", "logger=wandb", "logger.key=secret", "seed=1"]
    assert commands(given) == ("python -m al_lightning seed=1",)


def test_runs_of_the_library_have_no_command() -> None:
    assert commands(None, ["seed=0"]) == ("python -m al_lightning seed=0",)
    assert commands(None) == ()
