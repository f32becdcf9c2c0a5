"""Folds of labeled images: every class in each of them, and groups that are never divided."""

import torch
from torch import Tensor


def stratified_folds(
    labels: Tensor, folds: int, generator: torch.Generator, groups: Tensor | None = None
) -> Tensor:
    """Divide labeled images into folds, each class as evenly as possible.

    Groups are visited in a random order, the largest first. Each is put into the fold that has the
    smallest share of its classes so far, or the fewest images where that is equal. Without groups, a
    class has as many images in one fold as in another, or one more.

    >>> import torch
    >>> from al_lightning.training.folds import stratified_folds
    >>> labels = torch.tensor([0, 0, 0, 1, 1, 1])
    >>> folds = stratified_folds(labels, 3, torch.Generator().manual_seed(0))
    >>> folds[:3].sort().values, folds[3:].sort().values
    (tensor([0, 1, 2]), tensor([0, 1, 2]))

    Args:
        labels: (N,) int64.
        folds: How many folds; fewer where there are fewer groups.
        generator: The only source of randomness.
        groups: The group of each image, (N,) int64; None if each is its own.

    Returns:
        The fold of each image, (N,) int64.
    """
    owners = torch.arange(len(labels)) if groups is None else groups
    names, owner_of = torch.unique(owners, return_inverse=True)
    counts = torch.zeros(len(names), int(labels.max()) + 1 if len(labels) else 1)
    counts.index_put_((owner_of, labels), torch.ones(len(labels)), accumulate=True)
    shares = counts / counts.sum(0).clamp_min(1)
    order = torch.randperm(len(names), generator=generator)
    order = order[counts.sum(1)[order].argsort(descending=True, stable=True)]
    held = torch.zeros(max(1, min(folds, len(names))), counts.shape[1])
    fold_of = torch.zeros(len(names), dtype=torch.int64)
    for owner in order.tolist():
        overlaps, sizes = (held @ shares[owner]).tolist(), held.sum(1).tolist()
        fold = min(range(len(held)), key=lambda f: (overlaps[f], sizes[f]))
        fold_of[owner] = fold
        held[fold] += counts[owner]
    return fold_of[owner_of]
