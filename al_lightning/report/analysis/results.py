"""All that is computed of a setting, once, for words, tables and figures alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

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
from al_lightning.report.rules import Rules
from al_lightning.report.statistics.best import Standing, standings
from al_lightning.report.statistics.comparison import (
    Comparison,
    Outcome,
    compare,
    difference_of,
)
from al_lightning.report.statistics.looks import Basis, basis
from al_lightning.report.statistics.paired import PairedDifference, Scores
from al_lightning.report.statistics.penalty import Experiment, PenaltyMatrix, penalty_matrix
from al_lightning.report.study.scores import (
    MEASURES,
    Curve,
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
        rules: By which differences are read.
        basis: The seeds that the claims rest on; all else is over all seeds.
        against: Strategies against the reference on the first measure, one family; the largest
            difference first. Empty without a reference.
        standings: The strategies but the reference on the first measure, each against the best of them:
            the other family. The two families share no pair of strategies, so that each pair has one
            reading. Empty where there are no two.
        other_measures: Differences to the reference on the other measures, each by itself, by measure
            and strategy; not read.
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
    rules: Rules
    basis: Basis
    against: Sequence[Comparison]
    standings: Sequence[Standing]
    other_measures: Mapping[str, Mapping[str, PairedDifference | None]]
    savings: Mapping[str, Savings]
    gaps: Mapping[str, PassiveGap]
    efficiency: Mapping[str, Efficiency]
    costs: Mapping[str, Costs]
    passive_costs: Costs | None
    classes: ClassReport | None
    image_sample: ImageSample | None

    def read_as(self, *outcomes: Outcome) -> list[str]:
        """Return the strategies that are read so against the reference, the highest first."""
        return [c.strategy for c in self.against if c.outcome in outcomes]

    @property
    def can_be_best(self) -> list[str]:
        """The strategies that cannot be told from the best one; empty where nothing could be tested.

        Those that the comparison with the best leaves, without those that are worse than the reference;
        and the reference, where no other is better.
        """
        reference, better = self.setting.reference, self.read_as(Outcome.BETTER)
        tested = {c.strategy for c in self.against if c.interval}
        if reference and not tested:
            return []
        tested |= {s.strategy for s in self.standings} | (
            {reference} if reference and not better else set()
        )
        out = {s.strategy for s in self.standings if not s.can_be_best}
        out |= {*self.read_as(Outcome.WORSE)}
        return [name for name in self.order if name in tested - out] or better

    @property
    def leaders(self) -> list[str]:
        """Those that beat the reference and cannot be told from the best, the highest first."""
        can_be_best = self.can_be_best
        return [name for name in self.read_as(Outcome.BETTER) if name in can_be_best]

    @property
    def order(self) -> list[str]:
        """Strategies by the first measure, the highest first.

        Where there is a reference, that is by the paired difference to it: means over other seeds do
        not compare. Strategies without a common seed come last.
        """
        if leads := {c.strategy: c.mean for c in self.against}:
            return sorted(self.setting.runs, key=lambda name: (-leads.get(name, 0.0), name))
        accuracy = self.curves.get("accuracy", {})
        first = self.scores.get(MEASURES[0].key, {})

        def height(name: str) -> float:
            return fmean(first.get(name, {}).values() or [accuracy[name].mean[-1]])

        return sorted(self.setting.runs, key=lambda name: (-height(name), name))


def analyse(setting: Setting, rules: Rules | None = None) -> Analysis:
    """Compute all that is known of a setting.

    Args:
        setting: The runs.
        rules: By which differences are read.
    """
    rules = rules or Rules()
    metrics = metrics_of(setting)
    measured = {m.key: scores(setting, m) for m in MEASURES if m.metric in metrics}
    first = measured.get(MEASURES[0].key, {})
    others = [name for name in setting.runs if name != setting.reference]
    rests_on = basis(first, setting.reference, rules)
    tested = [name for name in others if name in rests_on.compared] if rests_on.seeds else []
    return Analysis(
        setting=setting,
        metrics=metrics,
        curves={metric: curves(setting, metric) for metric in metrics},
        differences=difference_curves(setting, "accuracy") if "accuracy" in metrics else {},
        passive={metric: _passive(setting, metric) for metric in metrics if setting.passive},
        scores=measured,
        rules=rules,
        basis=rests_on,
        against=_against_reference(setting, rests_on, others, rules),
        standings=standings(rests_on.scores, tested, rules),
        other_measures=_other_measures(setting, measured, others),
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


def _against_reference(
    setting: Setting, found: Basis, others: Sequence[str], rules: Rules
) -> list[Comparison]:
    reference = setting.reference
    if reference is None or not found.scores:
        return []
    against = compare(found.scores, reference, others, rules, claims=bool(found.seeds))
    return sorted(against, key=lambda c: (-c.mean, c.strategy))


def _other_measures(
    setting: Setting, measured: Mapping[str, Scores], others: Sequence[str]
) -> dict[str, dict[str, PairedDifference | None]]:
    if (reference := setting.reference) is None or not others:
        return {}
    return {
        measure.key: {n: difference_of(measured[measure.key], n, reference) for n in others}
        for measure in MEASURES[1:]
        if measured.get(measure.key)
    }


def _passive(setting: Setting, metric: str) -> Curve:
    runs = setting.passive
    labels = next(iter(runs.values())).labels[-1]
    return mean_curve(runs, metric, (labels,))
