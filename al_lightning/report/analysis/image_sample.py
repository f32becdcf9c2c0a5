"""How sure differences are for other test images too: the test set is a sample as well."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from al_lightning.report.statistics.two_way import TwoWayInterval, two_way_interval
from al_lightning.report.study.runs import Run
from al_lightning.report.study.settings import Setting
from al_lightning.run.round_predictions import load_correct
from al_lightning.utils.errors import UsageError

_LEAST_SEEDS = 2
_ROUNDING = 1e-6  # of the journal's accuracy, in single precision

#: By measure ("aubc", "final_accuracy") and strategy: its difference to the reference.
Differences = Mapping[str, Mapping[str, TwoWayInterval]]


@dataclass(frozen=True)
class ImageSample:
    """Differences to the reference, with intervals over seeds and test images.

    Attributes:
        differences: Of the strategies that share 2 seeds with the reference; empty where predictions
            are missing.
        images: How many test images there are.
        missing: Why there are none, as the end of a sentence; empty where there are.
    """

    differences: Differences
    images: int
    missing: str


def image_sample(setting: Setting) -> ImageSample | None:
    """Compare strategies with the reference image by image, from the predictions that runs keep.

    Both runs of a seed are tested on the same images, so that differences are paired by both.

    Returns:
        None where no strategy shares 2 seeds with the reference.
    """
    reference = setting.runs.get(setting.reference or "", {})
    pairs = {
        name: sorted(runs.keys() & reference.keys())
        for name, runs in setting.runs.items()
        if name != setting.reference and len(runs.keys() & reference.keys()) >= _LEAST_SEEDS
    }
    if not pairs:
        return None
    weights = {"aubc": _weights(setting.budgets), "final_accuracy": _last(setting.budgets)}
    try:
        needed = {seed for seeds in pairs.values() for seed in seeds}
        base = {seed: _correct(reference[seed], setting.budgets) for seed in sorted(needed)}
        rows = {
            name: [_correct(setting.runs[name][s], setting.budgets) - base[s] for s in seeds]
            for name, seeds in pairs.items()
        }
        images = len(next(iter(base.values())).T)
        differences = {
            measure: {
                name: two_way_interval(np.stack([weight @ table for table in tables]))
                for name, tables in rows.items()
            }
            for measure, weight in weights.items()
            if weight is not None
        }
    except (UsageError, ValueError) as error:
        return ImageSample({}, 0, str(error))
    return ImageSample(differences, images, "")


def _correct(run: Run, budgets: tuple[int, ...]) -> NDArray[np.float32]:
    """Return which images a run predicts right at each budget, (budgets, N) of 0 and 1."""
    rows = []
    for budget in budgets:
        entry = run.at(budget)
        path = run.predictions_of(entry)
        right = load_correct(path).numpy()
        if abs(right.mean() - entry.metrics["accuracy"]) > _ROUNDING:
            raise UsageError(f"{path} does not give the accuracy that the journal has")
        rows.append(right)
    return np.stack(rows).astype(np.float32)


def _weights(budgets: tuple[int, ...]) -> NDArray[np.float64] | None:
    """Return how much each budget weighs in the AUBC, by trapezoids; None of a single budget."""
    if len(budgets) == 1:
        return None
    steps = np.diff(budgets)
    halves = np.concatenate([steps, [0]]) + np.concatenate([[0], steps])
    return np.asarray(halves / (2 * (budgets[-1] - budgets[0])), dtype=np.float64)


def _last(budgets: tuple[int, ...]) -> NDArray[np.float64]:
    return np.asarray(np.eye(len(budgets))[-1])
