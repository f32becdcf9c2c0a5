"""How the runs of a setting were made, as far as it takes to make them again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from al_lightning.report.study.commands import commands_of
from al_lightning.report.study.conditions import flat
from al_lightning.report.study.runs import Run
from al_lightning.report.study.settings import Setting
from al_lightning.report.wording import count, counted, listed


@dataclass(frozen=True)
class Provenance:
    """How a setting was run.

    Attributes:
        facts: What and how much, by name, for readers.
        commands: Commands to reproduce the runs, one per run; runs of the library have none.
        config: What the runs have in common, dotted keys and values, sorted.
    """

    facts: Mapping[str, str]
    commands: Sequence[str]
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
        commands=commands_of(runs),
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
        "Passive baseline": _passive(setting),
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


def _passive(setting: Setting) -> str:
    length = setting.passive_length
    if length is None:
        return "none"
    return f"{counted(len(setting.passive), 'run')}, trained for {length.text}"


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
