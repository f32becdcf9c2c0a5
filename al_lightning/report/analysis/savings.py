"""How many labels a strategy saves, against the reference and against labeling everything."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

from al_lightning.report.statistics.efficiency import (
    Bounded,
    Crossing,
    label_efficiency,
    labels_saved,
    labels_to_reach,
)
from al_lightning.report.statistics.median import median_interval
from al_lightning.report.study.runs import Run
from al_lightning.report.study.scores import Curve, curves, mean_curve
from al_lightning.report.study.settings import Setting

#: Of the passive baseline's accuracy: for each, the labels that reach it.
PASSIVE_SHARES = (0.95, 0.98, 0.99, 1.0)
_TARGETS = 25  # of the label-efficiency curve


@dataclass(frozen=True)
class Savings:
    """The labels that a strategy saves against the reference, seed by seed.

    Attributes:
        by_seed: For each seed that both have, the share of the reference's labels that is saved until
            the reference's last accuracy of that seed.
        never: Seeds in which the strategy does not reach that accuracy, ascending.
        unknown: Seeds in which nothing is known, as the first labels are enough for both; ascending.
        median: Of the known seeds; those that never reach it count as the smallest. None where the
            median is one of them, or nothing is known.
        low: Lower end of the median's interval; None where it lies among the seeds that never reach it.
        high: Upper end, likewise.
        confident: Whether the interval holds the true median with 95 % confidence; otherwise it is the
            range of the seeds, which are too few.
    """

    by_seed: Mapping[int, Bounded]
    never: tuple[int, ...]
    unknown: tuple[int, ...]
    median: float | None
    low: float | None
    high: float | None
    confident: bool

    @property
    def seeds(self) -> int:
        """How many seeds both have."""
        return len(self.by_seed)

    @property
    def known(self) -> int:
        """In how many of them something is known: a saving, or that there is none."""
        return self.seeds - len(self.unknown)

    @property
    def at_least(self) -> bool:
        """Whether more may be saved, as the first labels are enough in some seeds."""
        return any(found.bound == "at_least" for found in self.by_seed.values())

    @property
    def seeds_saving(self) -> int:
        """In how many of them the strategy needs fewer labels; a lower bound above 0 saves as well."""
        return sum(
            found.value is not None and found.value > 0 and found.bound in ("exact", "at_least")
            for found in self.by_seed.values()
        )


@dataclass(frozen=True)
class PassiveGap:
    """A strategy compared with a baseline that had all labels.

    Over the common seeds; without common seeds, over the seeds of each, not paired.

    Attributes:
        accuracy: Of the baseline, mean of its seeds.
        final: Accuracy of the strategy at the last budget, mean of its seeds.
        labels: Labels of the baseline.
        seeds: Seeds of the baseline.
        paired: Whether the strategy's are the same.
        share: Of the baseline's accuracy that the strategy has at the last budget.
        shares: For each of :data:`PASSIVE_SHARES`, the labels that reach it.
    """

    accuracy: float
    final: float
    labels: int
    seeds: int
    paired: bool
    share: float
    shares: Mapping[float, Crossing]


@dataclass(frozen=True)
class Efficiency:
    """A label-efficiency curve: labels the reference needs / labels the strategy needs.

    Attributes:
        targets: Accuracies, ascending.
        ratios: One each; above 1 where the strategy needs fewer labels.
    """

    targets: tuple[float, ...]
    ratios: tuple[Bounded, ...]


def savings(setting: Setting) -> dict[str, Savings]:
    """Return the labels that each strategy saves against the reference; empty without a reference."""
    if setting.reference is None:
        return {}
    others = [name for name in setting.runs if name != setting.reference]
    return {name: found for name in others if (found := _savings(setting, name)) is not None}


def passive_gaps(setting: Setting) -> dict[str, PassiveGap]:
    """Return how each strategy stands to the passive baseline; empty where there is none."""
    if not setting.passive:
        return {}
    gaps = {name: _gap(setting, name) for name in setting.runs}
    return {name: gap for name, gap in gaps.items() if gap is not None}


def efficiency(setting: Setting) -> dict[str, Efficiency]:
    """Return the label-efficiency curve of each strategy.

    The targets are evenly spaced between the reference's first accuracy and the best accuracy of any
    strategy. Where the reference does not reach a target, the ratio is a lower bound.
    """
    if setting.reference is None:
        return {}
    reference = setting.runs[setting.reference]
    result = {}
    top = max(max(curve.mean) for curve in curves(setting, "accuracy").values())
    bottom = mean_curve(reference, "accuracy", setting.budgets).mean[0]
    if top <= bottom:
        return {}
    targets = tuple(bottom + (top - bottom) * (i + 1) / _TARGETS for i in range(_TARGETS))
    for name, runs in setting.runs.items():
        if name == setting.reference or not (seeds := runs.keys() & reference.keys()):
            continue
        mine, other = (_mean(group, seeds, setting) for group in (runs, reference))
        ratios = [label_efficiency(_crossing(other, t), _crossing(mine, t)) for t in targets]
        result[name] = Efficiency(targets, tuple(ratios))
    return result


def _gap(setting: Setting, name: str) -> PassiveGap | None:
    """Return how a strategy stands to the baseline; None where that has found nothing."""
    runs, passive = setting.runs[name], setting.passive
    common = runs.keys() & passive.keys()
    ends = [run.rounds[-1] for seed, run in passive.items() if seed in common or not common]
    accuracy = fmean(end.metrics["accuracy"] for end in ends)
    if accuracy == 0:
        return None
    curve = _mean(runs, common or set(runs), setting)
    return PassiveGap(
        accuracy=accuracy,
        final=curve.mean[-1],
        labels=ends[0].labels,
        seeds=len(ends),
        paired=bool(common),
        share=curve.mean[-1] / accuracy,
        shares={s: _crossing(curve, s * accuracy) for s in PASSIVE_SHARES},
    )


def _savings(setting: Setting, name: str) -> Savings | None:
    runs, reference = setting.runs[name], setting.runs[setting.reference or ""]
    seeds = sorted(runs.keys() & reference.keys())
    if not seeds:
        return None
    needed = {s: _needed(runs[s], reference[s], setting.budgets) for s in seeds}
    by_seed = {s: labels_saved(other, mine) for s, (other, mine) in needed.items()}
    never = tuple(s for s, (_, mine) in needed.items() if mine.kind == "never")
    unknown = tuple(s for s, found in by_seed.items() if found.value is None and s not in never)
    values = {s: -math.inf if s in never else found.value for s, found in by_seed.items()}
    middle, low, high, confident = median_interval([v for v in values.values() if v is not None])
    middle, low, high = (
        None if end is None or math.isinf(end) else end for end in (middle, low, high)
    )
    return Savings(by_seed, never, unknown, middle, low, high, confident)


def _needed(run: Run, reference: Run, budgets: tuple[int, ...]) -> tuple[Crossing, Crossing]:
    """Return the labels that the reference and a run need for the reference's last accuracy."""
    mine, other = (mean_curve({0: each}, "accuracy", budgets) for each in (run, reference))
    target = other.mean[-1]
    return _crossing(other, target), _crossing(mine, target)


def _mean(runs: Mapping[int, Run], seeds: set[int], setting: Setting) -> Curve:
    return mean_curve({s: runs[s] for s in sorted(seeds)}, "accuracy", setting.budgets)


def _crossing(curve: Curve, target: float) -> Crossing:
    return labels_to_reach(curve.labels, curve.mean, target)
