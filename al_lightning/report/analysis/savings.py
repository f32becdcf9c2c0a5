"""How many labels a strategy saves, against the reference and against labeling everything."""

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
from al_lightning.report.study.runs import Run
from al_lightning.report.study.scores import Curve, curves, mean_curve
from al_lightning.report.study.settings import Setting

#: Of the passive baseline's accuracy: for each, the labels that reach it.
PASSIVE_SHARES = (0.95, 0.98, 0.99, 1.0)
_TARGETS = 25  # of the label-efficiency curve


@dataclass(frozen=True)
class Savings:
    """What a strategy saves against the reference, over the seeds that both have.

    Attributes:
        target: Accuracy to reach: the reference's at the last budget.
        reference: Labels that the reference needs for it, on the mean of its curves.
        strategy: Labels that the strategy needs for it, on the mean of its curves.
        saved: Share of the reference's labels that is saved.
        shortfall: Target minus the strategy's last accuracy; negative above the target. If it is
            positive, the curve fell below the target again after any first crossing.
        by_seed: Saving in each common seed, for the last accuracy of the reference of that seed.
    """

    target: float
    reference: Crossing
    strategy: Crossing
    saved: Bounded
    shortfall: float
    by_seed: Mapping[int, Bounded]

    @property
    def seeds(self) -> int:
        """How many seeds both have."""
        return len(self.by_seed)

    @property
    def seeds_saving(self) -> int:
        """In how many of them the strategy needs fewer labels; a lower bound above 0 saves as well."""
        return sum(is_saving(found) for found in self.by_seed.values())

    @property
    def claimed(self) -> bool:
        """Whether the mean curves save labels, and the strategy holds what it reached."""
        return is_saving(self.saved) and self.shortfall <= 0

    @property
    def extremes(self) -> tuple[Bounded, Bounded] | None:
        """The least and the most that a seed saves; None where no seed's saving is known."""
        known = sorted(
            ((found.value, seed) for seed, found in self.by_seed.items() if found.value is not None)
        )
        return (self.by_seed[known[0][1]], self.by_seed[known[-1][1]]) if known else None


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


def is_saving(saved: Bounded) -> bool:
    """Return whether labels are saved, as far as it is known."""
    return saved.value is not None and saved.value > 0 and saved.bound in ("exact", "at_least")


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
    seeds = runs.keys() & reference.keys()
    if not seeds:
        return None
    mine, other = (_mean(group, seeds, setting) for group in (runs, reference))
    target = other.mean[-1]
    needed = _crossing(other, target), _crossing(mine, target)
    return Savings(
        target=target,
        reference=needed[0],
        strategy=needed[1],
        saved=labels_saved(*needed),
        shortfall=target - mine.mean[-1],
        by_seed={s: _saved(runs[s], reference[s], setting.budgets) for s in sorted(seeds)},
    )


def _saved(run: Run, reference: Run, budgets: tuple[int, ...]) -> Bounded:
    mine, other = (mean_curve({0: each}, "accuracy", budgets) for each in (run, reference))
    target = other.mean[-1]
    return labels_saved(_crossing(other, target), _crossing(mine, target))


def _mean(runs: Mapping[int, Run], seeds: set[int], setting: Setting) -> Curve:
    return mean_curve({s: runs[s] for s in sorted(seeds)}, "accuracy", setting.budgets)


def _crossing(curve: Curve, target: float) -> Crossing:
    return labels_to_reach(curve.labels, curve.mean, target)
