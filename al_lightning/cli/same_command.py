"""The command that continues a run, as messages name it."""

from collections.abc import Sequence

from al_lightning.cli.arguments import parsed
from al_lightning.run.keys import key_of


def same_command(overwrite: object) -> str:
    """Return "the same command"; without ``overwrite=true``, which would start anew.

    >>> from al_lightning.cli.same_command import same_command
    >>> same_command(overwrite=True)
    'the same command without overwrite=true'

    Args:
        overwrite: As the configuration has it.
    """
    return "the same command without overwrite=true" if overwrite is True else "the same command"


def given_overwrite(arguments: Sequence[str]) -> object:
    """Return what a command line sets ``overwrite`` to, where there is no configuration to ask."""
    given = [parsed(argument) for argument in arguments if key_of(argument) == "overwrite"]
    return next((override.value() for override in given if override is not None), None)
