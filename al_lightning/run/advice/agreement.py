"""How far the predictions of two classifiers agree."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from al_lightning.run.advice.pool_predictions import PoolPredictions

WINDOW = 3  # agreements whose mean says whether predictions are stable


@dataclass(frozen=True)
class Agreement:
    """How far two classifiers agree on the same images.

    Attributes:
        kappa: Cohen's kappa, at most 1.
        disagreement: Share of the images that they predict otherwise, in [0, 1]. On these images, their
            accuracies differ by at most that, whatever the right classes are.
        images: How many.
    """

    kappa: float
    disagreement: float
    images: int


def cohen_kappa(first: Tensor, second: Tensor) -> float:
    """Return Cohen's kappa of two classifications: the agreement beyond that of chance.

    kappa = (p_o - p_e) / (1 - p_e), with the observed share of agreement p_o, and the share p_e of two
    independent classifications that use each class as often (Cohen 1960). Two that use one class alone,
    the same, agree fully: 1.

    >>> import torch
    >>> cohen_kappa(torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 1, 1]))  # p_o = 3/4, p_e = 1/2
    0.5

    Args:
        first: Classes, (N,) int64, N at least 1.
        second: Those of the same images, (N,) int64.

    Raises:
        ValueError: If the two differ in shape, or are empty.
    """
    if first.shape != second.shape or first.ndim != 1 or len(first) == 0:
        raise ValueError(f"shapes {tuple(first.shape)} and {tuple(second.shape)} do not pair up")
    found, places = torch.unique(torch.stack([first, second]), return_inverse=True)
    count = len(first)
    used = [torch.bincount(each, minlength=len(found)).double() / count for each in places]
    chance = float(used[0] @ used[1])
    agreed = int((first == second).sum())
    return 1.0 if agreed == count else (agreed / count - chance) / (1 - chance)


def agreement_of(first: PoolPredictions, second: PoolPredictions) -> Agreement | None:
    """Return how far two classifiers agree on the images that both have seen; None if there is none.

    Of two rounds of a run, it says how much the last labels have changed. Of two runs with the same
    labels and another seed, it says how far a third fit would agree: no two rounds can be expected to
    agree further.
    """
    common = first.ids[torch.isin(first.ids, second.ids)]
    if len(common) == 0:
        return None
    one, other = first.of(common), second.of(common)
    return Agreement(cohen_kappa(one, other), float((one != other).double().mean()), len(common))


def mean_kappa(agreements: Sequence[Agreement | None]) -> float | None:
    """Return the mean kappa of the last three agreements; None if one of them is missing.

    Bloodgood & Vijay-Shanker, "A method for stopping active learning based on stabilizing predictions
    and the need for user-adjustable stopping", CoNLL 2009, stop where it is at least 0.99.
    """
    last = [each.kappa for each in agreements[-WINDOW:] if each is not None]
    return sum(last) / WINDOW if len(last) == WINDOW else None


def f_change_bound(kappa: float) -> float | None:
    """Return how much the F-measures of two classifiers of two classes differ at most.

    4 (1 - kappa) / kappa: Bloodgood & Grothendieck, "Analysis of stopping active learning based on
    stabilizing predictions", CoNLL 2013.

    Args:
        kappa: Of their predictions.

    Returns:
        At most 1, which says nothing; None for a kappa of 0 or less, which bounds nothing.
    """
    return min(1.0, 4 * (1 - kappa) / kappa) if kappa > 0 else None
