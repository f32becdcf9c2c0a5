"""Groups runs into settings by their conditions."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from al_lightning.report.study.conditions import (
    Facts,
    buys_validation,
    conditions,
    digest,
    setup,
    without_hyperparameters,
)
from al_lightning.report.study.notes import not_compared
from al_lightning.report.study.pairing import pair_runs
from al_lightning.report.study.run_names import grouped, name_settings
from al_lightning.report.study.runs import Run
from al_lightning.report.study.settings import Setting

_BUDGET = ("budget",)  # a baseline on all labels has another one by its nature


def build_study(runs: Iterable[Run]) -> list[Setting]:
    """Sort runs into settings, in the order of their names."""
    groups = grouped(sorted(runs, key=_order), lambda run: digest(conditions(run)))
    active = {key: [r for r in group if not r.passive] for key, group in groups.items()}
    passive = [run for group in groups.values() for run in group if run.passive]
    settings: list[tuple[Facts, list[Run], list[Run]]] = []
    for group in active.values():
        if group:
            alike = [run for run in passive if _shared(run) == _shared(group[0])]
            settings.append((conditions(group[0]), group, _baseline(alike, group[0])))
    taken = {id(run) for _, _, baseline in settings for run in baseline}
    lonely = grouped([run for run in passive if id(run) not in taken], _shared)
    settings += [(conditions(group[0]), [], group) for group in lonely.values()]
    named = name_settings([(facts, (own or baseline)[0]) for facts, own, baseline in settings])
    built = [
        pair_runs(name, differences, own, baseline, trial)
        for (name, differences), (_, own, baseline), trial in zip(
            named, settings, _trials(settings), strict=True
        )
    ]
    return sorted((_with_notes(each, built) for each in built), key=lambda each: each.name)


def _shared(run: Run) -> str:
    return digest(conditions(run, _BUDGET))


def _baseline(passive: Sequence[Run], active: Run) -> list[Run]:
    """Return the baselines that hold back as many labels; all where none does."""
    alike = [run for run in passive if _held_back(run) == _held_back(active)]
    return alike or list(passive)


def _held_back(run: Run) -> tuple[int, int]:
    return run.validation_labels, run.test_labels


def _with_notes(setting: Setting, settings: Sequence[Setting]) -> Setting:
    """Tell of strategies that have runs under other conditions alone, and so are not compared."""
    apart = [
        other
        for other in settings
        if (other.dataset, other.model) == (setting.dataset, setting.model)
        and other.runs
        and setting.runs
        and not other.runs.keys() & setting.runs.keys()
        and not (other.trial or setting.trial)  # a search compares no strategies
    ]
    more = [
        not_compared(setting.runs, setting.differences, other.runs, other.differences)
        for other in apart
    ]
    return replace(setting, notes=(*setting.notes, *more))


def _order(run: Run) -> tuple[str, str, str, int, str]:
    seed = -1 if run.seed is None else run.seed
    return run.dataset, run.model, run.strategy, seed, str(run.folder)


def _trials(settings: Sequence[tuple[Facts, Sequence[Run], Sequence[Run]]]) -> list[bool]:
    """Say of each setting whether it is a trial of a search, see :attr:`Setting.trial`."""
    places = [digest(without_hyperparameters(facts)) for facts, _, _ in settings]
    alike = Counter(places)
    trials = []
    for place, (_, active, passive) in zip(places, settings, strict=True):
        own = active or passive
        searched = alike[place] > 1 or _variants(own) > 1
        single = len({run.strategy for run in own}) == 1
        trials.append(searched and single and all(map(buys_validation, own)))
    return trials


def _variants(runs: Sequence[Run]) -> int:
    """Return in how many ways the strategies of runs are set up."""
    return len({digest(setup(run)) for run in runs})
