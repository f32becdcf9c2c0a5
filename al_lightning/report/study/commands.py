"""The commands that reproduce runs, from the overrides of each."""

import shlex
from collections.abc import Sequence

from al_lightning.report.study.runs import Run
from al_lightning.run.keys import NOT_RECORDED, is_below, key_of

_PROGRAM = ("python", "-m", "al_lightning")
# overwrite=true is no part of the configuration, and would replace existing runs.
_LEFT_OUT = (*NOT_RECORDED, "overwrite")


def commands_of(runs: Sequence[Run]) -> tuple[str, ...]:
    """Return the command of each run, with every override that it was given.

    Runs that the library made have none.
    """
    return tuple(
        shlex.join([*_PROGRAM, *(o for o in run.overrides if not is_below(key_of(o), _LEFT_OUT))])
        for run in runs
        if run.overrides is not None
    )
