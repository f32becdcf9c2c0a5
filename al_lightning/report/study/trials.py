"""Searches for hyperparameters: their trials, ranked by accuracy on validation labels.

The best of many trials is chosen by the validation labels. Test figures are shown, but not used to
choose, and no difference between trials is tested: with so many trials, the largest is due to chance.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from al_lightning.report.study.conditions import (
    buys_validation,
    conditions,
    differing,
    digest,
    setup,
    without_hyperparameters,
)
from al_lightning.report.study.run_names import grouped, plain
from al_lightning.report.study.runs import Round, Run
from al_lightning.report.study.settings import Setting
from al_lightning.report.wording import count, counted, listed, percent
from al_lightning.run.curve import area_under_budget_curve
from al_lightning.run.keys import HYPERPARAMETERS, is_below

# What follows from others, and is worth a column only where nothing else differs.
_DERIVED = ("model.trainable_parameters",)
_MOST_NAMED = 4  # parameters in a sentence


@dataclass(frozen=True)
class Trial:
    """Hyperparameters that were tried.

    Attributes:
        setting: What its runs are part of.
        strategy: What its strategy is called there.
        runs: Its runs, a seed each.
        parameters: The keys that differ from other trials, dotted, and their values; null is absent.
        validation: AUBC of the accuracy on validation labels over the search's budgets, mean of the
            seeds; where there is one budget, the accuracy there. None where its runs do not have all
            of the budgets.
        test: The same on test images. It is not used to choose.
        final: Test accuracy at the last budget. It is not used to choose.
    """

    setting: Setting
    strategy: str
    runs: tuple[Run, ...]
    parameters: Mapping[str, Any]
    validation: float | None
    test: float | None
    final: float | None

    @property
    def name(self) -> str:
        """Its parameters, as they are given on the command line."""
        parts = [f"{key}={plain(value)}" for key, value in self.parameters.items()]
        if len(parts) > _MOST_NAMED:
            parts[_MOST_NAMED:] = [counted(len(parts) - _MOST_NAMED, "more key")]
        return ", ".join(parts)


@dataclass(frozen=True)
class Search:
    """Trials that differ in hyperparameters, and in strategy where several were tried.

    Attributes:
        name: Data set, model, and the keys that differ from other searches.
        keys: Hyperparameters that differ, sorted.
        budgets: Labels that trials are compared over.
        trials: The best on validation labels first; those that cannot be compared last.
        unfinished: Number of its unfinished runs.
    """

    name: str
    keys: tuple[str, ...]
    budgets: tuple[int, ...]
    trials: tuple[Trial, ...]
    unfinished: int

    @property
    def best(self) -> Trial | None:
        """The best on validation labels; None where no trial has come so far."""
        return self.trials[0] if self.trials[0].validation is not None else None

    @property
    def measure(self) -> str:
        """What trials are compared by."""
        return "AUBC of the accuracy" if len(self.budgets) > 1 else "accuracy"

    @property
    def strategies(self) -> list[str]:
        """Which strategies were tried, sorted; variants of one count once."""
        return sorted({trial.runs[0].strategy for trial in self.trials})


def searches(settings: Sequence[Setting]) -> list[Search]:
    """Return the searches that settings are part of.

    A search consists of all settings that differ only in hyperparameters and have validation labels.
    Settings in which strategies are compared are part of the search of their trials.
    """
    groups: dict[str, list[Setting]] = {}
    for setting in settings:
        runs = [*setting.all_runs, *setting.unfinished]
        if runs and all(map(buys_validation, _own(setting) or runs)):
            place = digest(without_hyperparameters(conditions(runs[0])))
            groups.setdefault(place, []).append(setting)
    found = [_search(group) for group in groups.values() if len(group) > 1 or group[0].trial]
    return [search for search in found if search is not None]


def verdict(search: Search) -> str:
    """Return the verdict on a search."""
    trials = counted(len(search.trials), "trial")
    state = f"{counted(search.unfinished, 'run')} {'is' if search.unfinished == 1 else 'are'}"
    provisional = f"Provisional, as {state} unfinished. " if search.unfinished else ""
    over = (
        f"[{count(search.budgets[0])}, {count(search.budgets[-1])}] labels"
        if len(search.budgets) > 1
        else f"{count(search.budgets[0])} labels"
    )
    keys = list(search.keys[:_MOST_NAMED])
    if len(search.keys) > _MOST_NAMED:
        keys.append(counted(len(search.keys) - _MOST_NAMED, "more key"))
    begin = (
        f"{provisional}On {search.name}, {trials} of {listed(search.strategies)} differ in "
        f"{listed(keys)}."
    )
    if search.best is None or search.best.validation is None:
        return f"{begin} No trial has comparable validation figures."
    strategy = f"{search.best.strategy} with " if len(search.strategies) > 1 else ""
    return (
        f"{begin} The best by {search.measure} on validation labels over {over} is "
        f"{strategy}{search.best.name}: {percent(search.best.validation, 1)}% "
        f"({counted(len(search.best.runs), 'seed')}). The trial was chosen by this figure, which may "
        "therefore be too high; the test images were not used to choose. No difference between "
        "trials is tested."
    )


def _own(setting: Setting) -> list[Run]:
    """Return the runs of a setting; those on all labels where there are no others."""
    active = [run for by_seed in setting.runs.values() for run in by_seed.values()]
    return active or list(setting.passive.values())


def _search(settings: Sequence[Setting]) -> Search | None:
    """Return a search; None where not yet two of its trials have figures."""
    groups = [
        (setting, label, tuple(by_seed.values()))
        for setting in settings
        for label, by_seed in (setting.runs or {"passive": setting.passive}).items()
        if by_seed
    ]
    if len(groups) < 2:  # noqa: PLR2004 - nothing to choose among
        return None
    facts = [_parameters(runs[0]) for _, _, runs in groups]
    keys = _keys([runs[0] for _, _, runs in groups])
    budgets = _budgets(groups)
    trials = [
        Trial(
            setting=setting,
            strategy=label,
            runs=runs,
            parameters={key: known[key] for key in keys if key in known},
            validation=_mean(runs, budgets, lambda entry: entry.validation),
            test=_mean(runs, budgets, lambda entry: entry.metrics),
            final=_mean(runs, budgets[-1:], lambda entry: entry.metrics),
        )
        for (setting, label, runs), known in zip(groups, facts, strict=True)
    ]
    first = settings[0]
    place = {k: v for k, v in first.differences.items() if not is_below(k, HYPERPARAMETERS)}
    parts = [f"{first.dataset} with the {first.model}"]
    parts += [f"{key}={plain(value)}" for key, value in place.items()]
    return Search(
        name=", ".join(parts),
        keys=tuple(keys),
        budgets=budgets,
        trials=tuple(sorted(trials, key=_rank)),
        unfinished=sum(len(setting.unfinished) for setting in settings),
    )


def _rank(trial: Trial) -> tuple[bool, float, str, str]:
    value = trial.validation
    return value is None, -(value or 0.0), trial.strategy, trial.setting.name


def _parameters(run: Run) -> dict[str, Any]:
    """Return all that a search may choose, as a run has it."""
    facts = {**conditions(run), **setup(run)}
    return {key: value for key, value in facts.items() if is_below(key, HYPERPARAMETERS)}


def _keys(runs: Sequence[Run]) -> list[str]:
    """Return the hyperparameters that differ; how a strategy is set up, between its own runs alone."""
    shared = [{k: v for k, v in _parameters(run).items() if k not in setup(run)} for run in runs]
    own = [
        key
        for group in grouped(runs, lambda run: run.strategy).values()
        for key in differing([setup(run) for run in group])
    ]
    keys = sorted({*differing(shared), *own})
    return [key for key in keys if key not in _DERIVED] or keys


def _budgets(groups: Iterable[tuple[Setting, str, Sequence[Run]]]) -> tuple[int, ...]:
    """Return the budgets that most trials have; of equally many, the longest.

    Areas over different budgets are not comparable, so a short trial must not decide.
    """
    known = Counter(
        setting.budgets or tuple(sorted({run.labels[-1] for run in runs}))
        for setting, _, runs in groups
    )
    return max(known, key=lambda budgets: (known[budgets], budgets[-1], len(budgets)))


def _mean(
    runs: Sequence[Run], budgets: Sequence[int], of: Callable[[Round], Mapping[str, float]]
) -> float | None:
    """Return the mean height of accuracy curves over the budgets; None where some do not have them."""
    values = []
    for run in runs:
        if not set(budgets) <= set(run.labels):
            return None
        heights = [of(run.at(labels)).get("accuracy") for labels in budgets]
        known = [height for height in heights if height is not None]
        if len(known) < len(heights):
            return None
        area = area_under_budget_curve(budgets, known) if len(known) > 1 else known[0]
        if area is None:
            return None
        values.append(area)
    return fmean(values)
