"""The verdict where no strategies are compared: one strategy, all labels alone, or no test images."""

from al_lightning.report.analysis.results import Analysis
from al_lightning.report.study.runs import Run
from al_lightning.report.wording import count, counted, interval, listed, percent
from al_lightning.utils.intervals import wilson_interval


def alone(analysis: Analysis, on: str) -> str:
    """Return the verdict on a single strategy.

    Args:
        analysis: Of its setting.
        on: Where: the beginning of the sentence.
    """
    name, curve = next(iter(analysis.curves["accuracy"].items()))
    return (
        f"{on}, {name} reaches {percent(curve.mean[-1], 1)}% accuracy with "
        f"{count(curve.labels[-1])} labels, {counted(curve.seeds, 'seed')}. No other strategy has runs."
    )


def without_runs(analysis: Analysis, on: str) -> list[str]:
    """Return the verdict where no run can be compared: the answer, then a sentence a point.

    Args:
        analysis: Of the setting.
        on: Where: the beginning of the sentence.
    """
    setting, length = analysis.setting, analysis.setting.passive_length
    if analysis.passive and length is not None:
        curve = analysis.passive["accuracy"]
        return [
            f"{on}, only the passive baseline was run: {percent(curve.mean[0], 1)}% accuracy with all "
            f"{count(curve.labels[0])} labels after {length.text}, {counted(curve.seeds, 'seed')}."
        ]
    if setting.untested:
        return [
            f"{on}, nothing is compared: that takes test images in every round.",
            *map(_untested, setting.untested),
        ]
    if setting.unfinished:
        return [f"{on}, there is nothing to report on yet; what was left out is named below."]
    return [f"{on}, there is nothing to compare; what was left out, and why, is named below."]


def _untested(run: Run) -> str:
    """Return what is known of a run without test images, by the labels that it bought."""
    last, seed = run.rounds[-1], "" if run.seed is None else f", seed {run.seed},"
    known = [
        f"{percent(value, 1)}% {interval(*wilson_interval(value, n), 1)} on {count(n)} {what} labels"
        for metrics, n, what in (
            (last.validation, last.validation_labels, "validation"),
            (last.test if run.finished else {}, last.test_labels, "test"),
        )
        if n and (value := metrics.get("accuracy")) is not None
    ]
    parts = [f"its accuracy is {listed(known)}"] if known else []
    if last.test and not run.finished:  # whoever looks at it on the way uses it up
        which = "that" if known else "its accuracy"
        parts.append(
            f"{which} on {count(last.test_labels)} test labels is told at the end of the run"
        )
    what = listed(parts) if parts else "no labels were bought to measure its accuracy"
    return f"{run.strategy}{seed} has {count(last.labels)} labels; {what}."
