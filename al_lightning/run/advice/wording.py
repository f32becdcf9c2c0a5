"""The advice in plain sentences."""

import math
from collections.abc import Sequence

from al_lightning.run.advice.advice import Accuracy, Advice, Forecast
from al_lightning.run.advice.agreement import f_change_bound
from al_lightning.run.advice.learning_curve import FEWEST
from al_lightning.utils.intervals import images_for

_WIDTH = 0.08  # of the accuracy to either side, where nothing measures it yet
_NAMED = 3  # classes
_TWO = 2  # classes, for which the change of the F-measure has a bound


def sentences(advice: Advice, classes: Sequence[str]) -> list[str]:
    """Return the advice in up to three sentences.

    Args:
        advice: After a round.
        classes: Names.
    """
    found = [_agreement(advice, len(classes)), _accuracy(advice), _weak(advice, classes)]
    return [sentence for sentence in found if sentence]


def _agreement(advice: Advice, classes: int) -> str:
    agreement, mean = advice.agreement, advice.mean_kappa
    if agreement is None:
        return ""
    text = (
        f"Predictions: {agreement.disagreement:.1%} of {agreement.images:,} pool images changed since "
        f"the last round, so the accuracy by at most as much (kappa {agreement.kappa:.3f}"
    )
    bound = f_change_bound(agreement.kappa) if classes == _TWO else None
    text += f", so F by at most {bound:.3f}" if bound is not None and bound < 1 else ""
    if mean is None:
        return f"{text})."
    end = "stable: you can stop" if advice.stable else f"stable from {advice.settings.kappa:g} on"
    return f"{text}, mean of three {mean:.3f}; {end})."


def _accuracy(advice: Advice) -> str:
    accuracy, target = advice.accuracy, advice.settings.target
    if accuracy is None:
        count = images_for(_WIDTH, target or 0.8)
        return (
            f"Accuracy: unknown. {count} labels drawn at random tell it to within "
            f"{100 * _WIDTH:.0f} points: set budget.validation={count}."
        )
    if advice.reached and target is not None:
        low, high = accuracy.interval
        return (
            f"Accuracy: {accuracy.value:.1%} [{low:.1%}, {high:.1%}] has reached the target of "
            f"{target:.1%}: you can stop{_used_up(accuracy)}."
        )
    if advice.left == 0:
        return ""
    if advice.forecast is None:
        return f"More labels: what they bring cannot be said yet, before {FEWEST} rounds."
    return f"{_forecast(advice.forecast, accuracy, target, advice.left)}{_used_up(accuracy)}."


def _forecast(forecast: Forecast, accuracy: Accuracy, target: float | None, left: int) -> str:
    if forecast.to_target is None or target is None:
        low, high = forecast.accuracy
        return (
            f"{forecast.more:,} more labels: accuracy {low:.1%} to {high:.1%} expected (80% band), "
            f"now {accuracy.value:.1%}"
        )
    fewest, most = forecast.to_target
    if fewest > left:
        return f"{target:.1%} accuracy: not expected from all {left:,} images that are left"
    least = _rounded(max(fewest, 1))
    if math.isinf(most) or most > left:
        return (
            f"At least {least} more labels to {target:.1%} accuracy (80% band); how many at most "
            "cannot be said yet"
        )
    end = _rounded(max(most, 1))
    between = least if end == least else f"{least} to {end}"
    return f"About {between} more labels to {target:.1%} accuracy (80% band)"


def _rounded(labels: float) -> str:
    """Return a number with two digits that count."""
    unit = 10 ** max(0, math.floor(math.log10(labels)) - 1)
    return f"{round(labels / unit) * unit:,}"


def _used_up(accuracy: Accuracy) -> str:
    return "" if accuracy.measured_on != "test images" else " (by the test images, thus used up)"


def _weak(advice: Advice, classes: Sequence[str]) -> str:
    if not advice.weak:
        return ""
    shown = [
        f"{classes[each.label]} (recall {each.recall:.0%} [{each.interval[0]:.0%}, "
        f"{each.interval[1]:.0%}], {each.labels} label{'s' * (each.labels != 1)}"
        f"{', few' if each.few else ''})"
        for each in advice.weak[:_NAMED]
    ]
    more = len(advice.weak) - len(shown)
    return f"Weak classes: {', '.join(shown)}{f' and {more} more' if more else ''}."
