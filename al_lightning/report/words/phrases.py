"""Phrases of a verdict: a place, a difference, a saving, each in the words of a sentence."""

from al_lightning.report.analysis.results import Analysis
from al_lightning.report.analysis.savings import Savings, is_saving
from al_lightning.report.statistics.comparison import MOST_SEEDS, Comparison, Outcome
from al_lightning.report.statistics.efficiency import Bound, Bounded
from al_lightning.report.study.settings import Setting
from al_lightning.report.words.wording import (
    count,
    counted,
    decimals_for,
    interval,
    percent,
    points,
)

_MARKS: dict[Bound, str] = {"exact": "", "at_least": "\u2265 ", "at_most": "\u2264 ", "unknown": ""}


def place(setting: Setting) -> str:
    """Return the place of a verdict: "fashion_mnist with the cnn", and the keys that differ."""
    rest = setting.name.removeprefix(f"{setting.dataset} with {setting.model}").removeprefix(", ")
    return f"{setting.dataset} with the {setting.model}" + (f" ({rest.strip()})" if rest else "")


def label_range(setting: Setting) -> str:
    """Return the first and the last common budget: "[1,000, 3,000] labels"."""
    return f"[{count(setting.budgets[0])}, {count(setting.budgets[-1])}] labels"


def more_seeds(comparison: Comparison) -> str:
    """Return how many more seeds would decide: "4 more seeds", "more than 97 more seeds"."""
    if comparison.needed is None:
        return f"more than {MOST_SEEDS - comparison.seeds} more seeds"
    return counted(max(comparison.needed - comparison.seeds, 1), "more seed")


def difference(comparison: Comparison, unit: str = "points of AUBC") -> str:
    """Return a mean difference and its interval: "1.4 points of AUBC [0.9, 1.9]"."""
    found = comparison.difference
    if found is None or found.low is None or found.high is None:
        return "an unknown difference"
    decimals = decimals_for(found.mean, found.high - found.low)
    return f"{percent(found.mean, decimals)} {unit} {interval(found.low, found.high, decimals)}"


def signed_difference(comparison: Comparison) -> str:
    """Return a mean difference with its sign and its interval: "+1.4 points of AUBC [0.9, 1.9]"."""
    found = comparison.difference
    if found is None or found.low is None or found.high is None:
        return "an unknown difference"
    decimals = decimals_for(found.mean, found.high - found.low)
    return (
        f"{points(found.mean, decimals)} points of AUBC {interval(found.low, found.high, decimals)}"
    )


def unadjusted(comparison: Comparison) -> str:
    """Return why an interval that excludes 0 goes with "undecided"."""
    found = comparison.difference
    if found is None or found.low is None or found.high is None or found.low <= 0 <= found.high:
        return ""
    return f" (interval not adjusted for {counted(comparison.family, 'comparison')})"


def winner_and_loser(comparison: Comparison) -> str:
    """Return a decided difference: "margin beats random by 1.4 points of AUBC"."""
    winner, loser = comparison.strategy, comparison.reference
    if comparison.outcome is Outcome.WORSE:
        winner, loser = loser, winner
    mean = abs(comparison.mean)
    return f"{winner} beats {loser} by {percent(mean, decimals_for(mean))} points of AUBC"


def saving(analysis: Analysis, best: str) -> str:
    """Return the labels that the best strategy saves, as a clause; unknown savings are left out."""
    found, final = analysis.savings[best], f"{analysis.setting.reference}'s final accuracy"
    saved = found.saved
    if found.strategy.kind == "never":
        return f", but does not reach {final}"
    if saved.value is not None and is_saving(saved):
        least = "at least " if saved.bound == "at_least" else ""
        fewer = f"with {least}{percent(saved.value, 0)}% fewer labels"
        if found.claimed:
            return f", and reaches {final} {fewer}{_in_seeds(found)}"
        below = percent(found.shortfall, decimals_for(found.shortfall))
        return f", first reaches {final} {fewer}, but ends {below} points below it"
    if saved.value is not None and saved.value < 0 and saved.bound == "exact":
        return f", but needs {percent(-saved.value, 0)}% more labels for {final}"
    return f", but is not shown to save labels for {final}"


def _in_seeds(found: Savings) -> str:
    """Return in how many seeds labels are saved, and how many: " (in 5 of 5 seeds, 12 to 30%)"."""
    if found.extremes is None:
        return ""
    least, most = map(bounded_percent, found.extremes)
    spread = f"{least}%" if least == most else f"{least} to {most}%"
    return f" (in {found.seeds_saving} of {counted(found.seeds, 'seed')}, {spread})"


def bounded_percent(share: Bounded, decimals: int = 0) -> str:
    """Return a share in per cent with its bound: "\u2265 38"; "unknown" where nothing is known."""
    if share.value is None:
        return "unknown"
    return f"{_MARKS[share.bound]}{percent(share.value, decimals)}"


def are(number: int) -> str:
    """Return "is" or "are"."""
    return "is" if number == 1 else "are"


def have(number: int) -> str:
    """Return "has" or "have"."""
    return "has" if number == 1 else "have"
