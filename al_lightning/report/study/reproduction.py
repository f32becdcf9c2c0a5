"""How the runs of a setting were made, as far as it takes to make them again."""

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from al_lightning.report.study.commands import command_of
from al_lightning.report.study.conditions import flat
from al_lightning.report.study.runs import Run
from al_lightning.report.study.settings import Setting
from al_lightning.report.words.wording import count, counted, listed

_PROGRAM = ("python", "-m", "al_lightning", "-m")
_KEPT = ("query_seed", "threads", "dataset.path")
_BUDGET = ("budget.initial", "budget.query", "budget.total", "budget.validation")


@dataclass(frozen=True)
class Provenance:
    """How a setting was run.

    Attributes:
        facts: What and how much, by name, for readers.
        command: What plays all of the runs again, a command a line; None where they were not made by
            the command line.
        config: What the runs have in common, dotted keys and values, sorted.
    """

    facts: Mapping[str, str]
    command: str | None
    config: Mapping[str, str]


def provenance(setting: Setting) -> Provenance:
    """Return how the runs of a setting were made."""
    runs = setting.all_runs
    configs = [flat(run.config) for run in runs]
    shared = {
        key: value
        for key, value in (configs[0].items() if configs else ())
        if all(config.get(key) == value for config in configs)
    }
    return Provenance(
        facts=_facts(setting, runs) if runs else {},
        command=command_of(runs) or _command(setting, configs),
        config={key: str(value) for key, value in sorted(shared.items())},
    )


def _facts(setting: Setting, runs: Sequence[Run]) -> dict[str, str]:
    first = runs[0]
    seeds = sorted({run.seed for run in runs if run.seed is not None})
    active = [run for by_seed in setting.runs.values() for run in by_seed.values()]
    facts = {
        "Data": f"{first.dataset}: {count(first.data['train'])} training images, "
        f"{count(first.data.get('test', 0))} test images, "
        f"{counted(len(first.classes), 'class', 'classes')}",
        "Fingerprint of the data": str(first.data.get("fingerprint", "unknown")),
        "Model": f"{first.model}: {_parameters(first)} trainable parameters",
        "Strategies": listed(list(setting.runs)) if setting.runs else "none",
        "Passive baseline": counted(len(setting.passive), "run") if setting.passive else "none",
        "Seeds": listed([str(seed) for seed in seeds]),
        "Compared at": ", ".join(count(budget) for budget in setting.budgets) + " labels"
        if setting.budgets
        else "all labels",
        "Validation labels": _validation(active or runs),
        "Steps a fit": _range(run.at(b).steps for run in active for b in setting.budgets),
    }
    return {
        **facts,
        "Versions": _values([run.versions for run in runs]),
        "Hardware": _values([run.hardware for run in runs]),
    }


def _values(parts: Sequence[Mapping[str, Any]]) -> str:
    """Return the values of each key in all runs; those that are null in all are left out."""
    keys = dict.fromkeys(key for part in parts for key in part)
    values = {key: sorted({str(p[key]) for p in parts if p.get(key) is not None}) for key in keys}
    return ", ".join(f"{key} {' / '.join(found)}" for key, found in values.items() if found)


def _parameters(run: Run) -> str:
    return "unknown" if run.trainable_parameters is None else count(run.trainable_parameters)


def _validation(runs: Sequence[Run]) -> str:
    numbers = sorted({run.validation_labels for run in runs})
    if numbers == [0]:
        return "none"
    return f"{listed([count(n) for n in numbers])}, counted in the labels above"


def _range(numbers: Iterable[int]) -> str:
    known = sorted(set(numbers))
    if not known:
        return "unknown"
    return count(known[0]) if len(known) == 1 else f"{count(known[0])} to {count(known[-1])}"


def _command(setting: Setting, configs: Sequence[Mapping[str, Any]]) -> str | None:
    """Return what plays runs again whose journals do not say how they were made; None if unknown.

    What is neither named nor part of the budget is left to the defaults. One command gives all
    strategies the same keys. So there is none where strategies of one name are set up differently, or
    runs have query seeds of their own.
    """
    if not configs or "names.strategy" not in configs[0] or not _chosen_by_name(setting):
        return None
    if len({config.get("query_seed") for config in configs}) > 1:
        return None
    strategies = dict.fromkeys(config["names.strategy"] for config in configs)
    seeds = sorted({config["seed"] for config in configs if "seed" in config})
    first = configs[0]
    parts = [
        f"dataset={setting.dataset}",
        f"model={setting.model}",
        f"strategy={','.join(map(str, strategies))}",
        f"seed={','.join(map(str, seeds))}",
        *(f"{key}={first[key]}" for key in _BUDGET if key in first),
        *(f"{key}={first[key]}" for key in _KEPT if _is_shared(key, configs)),
        *(
            f"{key}={value}"
            for key, value in setting.differences.items()
            if key in first and key not in (*_BUDGET, *_KEPT)
        ),
    ]
    return " ".join([*_PROGRAM, *map(shlex.quote, parts)])


def _chosen_by_name(setting: Setting) -> bool:
    """Return whether strategies are named as the command line's choices are, as far as can be seen.

    A name that was given by hand, such as names.strategy=mine, is the name of no choice: it has
    characters that those have not, or shares its set-up with another name.
    """
    names = list(setting.runs)
    setups = [
        repr(sorted(flat(run.config.get("strategy", {})).items()))
        for run in (next(iter(by_seed.values())) for by_seed in setting.runs.values())
    ]
    return all(re.fullmatch(r"\w+", name) for name in names) and len(set(setups)) == len(setups)


def _is_shared(key: str, configs: Sequence[Mapping[str, Any]]) -> bool:
    return key in configs[0] and len({config.get(key) for config in configs}) == 1
