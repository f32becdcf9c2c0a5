"""The command that continues a run, as messages name it."""

from collections.abc import Sequence

from al_lightning.cli.arguments import parsed


def same_command(arguments: Sequence[str]) -> str:
    """Return "the same command"; without ``overwrite=true``, which would start anew.

    >>> from al_lightning.cli.same_command import same_command
    >>> same_command(["seed=1", "overwrite=true"])
    'the same command without overwrite=true'

    Args:
        arguments: Of the command line, or its overrides alone.
    """
    given = [parsed(argument) for argument in arguments if argument.startswith("overwrite=")]
    starts_anew = any(override is not None and override.value() is True for override in given)
    return "the same command without overwrite=true" if starts_anew else "the same command"
