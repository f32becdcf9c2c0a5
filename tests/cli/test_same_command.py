import pytest

from al_lightning.cli.same_command import given_overwrite, same_command


def test_a_command_that_starts_anew_is_named_without_that() -> None:
    assert same_command(overwrite=True) == "the same command without overwrite=true"
    for overwrite in (False, None, "maybe"):
        assert same_command(overwrite) == "the same command"


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        ([], None),
        (["overwrite=false"], False),
        (["names.model=overwrite=true"], None),
        (["-m", "seed=1", "overwrite=True"], True),
        (["++overwrite=true"], True),
        (["overwrite=[", "overwrite=true"], True),
    ],
)
def test_a_command_line_says_whether_it_starts_anew(arguments: list[str], value: object) -> None:
    assert given_overwrite(arguments) is value
