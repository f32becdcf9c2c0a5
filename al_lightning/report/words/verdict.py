"""The verdict: the claims that the comparison supports, in two or three sentences.

Rules. "Beats" and "is worse than" need a Holm-adjusted p below 0.05, from at least 3 common seeds; all
else is undecided, and says how many more seeds the observed spread suggests for 80 % power. What
differs by the same in all seeds has no spread to be tested against, and is no claim either. The most
effective strategy is the one with the highest mean among those that beat the reference; those
not shown to be worse than it, by Holm over all pairs of strategies, are named beside it.
"""

from collections.abc import Sequence

from al_lightning.report.analysis.results import Analysis
from al_lightning.report.statistics.comparison import Comparison, Outcome
from al_lightning.report.statistics.paired import LEAST_FOR_P
from al_lightning.report.study.scores import MEASURES
from al_lightning.report.study.settings import REFERENCE, Setting
from al_lightning.report.words.phrases import (
    are,
    difference,
    have,
    label_range,
    more_seeds,
    place,
    saving,
    signed_difference,
    unadjusted,
    winner_and_loser,
)
from al_lightning.report.words.wording import (
    count,
    counted,
    decimals_for,
    listed,
    percent,
    points,
)

_MOST_NAMED = 4  # in a sentence


def verdict(analysis: Analysis) -> str:
    """Return the verdict on a setting."""
    sentences = [*_sentences(analysis), *_caution(analysis.setting)]
    if unfinished := len(analysis.setting.unfinished):
        state = f"{counted(unfinished, 'run')} {are(unfinished)} unfinished"
        sentences = [f"Provisional, as {state}.", *sentences]
    return " ".join(sentences)


def _caution(setting: Setting) -> list[str]:
    """Return a sentence where runs that should begin alike do not, for no known reason."""
    if not (seeds := setting.unexplained):
        return []
    which = listed([str(seed) for seed in seeds])
    return [
        f"Caution: under {'seed' if len(seeds) == 1 else 'seeds'} {which}, round 0 is not the same "
        "for all strategies, although versions and hardware are: more than the strategy may differ."
    ]


def _sentences(analysis: Analysis) -> list[str]:
    setting = analysis.setting
    on = f"On {place(setting)}"
    if not setting.runs:
        return [_without_runs(analysis, on)]
    if len(setting.runs) == 1:
        return [_alone(analysis, on), *_passive(analysis)]
    if len(setting.budgets) == 1:
        return [f"{on}, the runs share round 0 alone, which is the same for all strategies."]
    if setting.reference is None:
        return [_pairs(analysis, on), *_passive(analysis)]
    return [*_against_reference(analysis, on), *_passive(analysis)]


def _against_reference(analysis: Analysis, on: str) -> list[str]:
    against = analysis.against[MEASURES[0].key]
    if all(c.outcome is Outcome.UNTESTED for c in against):
        most = max(c.seeds for c in against)
        return [
            f"{on}, nothing is claimed: no strategy has more than {counted(most, 'seed')} in "
            f"common with {analysis.setting.reference}, and a test needs {LEAST_FOR_P}."
        ]
    return [
        _nobody(analysis, on) if analysis.best is None else _best(analysis, on),
        *_others(against),
    ]


def _without_runs(analysis: Analysis, on: str) -> str:
    length = analysis.setting.passive_length
    if not analysis.passive or length is None:
        if not analysis.setting.unfinished:
            return f"{on}, there is nothing to compare; what was left out, and why, is named below."
        return f"{on}, there is nothing to report on yet; what was left out is named below."
    curve = analysis.passive["accuracy"]
    return (
        f"{on}, only the passive baseline was run: {percent(curve.mean[0], 1)}% accuracy with all "
        f"{count(curve.labels[0])} labels after {length.text}, {counted(curve.seeds, 'seed')}."
    )


def _alone(analysis: Analysis, on: str) -> str:
    name, curve = next(iter(analysis.curves["accuracy"].items()))
    return (
        f"{on}, {name} is the only strategy with runs, so that there is nothing to compare it "
        f"with. It reaches {percent(curve.mean[-1], 1)}% accuracy with {count(curve.labels[-1])} "
        f"labels, {counted(curve.seeds, 'seed')}."
    )


def _pairs(analysis: Analysis, on: str) -> str:
    """Return the decided pairs of strategies, where there is no reference."""
    decided = [c for c in analysis.pairs if c.outcome in (Outcome.BETTER, Outcome.WORSE)]
    decided = sorted(decided, key=lambda c: -abs(c.mean))
    lags = any(run.strategy == REFERENCE for run in analysis.setting.unfinished)
    missing = (
        f"{REFERENCE}'s runs do not reach these labels yet"
        if lags
        else f"there is no run of {REFERENCE} to compare with"
    )
    without = f"{on}, {missing}"
    over = f"over {label_range(analysis.setting)}"
    if all(c.outcome is Outcome.UNTESTED for c in analysis.pairs):
        return (
            f"{without}, and no two strategies have {LEAST_FOR_P} seeds in common, which a test "
            "needs: nothing is claimed."
        )
    if not decided:
        return f"{without}; among all pairs of strategies, no difference is decided {over}."
    shown = [winner_and_loser(c) for c in decided[:_MOST_NAMED]]
    if len(decided) > _MOST_NAMED:
        shown.append(f"{len(decided) - _MOST_NAMED} more pairs are decided")
    rest = len(analysis.pairs) - len(decided)
    others = f"; {counted(rest, 'pair')} {are(rest)} undecided" if rest else ""
    return f"{without}; among all pairs of strategies {over}, {listed(shown)}{others}."


def _best(analysis: Analysis, on: str) -> str:
    setting, best = analysis.setting, analysis.best
    first = next(c for c in analysis.against[MEASURES[0].key] if c.strategy == best)
    return (
        f"{on}, {best} beats {setting.reference} by {difference(first)} over {label_range(setting)}, "
        f"{counted(first.seeds, 'seed')}{saving(analysis, best or '')}{_rivals(analysis)}."
    )


def _rivals(analysis: Analysis) -> str:
    """Return how the others compare with the best, as the end of a sentence."""
    by_outcome = {
        outcome: [c.reference for c in analysis.rivals if c.outcome is outcome]
        for outcome in Outcome
    }
    undecided, untested = by_outcome[Outcome.UNDECIDED], by_outcome[Outcome.UNTESTED]
    better, constant = by_outcome[Outcome.WORSE], by_outcome[Outcome.NO_SPREAD]
    beaten = len(by_outcome[Outcome.BETTER])
    parts = []
    if undecided:
        parts.append(f"{listed(undecided)} {are(len(undecided))} undecided against {analysis.best}")
    elif beaten == len(analysis.rivals) > 0:
        parts.append(f"it beats {listed([c.reference for c in analysis.rivals])} as well")
    if constant:
        parts.append(f"{listed(constant)} cannot be tested against it, because there is no spread")
    if untested:
        parts.append(f"{listed(untested)} {have(len(untested))} too few seeds in common with it")
    if better:
        parts.append(f"{listed(better)} beat it where they share seeds")
    return "".join(f"; {part}" for part in parts)


def _nobody(analysis: Analysis, on: str) -> str:
    setting = analysis.setting
    undecided = [c for c in analysis.against[MEASURES[0].key] if c.outcome is Outcome.UNDECIDED]
    without = f"{on}, no strategy is shown to beat {setting.reference} over {label_range(setting)}"
    if not undecided:
        return f"{without}."
    largest = undecided[0]
    return (
        f"{without}: the largest mean difference that is undecided is that of {largest.strategy}, "
        f"{signed_difference(largest)}{unadjusted(largest)}, "
        f"{counted(largest.seeds, 'seed')}."
    )


def _others(against: Sequence[Comparison]) -> list[str]:
    """Return a sentence on those that are worse than the reference, or undecided against it."""
    worse = [
        f"{c.strategy} by {difference(c.turned(), 'points')}"
        for c in against
        if c.outcome is Outcome.WORSE
    ]
    undecided = [c for c in against if c.outcome is Outcome.UNDECIDED]
    untested = [c.strategy for c in against if c.outcome is Outcome.UNTESTED]
    constant = [
        f"{c.strategy} ({points(c.mean, decimals_for(c.mean))} points)"
        for c in against
        if c.outcome is Outcome.NO_SPREAD
    ]
    parts = []
    if worse:
        parts.append(f"worse than {against[0].reference}: {listed(worse)}")
    if undecided:
        seeds = [f"{c.strategy} ({more_seeds(c)})" for c in undecided]
        parts.append(
            f"undecided against {against[0].reference}, with the seeds that the spread suggests "
            f"for 80% power: {listed(seeds)}"
        )
    if constant:
        parts.append(
            f"the same difference in all seeds, which cannot be tested: {listed(constant)}"
        )
    if untested:
        parts.append(f"too few seeds in common for a claim: {listed(untested)}")
    text = "; ".join(parts)
    return [f"{text[:1].upper()}{text[1:]}."] if parts else []


def _passive(analysis: Analysis) -> list[str]:
    """Return a sentence on the accuracy that all labels would have brought."""
    name = analysis.headline_strategy
    gap, length = analysis.gaps.get(name), analysis.setting.passive_length
    if gap is None or length is None:
        return []
    pairing = "" if gap.paired else " of the baseline, not paired"
    return [
        f"With {count(analysis.setting.budgets[-1])} of {count(gap.labels)} labels, {name} reaches "
        f"{percent(gap.share, 1)}% of the accuracy of the passive baseline "
        f"({percent(gap.final, 1)}% against {percent(gap.accuracy, 1)}%, "
        f"{counted(gap.seeds, 'seed')}{pairing}), which was trained for {length.text}."
    ]
