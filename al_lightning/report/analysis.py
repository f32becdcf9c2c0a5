"""All that is computed of a setting, once, for words, tables and figures alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from al_lightning.report.classes import ClassReport, class_report
from al_lightning.report.comparison import Comparison, Outcome, compare
from al_lightning.report.costs import Costs, costs, passive_costs
from al_lightning.report.penalty import PenaltyMatrix, penalty_matrix
from al_lightning.report.savings import (
    Efficiency,
    PassiveGap,
    Savings,
    efficiency,
    passive_gaps,
    savings,
)
from al_lightning.report.scores import (
    MEASURES,
    Curve,
    Scores,
    curves,
    difference_curves,
    mean_curve,
    metrics_of,
    scores,
)
from al_lightning.report.study import Setting


@dataclass(frozen=True)
class Analysis:
    """What is known of a setting.

    Attributes:
        setting: The runs.
        metrics: Names of what all of them measured.
        curves: Mean curve of each strategy, by metric.
        differences: Paired difference to the reference in accuracy over labels, by strategy.
        passive: Mean of the passive baseline, by metric, a curve of one point; empty without one.
        scores: By measure, strategy and seed, see :data:`al_lightning.report.scores.MEASURES`.
        against: Strategies against the reference, by measure, a family each; the largest difference
            first. Empty without a reference.
        pairs: All pairs of strategies on the first measure, as one family.
        best: The strategy that beats the reference by the most on the first measure; None where none
            does.
        rivals: The best against the others but the reference, on the first measure, as one family.
        savings: Labels saved against the reference, by strategy.
        gaps: Distance to the passive baseline, by strategy.
        efficiency: Label-efficiency curves, by strategy.
        costs: Seconds, by strategy.
        passive_costs: Seconds of the passive baseline; None without one.
        classes: The classes one by one; None where there are no runs to compare.
    """

    setting: Setting
    metrics: Sequence[str]
    curves: Mapping[str, Mapping[str, Curve]]
    differences: Mapping[str, Curve]
    passive: Mapping[str, Curve]
    scores: Mapping[str, Scores]
    against: Mapping[str, Sequence[Comparison]]
    pairs: Sequence[Comparison]
    best: str | None
    rivals: Sequence[Comparison]
    savings: Mapping[str, Savings]
    gaps: Mapping[str, PassiveGap]
    efficiency: Mapping[str, Efficiency]
    costs: Mapping[str, Costs]
    passive_costs: Costs | None
    classes: ClassReport | None

    @property
    def order(self) -> list[str]:
        """Strategies by their mean on the first measure, the highest first."""
        accuracy = self.curves.get("accuracy", {})
        first = self.scores.get(MEASURES[0].key, {})

        def height(name: str) -> float:
            values = first.get(name, {}).values() or [accuracy[name].mean[-1]]
            return sum(values) / len(values)

        return sorted(self.setting.runs, key=lambda name: (-height(name), name))


def analyse(setting: Setting) -> Analysis:
    """Compute all that is known of a setting."""
    metrics = metrics_of(setting)
    measured = {m.key: scores(setting, m) for m in MEASURES if m.metric in metrics}
    against = {key: _against_reference(setting, values) for key, values in measured.items()}
    first = measured.get(MEASURES[0].key, {})
    best = _best(against.get(MEASURES[0].key, []))
    others = [name for name in setting.runs if name not in (best, setting.reference)]
    return Analysis(
        setting=setting,
        metrics=metrics,
        curves={metric: curves(setting, metric) for metric in metrics},
        differences=difference_curves(setting, "accuracy") if "accuracy" in metrics else {},
        passive={metric: _passive(setting, metric) for metric in metrics if setting.passive},
        scores=measured,
        against={key: found for key, found in against.items() if found},
        pairs=compare(first, list(combinations(sorted(first), 2))),
        best=best,
        rivals=compare(first, [(best, other) for other in others]) if best else [],
        savings=savings(setting),
        gaps=passive_gaps(setting),
        efficiency=efficiency(setting),
        costs=costs(setting),
        passive_costs=passive_costs(setting),
        classes=class_report(setting) if setting.runs else None,
    )


def penalties(settings: Sequence[Setting]) -> PenaltyMatrix | None:
    """Return who beats whom how often, over all settings; None where there are no two strategies."""
    curves_ = [
        {
            name: {
                seed: {b: run.at(b).metrics["accuracy"] for b in setting.budgets}
                for seed, run in runs.items()
            }
            for name, runs in setting.runs.items()
        }
        for setting in settings
        if len(setting.budgets) > 1
    ]
    names = {name for setting in curves_ for name in setting}
    return penalty_matrix(curves_) if len(names) > 1 else None


def _against_reference(setting: Setting, values: Scores) -> list[Comparison]:
    if setting.reference is None or not values:
        return []
    pairs = [(name, setting.reference) for name in setting.runs if name != setting.reference]
    return sorted(compare(values, pairs), key=lambda c: (-c.mean, c.strategy))


def _best(against: Sequence[Comparison]) -> str | None:
    """Return the first that beats the reference; the comparisons come with the largest mean first."""
    return next((c.strategy for c in against if c.outcome is Outcome.BETTER), None)


def _passive(setting: Setting, metric: str) -> Curve:
    runs = setting.passive
    labels = next(iter(runs.values())).labels[-1]
    return mean_curve(runs, metric, (labels,))
