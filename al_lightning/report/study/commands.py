"""The commands that play runs again, from the overrides that each was given."""

import shlex
from collections.abc import Mapping, Sequence

from al_lightning.report.study.runs import Run
from al_lightning.run.keys import NOT_RECORDED, is_below, key_of

_PROGRAM = ("python", "-m", "al_lightning")
_FIRST = ("dataset", "model", "strategy", "seed")  # what readers look for
# To start anew is no part of what was run, and would cost the runs that are there.
_LEFT_OUT = (*NOT_RECORDED, "overwrite")

_Given = Mapping[str, str]  # an override's key, and the override


def command_of(runs: Sequence[Run]) -> str | None:
    """Return what plays runs again, a command a line; None where a journal does not say.

    Every override that a run was given is in it. What was swept is joined by commas, where that plays
    the runs and no others; else there are several commands.
    """
    given = []
    for run in runs:
        if run.overrides is None:
            return None
        kept = [o for o in run.overrides if not is_below(key_of(o), _LEFT_OUT)]
        given.append({override.split("=", 1)[0]: override for override in kept})
    return "\n".join(_line(group) for group in _grids(given)) or None


def _grids(given: Sequence[_Given]) -> list[list[_Given]]:
    """Split runs so that the runs of each part are all combinations of what they were given."""
    alike: dict[frozenset[str], list[_Given]] = {}
    for overrides in given:
        alike.setdefault(frozenset(overrides), []).append(overrides)
    if len(alike) > 1:
        return [part for group in alike.values() for part in _grids(group)]
    values = _values(given)
    combinations = 1
    for found in values.values():
        combinations *= len(found)
    if not given or combinations == len({tuple(sorted(o.items())) for o in given}):
        return [list(given)] if given else []
    key = next(key for key in _ordered(values) if len(values[key]) > 1 and key != "seed")
    parts: dict[str, list[_Given]] = {}
    for overrides in given:
        parts.setdefault(overrides[key], []).append(overrides)
    return [part for group in parts.values() for part in _grids(group)]


def _line(given: Sequence[_Given]) -> str:
    values = _values(given)
    swept = any(len(found) > 1 for found in values.values())
    words = [*_PROGRAM, *(["-m"] if swept else [])]
    for key in _ordered(values):
        found = list(values[key])
        rest = [override.split("=", 1)[1] for override in found[1:]]
        words.append(",".join([found[0], *rest]))
    return " ".join(map(shlex.quote, words))


def _values(given: Sequence[_Given]) -> dict[str, dict[str, None]]:
    """Return the overrides of each key, each once."""
    values: dict[str, dict[str, None]] = {}
    for overrides in given:
        for key, override in overrides.items():
            values.setdefault(key, {})[override] = None
    return values


def _ordered(values: Mapping[str, object]) -> list[str]:
    first = [key for key in _FIRST if key in values]
    return [*first, *(key for key in values if key not in first)]
