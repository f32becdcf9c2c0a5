"""What runs score: their curves over labels, and single numbers that summarise a curve."""

from collections.abc import Mapping
from dataclasses import dataclass

from al_lightning.report.statistics.paired import mean_interval, paired_difference
from al_lightning.report.study.runs import Run
from al_lightning.report.study.settings import Setting
from al_lightning.run.curve import area_under_budget_curve

#: Metrics that the loop measures of every round; those of a module's own test step come on top.
STANDARD_METRICS = (
    "accuracy",
    "balanced_accuracy",
    "macro_precision",
    "macro_recall",
    "macro_f1",
    "nll",
    "ece",
)
_NAMES = {"macro_f1": "macro-F1", "nll": "negative log-likelihood", "ece": "calibration error"}


@dataclass(frozen=True)
class Measure:
    """A way to make one number of a run.

    Attributes:
        key: In files.
        name: For readers.
        metric: A key of the journal's metrics.
        area: Whether it is the area under the curve; else its last point.
    """

    key: str
    name: str
    metric: str
    area: bool


#: What strategies are compared on. The verdict goes by the first.
MEASURES = (
    Measure("aubc", "AUBC of accuracy", "accuracy", area=True),
    Measure("aubc_macro_f1", "AUBC of macro-F1", "macro_f1", area=True),
    Measure("final_accuracy", "final accuracy", "accuracy", area=False),
    Measure("final_macro_f1", "final macro-F1", "macro_f1", area=False),
)


@dataclass(frozen=True)
class Curve:
    """The mean of some runs over labels bought.

    Attributes:
        labels: Labels bought, ascending.
        mean: Of the seeds, one a budget.
        low: Lower end of the 95 % Student interval; None with fewer than 2 seeds.
        high: Upper end.
        seeds: How many runs there are.
    """

    labels: tuple[int, ...]
    mean: tuple[float, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    seeds: int


def is_share(metric: str) -> bool:
    """Return whether a metric is known to be a share, which readers see in per cent."""
    return metric in STANDARD_METRICS and metric != "nll"


def metric_name(metric: str) -> str:
    """Return a metric's name for readers: "macro-F1"."""
    return _NAMES.get(metric, metric.replace("_", " "))


def metrics_of(setting: Setting) -> list[str]:
    """Return the metrics that all runs of a setting have in all rounds, sorted."""
    known = [set(entry.metrics) for run in setting.all_runs for entry in run.rounds]
    return sorted(set.intersection(*known)) if known else []


def mean_curve(runs: Mapping[int, Run], metric: str, budgets: tuple[int, ...]) -> Curve:
    """Return the mean of runs over the budgets; each run must have all of them."""
    points = [mean_interval([r.at(b).metrics[metric] for r in runs.values()]) for b in budgets]
    mean, low, high = zip(*points, strict=True)
    return Curve(budgets, mean, low, high, len(runs))


def curves(setting: Setting, metric: str) -> dict[str, Curve]:
    """Return the mean curve of each strategy."""
    return {name: mean_curve(runs, metric, setting.budgets) for name, runs in setting.runs.items()}


def difference_curves(setting: Setting, metric: str) -> dict[str, Curve]:
    """Return each strategy's paired difference to the reference; empty without a reference."""
    if setting.reference is None:
        return {}
    reference, result = setting.runs[setting.reference], {}
    for name, runs in setting.runs.items():
        if name == setting.reference or not runs.keys() & reference.keys():
            continue
        found = [
            paired_difference(_at(runs, metric, b), _at(reference, metric, b))
            for b in setting.budgets
        ]
        result[name] = Curve(
            setting.budgets,
            tuple(difference.mean for difference in found),
            tuple(difference.low for difference in found),
            tuple(difference.high for difference in found),
            len(found[0].seeds),
        )
    return result


def scores(setting: Setting, measure: Measure) -> dict[str, dict[int, float]]:
    """Return a measure of each run, by strategy and seed; empty where a curve has no area."""
    result: dict[str, dict[int, float]] = {}
    for name, runs in setting.runs.items():
        for seed, run in runs.items():
            heights = [run.at(b).metrics[measure.metric] for b in setting.budgets]
            area = area_under_budget_curve(setting.budgets, heights)
            value = area if measure.area else heights[-1]
            if value is not None:
                result.setdefault(name, {})[seed] = value
    return result


def _at(runs: Mapping[int, Run], metric: str, labels: int) -> dict[int, float]:
    return {seed: run.at(labels).metrics[metric] for seed, run in runs.items()}
