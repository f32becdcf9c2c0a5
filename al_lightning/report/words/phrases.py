"""Phrases of a verdict: a place, a difference, a saving, each in the words of a sentence."""

from collections.abc import Sequence

from al_lightning.report.analysis.savings import Savings
from al_lightning.report.rules import Rules
from al_lightning.report.statistics.comparison import Comparison, Outcome
from al_lightning.report.statistics.looks import Basis
from al_lightning.report.statistics.penalty import PenaltyMatrix
from al_lightning.report.statistics.power import MOST_SEEDS, NeededSeeds
from al_lightning.report.study.settings import Setting
from al_lightning.report.wording import (
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


def kept_back(basis: Basis, reference: str | None) -> str:
    """Return who keeps the others from a later look: "kl has 3 seeds; the others share 10"; or ""."""
    if not basis.behind:
        return ""
    verb = "has" if len(basis.behind) == 1 else "have"
    common = f" in common with {reference}" if reference else ""
    seeds = f"{seed_range([*basis.behind.values()])}{common}"
    return f"{listed([*basis.behind])} {verb} {seeds}; the others share {basis.ahead}"


def difference(comparison: Comparison) -> str:
    """Return the size of a difference and its interval: "1.4 points [0.9, 1.9]"."""
    if comparison.interval is None:
        return "an unknown difference"
    low, high = sorted(abs(end) for end in comparison.interval)
    decimals = decimals_for(comparison.mean, high - low)
    return f"{percent(abs(comparison.mean), decimals)} points {interval(low, high, decimals)}"


def compared_at(matrix: PenaltyMatrix) -> str:
    """Return the budgets of a penalty matrix: "20 and 30 labels", of several settings with "or"."""
    sets = dict.fromkeys(matrix.budgets)
    return f"{', or '.join(listed([count(b) for b in budgets]) for budgets in sets)} labels"


def reading(comparison: Comparison, rules: Rules) -> str:
    """Return an outcome in words: "the same within 0.5 points"."""
    if comparison.difference is None:
        return "no common seed"
    if comparison.outcome is Outcome.SAME:
        return f"{comparison.outcome} within {rules.margin:g} points"
    return str(comparison.outcome)


def changed_rules(rules: Rules) -> list[str]:
    """Return the rules that are not the defaults, as the command line has them.

    >>> changed_rules(Rules(margin=1, looks=(5, 10)))
    ['report.margin=1', 'report.looks=[5,10]']
    """
    texts = {
        "margin": f"{rules.margin:g}",
        "difference": f"{rules.difference:g}",
        "looks": f"[{','.join(map(str, rules.looks))}]",
    }
    usual = Rules()
    return [
        f"report.{key}={text}"
        for key, text in texts.items()
        if getattr(rules, key) != getattr(usual, key)
    ]


def needed(found: NeededSeeds) -> str:
    """Return how many seeds it takes: "8 to 14 seeds", "more than 100 seeds"."""
    if found.least is None:
        return f"more than {MOST_SEEDS} seeds"
    if found.most is None:
        return f"{found.least} to more than {MOST_SEEDS} seeds"
    return seed_range([found.least, found.most])


def saving(name: str, found: Savings) -> str:
    """Return the labels that a strategy saves: "margin saves 36% of the labels (median of ...)".

    Where it needs more, "margin needs 8% more labels (median of ...)".
    """
    unknown = _with_seeds("; unknown", found.unknown, ", where the first labels are enough")
    if found.median is None:
        reached = found.seeds - len(found.never)
        return f"{name} gets there in {reached} of {counted(found.seeds, 'seed')}{unknown}"
    share = percent(found.median, 0)
    more = share.startswith("-")
    amount = (
        f"needs {percent(-found.median, 0)}% more labels"
        if more
        else f"saves {'at least ' if found.at_least else ''}{share}% of the labels"
    )
    never = _with_seeds("; never reached", found.never)
    seeds = counted(found.known, "seed")
    return f"{name} {amount} (median of {seeds}, {_spread(found, more)}{never}{unknown})"


def ends(found: Savings, more: bool = False) -> str:
    """Return the interval of a median saving, in per cent: "8 to 50", "never to 50".

    Args:
        found: The saving.
        more: Whether it is told as labels in addition: "7 to 8" of savings from -8 to -7.
    """
    if not found.known:
        return "unknown"
    both = (found.high, found.low) if more else (found.low, found.high)
    sign = -1 if more else 1
    texts = ["never" if end is None else percent(sign * end, 0) for end in both]
    return " to ".join(dict.fromkeys(texts))


def _spread(found: Savings, more: bool) -> str:
    between = ends(found, more)
    kind = "95% interval" if found.confident else "range"
    unit = "" if between.endswith("never") else "%"
    return f"{kind if ' to ' in between else 'all'} {between}{unit}"


def _with_seeds(what: str, seeds: Sequence[int], why: str = "") -> str:
    """Return that something is so with some seeds: "never reached with seed 4"; "" without any."""
    if not seeds:
        return ""
    named = listed([str(seed) for seed in seeds])
    return f"{what} with {'seed' if len(seeds) == 1 else 'seeds'} {named}{why}"


def are(number: int) -> str:
    """Return "is" or "are"."""
    return "is" if number == 1 else "are"
