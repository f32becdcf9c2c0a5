import pytest

from al_lightning.cli.same_command import same_command


@pytest.mark.parametrize(
    ("arguments", "starts_anew"),
    [
        ([], False),
        (["overwrite=false"], False),
        (["names.model=overwrite=true"], False),
        (["-m", "seed=1", "overwrite=True"], True),
        (["overwrite=true"], True),
    ],
)
def test_a_command_that_starts_anew_is_named_without_that(
    arguments: list[str], starts_anew: bool
) -> None:
    ending = " without overwrite=true" if starts_anew else ""
    assert same_command(arguments) == f"the same command{ending}"
