"""Names of settings and strategies, with the keys that differ."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from al_lightning.report.study.conditions import Facts, differing, setup
from al_lightning.report.study.runs import Run
from al_lightning.report.wording import counted

_NAMED_KEYS = 4  # of those that differ between settings; more would hide the name
_LONGEST_VALUE = 40  # characters

_K = TypeVar("_K")


def name_settings(settings: Sequence[tuple[Facts, Run]]) -> list[tuple[str, Facts]]:
    """Return names for settings, and in which keys each differs from others of its data and model.

    Args:
        settings: The conditions of each, and one of its runs.

    Returns:
        One pair a setting, in their order; names are unique.
    """
    taken: Counter[str] = Counter()
    named: list[tuple[str, Facts]] = []
    for facts, run in settings:
        alike = [f for f, r in settings if (r.dataset, r.model) == (run.dataset, run.model)]
        differences = {key: facts.get(key) for key in differing(alike)}
        name = _with(f"{run.dataset} with {run.model}", differences)
        taken[name] += 1
        named.append((name if taken[name] == 1 else f"{name}, variant {taken[name]}", differences))
    return named


def label_strategies(runs: Sequence[Run]) -> dict[int, str]:
    """Return the name of each run's strategy, by the run's id().

    Where strategies of one name are set up differently, what differs joins the name. The one that
    leaves all of it null keeps the plain name.
    """
    labels: dict[int, str] = {}
    for name, group in grouped(runs, lambda run: run.strategy).items():
        setups = {id(run): setup(run) for run in group}
        keys = differing(list(setups.values()))
        for run in group:
            parts = [
                _part(key.removeprefix("strategy."), value)
                for key in keys
                if (value := setups[id(run)].get(key)) is not None
            ]
            labels[id(run)] = ", ".join([name, *parts])
    return _with_query_seeds(runs, labels)


def plain(value: Any) -> str:
    """Return a value as the command line has it, cut where it is long."""
    if value is None:
        return "null"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE].rstrip()}\u2026"


def grouped(runs: Iterable[Run], key: Callable[[Run], _K]) -> dict[_K, list[Run]]:
    """Return runs by a key of theirs, in the order in which keys come first."""
    groups: dict[_K, list[Run]] = {}
    for run in runs:
        groups.setdefault(key(run), []).append(run)
    return groups


def _with(name: str, differences: Facts) -> str:
    parts = [f"{key}={plain(value)}" for key, value in differences.items()]
    shown = parts[:_NAMED_KEYS]
    if len(parts) > len(shown):
        shown.append(counted(len(parts) - len(shown), "more key"))
    return ", ".join([name, *shown])


def _part(key: str, value: Any) -> str:
    """Return a key and its value; of a ``_target_``, the class alone: "score=Margin"."""
    if key.rsplit(".", maxsplit=1)[-1] != "_target_":
        return f"{key}={plain(value)}"
    kind = str(value).rpartition(".")[2]
    parent = key.removesuffix("_target_").removesuffix(".")
    return f"{parent}={kind}" if parent else kind


def _with_query_seeds(runs: Sequence[Run], labels: Mapping[int, str]) -> dict[int, str]:
    """Tell runs apart that share strategy and seed, but draw from other query seeds."""
    result = dict(labels)
    for label, group in grouped(runs, lambda run: labels[id(run)]).items():
        drawn = {run.seed: set[Any]() for run in group}
        for run in group:
            drawn[run.seed].add(run.config.get("query_seed"))
        if all(len(query_seeds) == 1 for query_seeds in drawn.values()):
            continue
        for run in group:
            if (query_seed := run.config.get("query_seed")) is not None:
                result[id(run)] = f"{label}, query_seed={query_seed}"
    return result
