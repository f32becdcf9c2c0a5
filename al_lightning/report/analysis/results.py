"""All that is computed of a setting, once, for words, tables and figures alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from al_lightning.report.analysis.classes import ClassReport, class_report
from al_lightning.report.analysis.costs import Costs, costs, passive_costs
from al_lightning.report.analysis.image_sample import ImageSample, image_sample
from al_lightning.report.analysis.savings import (
    Efficiency,
    PassiveGap,
    Savings,
    efficiency,
    passive_gaps,
    savings,
)
from al_lightning.report.statistics.comparison import Comparison, best_of, compare, rivals_of
from al_lightning.report.statistics.penalty import Experiment, PenaltyMatrix, penalty_matrix
from al_lightning.report.study.scores import (
    MEASURES,
    Curve,
    Scores,
    curves,
    difference_curves,
    mean_curve,
    metrics_of,
    scores,
)
from al_lightning.report.study.settings import Setting


@dataclass(frozen=True)
class Analysis:
    """The results of a setting.

    Attributes:
        setting: The runs.
        metrics: Names of the metrics that all runs have.
        curves: Mean curve of each strategy, by metric.
        differences: Paired difference to the reference in accuracy over labels, by strategy.
        passive: Mean of the passive baseline, by metric, a curve of one point; empty without one.
        scores: By measure, strategy and seed, see :data:`al_lightning.report.study.scores.MEASURES`.
        against: Strategies against the reference, by measure, a family each; the largest difference
            first. Empty without a reference.
        pairs: All pairs of strategies on the first measure, as one family.
        best: The strategy that beats the reference by the most on the first measure; None where none
            does.
        savings: Labels saved against the reference, by strategy.
        gaps: Distance to the passive baseline, by strategy.
        efficiency: Label-efficiency curves, by strategy.
        costs: Seconds, by strategy.
        passive_costs: Seconds of the passive baseline; None without one.
        classes: The classes one by one; None where there are no runs to compare.
        image_sample: Differences with intervals over seeds and test images; None where no strategy
            shares 2 seeds with the reference.
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
    savings: Mapping[str, Savings]
    gaps: Mapping[str, PassiveGap]
    efficiency: Mapping[str, Efficiency]
    costs: Mapping[str, Costs]
    passive_costs: Costs | None
    classes: ClassReport | None
    image_sample: ImageSample | None

    @property
    def rivals(self) -> list[Comparison]:
        """The best against the others but the reference; empty without a best."""
        if self.best is None:
            return []
        found = rivals_of(self.best, self.pairs)
        return [c for c in found if c.reference != self.setting.reference]

    @property
    def headline_strategy(self) -> str:
        """The strategy of figures that name one: the best, else the reference, else the first.

        Taking the highest where nothing is decided would pick out luck.
        """
        return self.best or self.setting.reference or self.order[0]

    @property
    def order(self) -> list[str]:
        """Strategies by the first measure, the highest first.

        Where there is a reference, that is by the paired difference to it: means over other seeds do
        not compare. Strategies without a common seed come last.
        """
        if leads := {c.strategy: c.mean for c in self.against.get(MEASURES[0].key, ())}:
            return sorted(self.setting.runs, key=lambda name: (-leads.get(name, 0.0), name))
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
    best = best_of(against.get(MEASURES[0].key, []))
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
        savings=savings(setting),
        gaps=passive_gaps(setting),
        efficiency=efficiency(setting),
        costs=costs(setting),
        passive_costs=passive_costs(setting),
        classes=class_report(setting) if setting.runs else None,
        image_sample=image_sample(setting),
    )


def penalties(settings: Sequence[Setting]) -> PenaltyMatrix | None:
    """Return the penalty matrix over all settings; None where there is nothing to compare.

    Trials of a search are no comparison of strategies, and are left out.
    """
    experiments = [
        Experiment(
            {
                name: {
                    seed: {b: run.at(b).metrics["accuracy"] for b in setting.budgets}
                    for seed, run in runs.items()
                }
                for name, runs in setting.runs.items()
            },
            setting.reference,
        )
        for setting in settings
        if setting.reference is not None and len(setting.runs) > 1 and not setting.trial
    ]
    matrix = penalty_matrix(experiments)
    return matrix if matrix.experiments else None


def _against_reference(setting: Setting, values: Scores) -> list[Comparison]:
    if setting.reference is None or not values:
        return []
    pairs = [(name, setting.reference) for name in setting.runs if name != setting.reference]
    return sorted(compare(values, pairs), key=lambda c: (-c.mean, c.strategy))


def _passive(setting: Setting, metric: str) -> Curve:
    runs = setting.passive
    labels = next(iter(runs.values())).labels[-1]
    return mean_curve(runs, metric, (labels,))
