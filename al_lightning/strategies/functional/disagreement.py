"""Disagreement of K dropout samples on an image, as pure functions; higher always means query first.

A sample is the prediction of one subnetwork; together they are a committee. What its members agree to
be uncertain about is noise in the image; what they disagree about can be learned.
"""

import torch
from torch import Tensor

from al_lightning.strategies.functional.uncertainty_scores import entropy


def mutual_information(samples: Tensor) -> Tensor:
    """Return H(mean_k p_k) - mean_k H(p_k), the mutual information of label and weights, in nats.

    Houlsby, Huszar, Ghahramani & Lengyel, "Bayesian active learning for classification and preference
    learning" (BALD), 2011; by dropout samples: Gal, Islam & Ghahramani, "Deep Bayesian active learning
    with image data", ICML 2017.

    It is also the committee's mean divergence from its consensus, mean_k KL(p_k || mean p): McCallum &
    Nigam, "Employing EM and pool-based active learning for text classification", ICML 1998.

    Args:
        samples: (N, K, C) float; rows sum to 1.

    Returns:
        (N,) float in [0, min(ln K, ln C)].
    """
    of_mean = entropy(samples.mean(1))
    mean_of = torch.special.entr(samples).sum(2).mean(1)
    difference: Tensor = of_mean - mean_of
    return difference.clamp(min=0)  # it is never below 0, and rounding must not say so


def class_votes(samples: Tensor) -> Tensor:
    """Return the share of the samples that find each class the likeliest.

    Args:
        samples: (N, K, C) float. A sample of several likeliest classes votes for the first.

    Returns:
        (N, C) of the same dtype; rows sum to 1.
    """
    votes = samples.argmax(2)
    shares = torch.zeros_like(samples[:, 0])
    return shares.scatter_add_(1, votes, torch.ones_like(samples[:, :, 0])) / samples.shape[1]


def variation_ratios(samples: Tensor) -> Tensor:
    """Return 1 - the share of votes for the modal class.

    Freeman, "Elementary applied statistics", 1965; by dropout samples: Gal, Islam & Ghahramani 2017.

    Args:
        samples: (N, K, C) float.

    Returns:
        (N,) float in [0, 1 - 1/min(K, C)].
    """
    return 1 - class_votes(samples).amax(1)


def vote_entropy(samples: Tensor) -> Tensor:
    """Return the entropy of the votes for the classes, in nats; "hard" vote entropy.

    Dagan & Engelson, "Committee-based sampling for training probabilistic classifiers", ICML 1995;
    not divided by ln K here.

    Args:
        samples: (N, K, C) float.

    Returns:
        (N,) float in [0, min(ln K, ln C)].
    """
    return entropy(class_votes(samples))


def mean_std(samples: Tensor) -> Tensor:
    """Return the standard deviation over the samples, averaged over the classes.

    Kampffmeyer, Salberg & Jenssen, "Semantic segmentation of small objects and modeling of
    uncertainty in urban remote sensing images", CVPR workshops 2016; Kendall, Badrinarayanan &
    Cipolla, "Bayesian SegNet", BMVC 2017. Of the K samples themselves, i.e. divided by K.

    Args:
        samples: (N, K, C) float.

    Returns:
        (N,) float in [0, 1/2].
    """
    return samples.std(1, correction=0).mean(1)
