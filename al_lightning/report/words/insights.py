"""What else the numbers say, in words.

Every insight follows from the numbers by a stated rule, and shows the figures that it rests on.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, stdev

from al_lightning.report.analysis.classes import compare_evenness, compare_recall
from al_lightning.report.analysis.results import Analysis
from al_lightning.report.statistics.comparison import ALPHA, Comparison, Outcome
from al_lightning.report.statistics.multiplicity import holm
from al_lightning.report.statistics.paired import LEAST_FOR_P, PairedDifference, paired_difference
from al_lightning.report.study.runs import Run
from al_lightning.report.study.scores import MEASURES
from al_lightning.report.tables.formats import Raw
from al_lightning.report.words.wording import (
    count,
    counted,
    interval,
    listed,
    percent,
    points,
    seconds,
)

_CLOSE = (
    0.005  # half a point of AUBC: strategies this close to the best may be taken for their cost
)
_UNEVEN = 1.5  # most frequent / rarest class; from there on, classes are imbalanced
_MOST = 3  # dips to name


@dataclass(frozen=True)
class Insight:
    """A statement.

    Attributes:
        topic: In a word or two.
        text: The statement.
        rule: By which it follows from the figures.
        figures: What it rests on, by name.
    """

    topic: str
    text: str
    rule: str
    figures: Mapping[str, Raw]


def insights(analysis: Analysis) -> list[Insight]:
    """Return what follows from the numbers of a setting."""
    rules: list[Callable[[Analysis], Iterator[Insight]]] = [
        _labels,
        _largest_gap,
        _trend,
        _passive,
        _query_cost,
        _cheap_choice,
        _query_classes,
        _worst_class,
        _rarest_class,
        _calibration,
        _stability,
        _dips,
    ]
    if not analysis.setting.runs:
        return []
    return [insight for rule in rules for insight in rule(analysis)]


# Labels


def _labels(analysis: Analysis) -> Iterator[Insight]:
    if (best := analysis.best) is None:
        return
    found, reference = analysis.savings[best], analysis.setting.reference
    if found.saved.value is None or found.saved.bound == "at_most":
        return
    least = "at least " if found.saved.bound == "at_least" else ""
    below = (
        f" It ends {percent(found.shortfall, 1)} points below that." if found.shortfall > 0 else ""
    )
    yield Insight(
        "Labels saved",
        f"{best} comes to {percent(found.target, 1)}% accuracy with {count(found.strategy.labels)} "
        f"labels, where {reference} needs {count(found.reference.labels)}: {least}"
        f"{percent(found.saved.value, 0)}% saved. It saves labels in {found.seeds_saving} of "
        f"{counted(found.seeds, 'seed')}.{below}",
        f"The strategy that beats {reference} by the most; first crossing of {reference}'s final "
        "accuracy by the mean curves, linear between rounds.",
        {
            "target": found.target,
            "labels": found.strategy.labels,
            "reference_labels": found.reference.labels,
            "saved": found.saved.value,
            "bound": found.saved.bound,
        },
    )


def _largest_gap(analysis: Analysis) -> Iterator[Insight]:
    best, reference = analysis.best, analysis.setting.reference
    if best is None or best not in analysis.differences:
        return
    curve = analysis.differences[best]
    k = max(range(len(curve.labels)), key=lambda i: curve.mean[i])
    low, high = curve.low[k], curve.high[k]
    if low is None or high is None:
        return
    yield Insight(
        "Largest gap",
        f"{best} is furthest above {reference} at {count(curve.labels[k])} labels: by "
        f"{percent(curve.mean[k], 1)} points of accuracy {interval(low, high, 1)}.",
        "The budget with the largest mean paired difference; its interval is that of this budget "
        "alone, and not corrected for having been chosen.",
        {"labels": curve.labels[k], "difference": curve.mean[k], "low": low, "high": high},
    )


def _trend(analysis: Analysis) -> Iterator[Insight]:
    best, budgets = analysis.best, analysis.setting.budgets
    if best is None or len(budgets) < 5:  # noqa: PLR2004 - two rounds a half, after round 0
        return
    middle = 1 + (len(budgets) - 1) // 2
    change = _late_minus_early(analysis, best, budgets[1:middle], budgets[middle:])
    if change is None or change.low is None or change.high is None or change.p is None:
        return
    grows = "grows" if change.low > 0 else "shrinks" if change.high < 0 else None
    text = (
        f"The lead of {best} {grows} with the budget"
        if grows
        else f"The lead of {best} is not shown to grow or to shrink with the budget"
    )
    yield Insight(
        "Lead over the budget",
        f"{text}: from {count(budgets[middle])} labels on it is {points(change.mean, 1)} points "
        f"{interval(change.low, change.high, 1)} against before.",
        "Mean lead in accuracy over the later half of the rounds after round 0 minus that over "
        "the earlier half, paired by seed; grows or shrinks where the 95% interval excludes 0.",
        {"change": change.mean, "low": change.low, "high": change.high, "p": change.p},
    )


def _passive(analysis: Analysis) -> Iterator[Insight]:
    name = analysis.spokesman
    if name not in analysis.gaps:
        return
    gap = analysis.gaps[name]
    final = gap.final
    side = "below" if final <= gap.accuracy else "above"
    text = (
        f"{name} ends {percent(abs(gap.accuracy - final), 1)} points {side} the passive baseline "
        f"({counted(gap.seeds, 'seed')}{'' if gap.paired else ' of it, not paired'})."
    )
    reached = [share for share, crossing in gap.shares.items() if crossing.kind == "reached"]
    if reached:
        needed = gap.shares[max(reached)].labels
        text += (
            f" {percent(max(reached), 0)}% of the baseline's accuracy takes "
            f"{percent(needed / gap.labels, 1)}% of its labels."
        )
    yield Insight(
        "Against all labels",
        text,
        "Final mean accuracy of the strategy that beats the reference by the most, else of the "
        "reference, against the mean of the runs on all labels, over the seeds that both have; then "
        "the highest of 95, 98, 99 and 100% that its mean curve comes to.",
        {
            "accuracy": final,
            "passive_accuracy": gap.accuracy,
            "passive_labels": gap.labels,
            **{f"labels_for_{percent(share, 0)}": gap.shares[share].labels for share in reached},
        },
    )


# Time


def _query_cost(analysis: Analysis) -> Iterator[Insight]:
    shares = {n: c.query_share for n, c in analysis.costs.items() if c.query_share is not None}
    if len(shares) < 2:  # noqa: PLR2004 - nothing to set apart
        return
    low, high = min(shares, key=lambda n: shares[n]), max(shares, key=lambda n: shares[n])
    yield Insight(
        "Cost of asking",
        f"Scoring the pool and selecting takes between {percent(shares[low], 1)}% ({low}) and "
        f"{percent(shares[high], 1)}% ({high}) of the time that fitting takes.",
        f"Seconds of all queries / seconds of all fits of a run, mean of {_seeds(analysis)}.",
        dict(shares),
    )


def _cheap_choice(analysis: Analysis) -> Iterator[Insight]:
    best = analysis.best
    query = {n: c.query for n, c in analysis.costs.items() if c.query is not None}
    if best is None or best not in query:
        return
    scores = {n: fmean(v.values()) for n, v in analysis.scores[MEASURES[0].key].items()}
    close = [n for n in query if n in scores and scores[n] >= scores[best] - _CLOSE]
    cheapest = min(close, key=lambda n: (query[n], n))
    if query[cheapest] >= query[best] / 2:
        return
    yield Insight(
        "A cheaper choice",
        f"{cheapest} is within half a point of the AUBC of {best}, and a query takes "
        f"{seconds(query[cheapest])} instead of {seconds(query[best])}.",
        f"Means of {_seeds(analysis)}. Of the strategies whose mean AUBC is at most 0.5 points "
        "below that of the best, the one with the fewest seconds a query, if those are fewer than "
        "half of the best's.",
        {
            "aubc": scores[cheapest],
            "aubc_of_best": scores[best],
            "seconds": query[cheapest],
            "seconds_of_best": query[best],
        },
    )


# Classes


def _query_classes(analysis: Analysis) -> Iterator[Insight]:
    reference = analysis.setting.reference
    if reference is None or len(analysis.setting.budgets) == 1:
        return
    tested = [c for c in compare_evenness(analysis.setting) if c.p is not None]
    even = sorted(c.strategy for c in tested if c.outcome is Outcome.BETTER)
    uneven = sorted(c.strategy for c in tested if c.outcome is Outcome.WORSE)
    parts = [
        f"{listed(names)} {_verb(names, 'asks', 'ask')} {how} evenly over the classes"
        for names, how in ((even, "more"), (uneven, "less"))
        if names
    ]
    if not parts:
        return
    yield Insight(
        "Classes asked for",
        f"Compared with {reference}, {'; '.join(parts)}.",
        "Entropy of the classes in all queries of a run / ln(number of classes), minus that of "
        f"{reference}, paired by seed; p adjusted by Holm over the strategies, below 0.05. It says "
        "nothing on which classes those are.",
        {c.strategy: c.mean for c in tested},
    )


def _worst_class(analysis: Analysis) -> Iterator[Insight]:
    yield from _recall(
        analysis,
        None,
        "Worst class",
        "the recall of the class that is found worst",
    )


def _rarest_class(analysis: Analysis) -> Iterator[Insight]:
    report = analysis.classes
    if report is None or report.pool is None or (report.pool.ratio or _UNEVEN) < _UNEVEN:
        return
    if not report.pool.uneven:
        return
    rarest = report.pool.rarest
    name = report.names[rarest]
    yield from _recall(analysis, rarest, "Rarest class", f"the recall of {name}, the rarest class")


def _recall(analysis: Analysis, of: int | None, topic: str, what: str) -> Iterator[Insight]:
    if analysis.setting.reference is None or analysis.classes is None:
        return
    found = compare_recall(analysis.setting, of)
    tested = [c for c in found if c.outcome is not Outcome.UNTESTED]
    if not tested:
        return
    reference = analysis.setting.reference
    raised = _changes(tested, Outcome.BETTER)
    lowered = _changes(tested, Outcome.WORSE)
    parts = [f"raised by {raised}"] if raised else []
    parts += [f"lowered by {lowered}"] if lowered else []
    text = (
        f"Against {reference}, {what} is {' and '.join(parts)}."
        if parts
        else f"No strategy is shown to raise or to lower {what} against {reference}."
    )
    yield Insight(
        topic,
        text,
        f"Recall at the last common budget minus {reference}'s, paired by seed; p adjusted by Holm "
        "over the strategies, below 0.05.",
        {c.strategy: c.mean for c in tested},
    )


def _changes(comparisons: list[Comparison], outcome: Outcome) -> str:
    changed = [c for c in comparisons if c.outcome is outcome]
    texts = [f"{c.strategy} ({points(c.mean, 1)} points)" for c in changed]
    return listed(texts) if texts else ""


# Trust


def _calibration(analysis: Analysis) -> Iterator[Insight]:
    if "ece" not in analysis.metrics or not analysis.setting.runs:
        return
    curves = analysis.curves["ece"]
    last = {name: curve.mean[-1] for name, curve in curves.items()}
    risen = [name for name, curve in curves.items() if curve.mean[-1] > curve.mean[0]]
    low, high = min(last, key=lambda n: last[n]), max(last, key=lambda n: last[n])
    if low == high:
        return
    yield Insight(
        "Calibration",
        f"The calibration error ends between {percent(last[low], 1)}% ({low}) and "
        f"{percent(last[high], 1)}% ({high}); it rises with the labels for "
        f"{len(risen)} of {counted(len(curves), 'strategy', 'strategies')}.",
        f"Expected calibration error, 15 bins, mean of {_seeds(analysis)}, not tested; last common "
        "budget against the first.",
        dict(last),
    )


def _stability(analysis: Analysis) -> Iterator[Insight]:
    scores = analysis.scores.get(MEASURES[0].key, {})
    spread = {
        name: stdev(values.values())
        for name, values in scores.items()
        if len(values) >= LEAST_FOR_P
    }
    if len(spread) < 2:  # noqa: PLR2004 - nothing to set apart
        return
    low, high = min(spread, key=lambda n: spread[n]), max(spread, key=lambda n: spread[n])
    yield Insight(
        "Spread over seeds",
        f"From seed to seed, the AUBC varies least for {low} and most for {high}: by "
        f"{percent(spread[low])} and {percent(spread[high])} points.",
        "Standard deviation of the AUBC over seeds, ddof = 1. Pairing by seed takes out what "
        "seeds have in common; this is before it.",
        dict(spread),
    )


def _dips(analysis: Analysis) -> Iterator[Insight]:
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


def _seeds(analysis: Analysis) -> str:
    """Return how many seeds strategies have: "5 seeds", "3 to 5 seeds"."""
    numbers = sorted({len(runs) for runs in analysis.setting.runs.values()})
    least = "" if len(numbers) == 1 else f"{numbers[0]} to "
    return f"{least}{counted(numbers[-1], 'seed')}"


def _verb(names: list[str], one: str, many: str) -> str:
    return one if len(names) == 1 else many
