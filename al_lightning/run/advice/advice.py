"""The advice after a round, put together."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from al_lightning.run.advice.agreement import Agreement, mean_kappa
from al_lightning.run.advice.by_class import WeakClass, weak_classes
from al_lightning.run.advice.learning_curve import fit_learning_curve
from al_lightning.run.advice.settings import AdviceSettings
from al_lightning.run.pool import Pool
from al_lightning.utils.intervals import wilson_interval

#: What accuracies are measured on, best first: the round's metrics, those by class, and words for it.
_MEASURES = (
    ("validation", "validation_per_class", "validation labels"),
    ("metrics", "per_class", "test images"),
)


@dataclass(frozen=True)
class Accuracy:
    """An accuracy that was measured on images drawn at random.

    Attributes:
        value: In [0, 1].
        interval: Of Wilson, 95 %.
        images: On how many.
        measured_on: "validation labels" or "test images", which advice uses up.
    """

    value: float
    interval: tuple[float, float]
    images: int
    measured_on: str


@dataclass(frozen=True)
class Forecast:
    """What the learning curve says of more labels; bands of 80 %.

    Attributes:
        more: Labels in addition: as many as there are, or all that are left.
        accuracy: Band of the accuracy with them.
        to_target: Band of the labels in addition to the target; infinity where it is never reached;
            None without a target.
    """

    more: int
    accuracy: tuple[float, float]
    to_target: tuple[float, float] | None


@dataclass(frozen=True)
class Advice:
    """What speaks for and against more labels after a round.

    Attributes:
        settings: What was asked for.
        agreement: With the round before; None where there is none to compare with.
        mean_kappa: Of the last three agreements; None where there are fewer.
        accuracy: Of the round; None where nothing measures it.
        forecast: None where nothing measures the accuracy, or there are too few rounds.
        weak: Classes whose recall is below the accuracy, the weakest first.
        left: Images that could be labeled.
    """

    settings: AdviceSettings
    agreement: Agreement | None
    mean_kappa: float | None
    accuracy: Accuracy | None
    forecast: Forecast | None
    weak: Sequence[WeakClass]
    left: int

    @property
    def stable(self) -> bool:
        """Whether the predictions change no more."""
        return self.mean_kappa is not None and self.mean_kappa >= self.settings.kappa

    @property
    def reached(self) -> bool:
        """Whether the accuracy is the target, or above it."""
        target, found = self.settings.target, self.accuracy
        return target is not None and found is not None and found.value >= target

    def facts(self) -> dict[str, Any]:
        """Return all figures as JSON has them; None in place of infinity."""
        facts = {**asdict(self), "stable": self.stable, "reached": self.reached}
        if self.forecast is not None and (band := self.forecast.to_target) is not None:
            facts["forecast"]["to_target"] = [None if math.isinf(end) else end for end in band]
        return facts


def advise(
    settings: AdviceSettings,
    rounds: Sequence[Mapping[str, Any]],
    trained: Sequence[int],
    agreements: Sequence[Agreement | None],
    pool: Pool,
    tested: int,
) -> Advice:
    """Put the advice after a round together.

    Args:
        settings: What is asked for.
        rounds: Round events of one model, oldest first, at least one.
        trained: Labels that each was trained on.
        agreements: Of the last of them, each with the one before it; at least three if there are.
        pool: What the last of them was trained on.
        tested: Number of test images.
    """
    last = rounds[-1]
    images = {"validation": len(pool.validation_ids), "metrics": tested}
    measure = next(((k, c, w) for k, c, w in _MEASURES if last.get(k) and images[k]), None)
    accuracy, forecast, weak = None, None, list[WeakClass]()
    if measure is not None:
        key, by_class, words = measure
        value, count = float(last[key]["accuracy"]), images[key]
        accuracy = Accuracy(value, wilson_interval(value, count), count, words)
        forecast = _forecast(settings, rounds, trained, key, pool, count)
        weak = _weak(last.get(by_class) or {}, pool)
    return Advice(
        settings=settings,
        agreement=agreements[-1] if agreements else None,
        mean_kappa=mean_kappa(agreements),
        accuracy=accuracy,
        forecast=forecast,
        weak=weak,
        left=len(pool.unlabeled_ids),
    )


def _forecast(
    settings: AdviceSettings,
    rounds: Sequence[Mapping[str, Any]],
    trained: Sequence[int],
    key: str,
    pool: Pool,
    images: int,
) -> Forecast | None:
    # A project may train on the same labels again, or, where images have gone, on fewer: the last
    # round counts.
    points: dict[int, float] = {}
    for event, count in reversed([*zip(rounds, trained, strict=True)]):
        if event.get(key) and count < min(points, default=count + 1):
            points[count] = float(event[key]["accuracy"])
    curve = fit_learning_curve(sorted(points), [points[n] for n in sorted(points)], images)
    now = trained[-1]
    more = min(now, len(pool.unlabeled_ids))
    if curve is None or more == 0:
        return None
    target = None
    if settings.target is not None:
        low, high = curve.labels_to(settings.target)
        target = low - now, high - now
    return Forecast(more, curve.accuracy_at(now + more), target)


def _weak(per_class: Mapping[str, Sequence[float]], pool: Pool) -> list[WeakClass]:
    recall, images = per_class.get("recall"), per_class.get("support")
    if recall is None or images is None:
        return []
    labels = pool.labels.bincount(minlength=len(recall)).tolist()
    return weak_classes(recall, images, labels)
