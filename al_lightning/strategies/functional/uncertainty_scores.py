"""Uncertainty of class probabilities, as pure functions; higher always means query first."""

import torch
from torch import Tensor


def least_confidence(probabilities: Tensor) -> Tensor:
    """Return 1 - max p: how far the model is from being sure of one class.

    Lewis & Gale, "A sequential algorithm for training text classifiers", SIGIR 1994.

    Args:
        probabilities: (N, C) float; rows sum to 1.

    Returns:
        (N,) float in [0, 1 - 1/C].
    """
    return 1 - probabilities.amax(1)


def margin(probabilities: Tensor) -> Tensor:
    """Return -(p(1) - p(2)), the negated gap between the two most probable classes.

    Scheffer, Decomain & Wrobel, "Active hidden Markov models for information extraction", IDA 2001.

    Args:
        probabilities: (N, C) float; rows sum to 1.

    Returns:
        (N,) float in [-1, 0]. With a single class p(2) is 0.
    """
    first, second = _two_highest(probabilities)
    return second - first


def ratio(probabilities: Tensor) -> Tensor:
    """Return p(2) / p(1), of the two most probable classes: the odds of the runner-up.

    Args:
        probabilities: (N, C) float; rows sum to 1.

    Returns:
        (N,) float in [0, 1]. With a single class p(2) is 0.
    """
    first, second = _two_highest(probabilities)
    return second / first


def entropy(probabilities: Tensor) -> Tensor:
    """Return the Shannon entropy -sum p ln p in nats, with 0 ln 0 = 0.

    Shannon 1948; as a query strategy: Settles, "Active learning literature survey", 2009.

    Args:
        probabilities: (N, C) float; rows sum to 1.

    Returns:
        (N,) float in [0, ln C].
    """
    terms: Tensor = torch.special.entr(probabilities)
    return terms.sum(1)


def _two_highest(probabilities: Tensor) -> tuple[Tensor, Tensor]:
    """Return the two highest probabilities of each row, (N,) each; 0 is the runner-up of one class."""
    first, likeliest = probabilities.max(1, keepdim=True)
    others = probabilities.scatter(1, likeliest, 0.0)  # with ten classes, a third of a top 2's time
    return first.squeeze(1), others.amax(1)
