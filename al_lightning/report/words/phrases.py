"""Phrases of a verdict: a place, a difference, a saving, each in the words of a sentence."""

from al_lightning.report.analysis.savings import Savings
from al_lightning.report.rules import Rules
from al_lightning.report.statistics.comparison import Comparison, Outcome
from al_lightning.report.statistics.power import MOST_SEEDS, NeededSeeds
from al_lightning.report.study.settings import Setting
from al_lightning.report.words.wording import (
    count,
    counted,
    decimals_for,
    interval,
    listed,
    percent,
)

#: The sign before a lower bound.
AT_LEAST = "\u2265 "


def place(setting: Setting) -> str:
    """Return the place of a verdict: "fashion_mnist with the cnn", and the keys that differ."""
    rest = setting.name.removeprefix(f"{setting.dataset} with {setting.model}").removeprefix(", ")
    return f"{setting.dataset} with the {setting.model}" + (f" ({rest.strip()})" if rest else "")


def label_range(setting: Setting) -> str:
    """Return the first and the last common budget: "[1,000, 3,000] labels"."""
    return f"[{count(setting.budgets[0])}, {count(setting.budgets[-1])}] labels"


def seed_range(numbers: list[int]) -> str:
    """Return how many seeds there are: "5 seeds", "3 to 5 seeds"."""
    least = "" if min(numbers) == max(numbers) else f"{min(numbers)} to "
    return f"{least}{counted(max(numbers), 'seed')}"


def difference(comparison: Comparison) -> str:
    """Return the size of a difference and its interval: "1.4 points [0.9, 1.9]"."""
    if comparison.interval is None:
        return "an unknown difference"
    low, high = sorted(abs(end) for end in comparison.interval)
    decimals = decimals_for(comparison.mean, high - low)
    return f"{percent(abs(comparison.mean), decimals)} points {interval(low, high, decimals)}"


def reading(comparison: Comparison, rules: Rules) -> str:
    """Return an outcome in words: "the same within 0.5 points"."""
    if comparison.difference is None:
        return "no common seed"
    if comparison.outcome is Outcome.SAME:
        return f"{comparison.outcome} within {rules.margin:g} points"
    return str(comparison.outcome)


def needed(found: NeededSeeds) -> str:
    """Return how many seeds it takes: "8 to 14 seeds", "more than 100 seeds"."""
    if found.least is None:
        return f"more than {MOST_SEEDS} seeds"
    if found.most is None:
        return f"{found.least} to more than {MOST_SEEDS} seeds"
    return seed_range([found.least, found.most])


def saving(name: str, found: Savings) -> str:
    """Return the labels that a strategy saves: "margin saves 36% of the labels (median of ...)"."""
    if found.median is None:
        reached = found.seeds - len(found.never)
        return f"{name} gets there in {reached} of {counted(found.seeds, 'seed')}"
    least = "at least " if found.at_least else ""
    amount = f"{least}{percent(found.median, 0)}% of the labels"
    return f"{name} saves {amount} (median of {_spread(found)}{_never(found)})"


def ends(found: Savings) -> str:
    """Return the interval of a median saving, in per cent: "8 to 50", "never to 50"."""
    return " to ".join(dict.fromkeys((_end(found.low), _end(found.high))))


def _end(value: float | None) -> str:
    return "never" if value is None else percent(value, 0)


def _spread(found: Savings) -> str:
    kind = "95% interval" if found.confident else "range"
    between = f"{kind} {ends(found)}%" if " to " in ends(found) else f"all {ends(found)}%"
    return f"{counted(found.seeds, 'seed')}, {between}"


def _never(found: Savings) -> str:
    if not found.never:
        return ""
    seeds = listed([str(seed) for seed in found.never])
    return f"; never reached with {'seed' if len(found.never) == 1 else 'seeds'} {seeds}"


def are(number: int) -> str:
    """Return "is" or "are"."""
    return "is" if number == 1 else "are"
