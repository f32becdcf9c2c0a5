"""Insights on accuracy and AUBC: where a strategy leads, how steadily, and at what cost."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from statistics import fmean

from al_lightning.report.analysis.results import Analysis
from al_lightning.report.rules import ALPHA
from al_lightning.report.statistics.multiplicity import holm
from al_lightning.report.statistics.paired import PairedDifference, paired_difference
from al_lightning.report.study.runs import Run
from al_lightning.report.wording import (
    count,
    counted,
    interval,
    listed,
    percent,
    points,
    seconds,
)
from al_lightning.report.words.insight import Insight

_MOST = 3  # to name


def lead_over_the_budget(analysis: Analysis) -> Iterator[Insight]:
    """State whether the leads of the best strategies grow or shrink with the budget."""
    budgets = analysis.setting.budgets
    if len(budgets) < 5:  # noqa: PLR2004 - two rounds a half, after round 0
        return
    middle = 1 + (len(budgets) - 1) // 2
    for name in analysis.leaders[:_MOST]:
        change = _late_minus_early(analysis, name, budgets[1:middle], budgets[middle:])
        if change is None or change.low is None or change.high is None:
            continue
        grows = "grows" if change.low > 0 else "shrinks" if change.high < 0 else None
        text = (
            f"The lead of {name} {grows} with the budget"
            if grows
            else f"The lead of {name} is not shown to grow or to shrink with the budget"
        )
        yield Insight(
            "Lead over the budget",
            f"{text}: from {count(budgets[middle])} labels on it is {points(change.mean, 1)} points "
            f"{interval(change.low, change.high, 1)} against before.",
            "Mean lead in accuracy over the later half of the rounds after round 0 minus that over "
            "the earlier half, paired by seed; grows or shrinks where the unadjusted 95% interval "
            "excludes 0.",
            {"change": change.mean, "low": change.low, "high": change.high},
        )


def cheaper_choice(analysis: Analysis) -> Iterator[Insight]:
    """State which strategy is nearly as good as the best, and much cheaper to query with."""
    query = {n: c.query for n, c in analysis.costs.items() if c.query is not None}
    margin = analysis.rules.margin
    close = {
        standing.strategy: standing.behind
        for standing in analysis.standings
        if standing.behind is not None and standing.behind <= margin / 100
    }
    leaders = [name for name in analysis.leaders if name in query]
    if not leaders or not (known := [name for name in close if name in query]):
        return
    cheapest = min(known, key=lambda name: (query[name], name))
    dearest = max(leaders, key=lambda name: (query[name], name))
    if query[cheapest] >= query[dearest] / 2:
        return
    yield Insight(
        "A cheaper choice",
        f"{cheapest} is at most {percent(close[cheapest] or 0.0)} points of AUBC behind the best "
        f"strategy, and a query takes {seconds(query[cheapest])} instead of "
        f"{seconds(query[dearest])} with {dearest}.",
        f"Of the strategies that are shown to be at most {margin:g} points behind the best, the one "
        "with the fewest seconds a query, if those are fewer than half of the slowest that beats "
        f"{analysis.setting.reference} and can be the best.",
        {
            "behind": close[cheapest],
            "seconds": query[cheapest],
            "seconds_of_the_slowest": query[dearest],
        },
    )


def dips(analysis: Analysis) -> Iterator[Insight]:
    """Name the rounds after which a strategy was lower than before."""
    changes = {
        (name, before, after): _change(runs, before, after)
        for name, runs in analysis.setting.runs.items()
        for before, after in pairwise(analysis.setting.budgets)
    }
    adjusted = holm({step: change.p for step, change in changes.items()})
    found = [
        (change.mean, *step)
        for step, change in changes.items()
        if change.mean < 0 and (p := adjusted[step]) is not None and p < ALPHA
    ]
    if not found:
        return
    shown = [
        f"{name} from {count(before)} to {count(after)} labels ({points(mean, 1)} points)"
        for mean, name, before, after in sorted(found)[:_MOST]
    ]
    more = [counted(len(found) - _MOST, "more round")] if len(found) > _MOST else []
    yield Insight(
        "Dips",
        f"The accuracy was lower after more labels: {listed([*shown, *more])}.",
        "Accuracy after a round minus before it, paired by seed, at least 3 seeds; p adjusted by "
        "Holm over all rounds of all strategies, below 0.05.",
        {f"{name}, {after}": mean for mean, name, _, after in sorted(found)},
    )


def _change(runs: Mapping[int, Run], before: int, after: int) -> PairedDifference:
    earlier, later = (
        {seed: run.at(labels).metrics["accuracy"] for seed, run in runs.items()}
        for labels in (before, after)
    )
    return paired_difference(later, earlier)


def _late_minus_early(
    analysis: Analysis, name: str, early: tuple[int, ...], late: tuple[int, ...]
) -> PairedDifference | None:
    """Return a strategy's lead over the later budgets minus that over the earlier ones, by seed."""
    setting = analysis.setting
    reference = setting.runs[setting.reference or ""]
    runs = setting.runs[name]
    seeds = sorted(runs.keys() & reference.keys())

    def lead(seed: int, budgets: tuple[int, ...]) -> float:
        pair = runs[seed], reference[seed]
        mine, other = (fmean(r.at(b).metrics["accuracy"] for b in budgets) for r in pair)
        return mine - other

    if not seeds:
        return None
    return paired_difference({s: lead(s, late) for s in seeds}, {s: lead(s, early) for s in seeds})
