"""Which labels are probably wrong: confident learning, on predictions that have not seen them."""

from dataclasses import dataclass

import torch
from torch import Tensor

_FEWEST = 2  # labels of a class: with one, no classifier that has not seen it knows the class


@dataclass(frozen=True)
class LabelErrors:
    """Labels that are probably wrong, the most doubtful first.

    Attributes:
        rows: Their positions among all labels, (M,) int64.
        suggested: The class that each probably is, (M,) int64.
        confidence: The probability of that class, (M,) float32.
        margins: The normalised margin of each, p(label) - max p(another class), (M,) float32 in
            [-1, 1], ascending.
    """

    rows: Tensor
    suggested: Tensor
    confidence: Tensor
    margins: Tensor


def find_label_errors(probabilities: Tensor, labels: Tensor) -> LabelErrors:
    """Find labels that are probably wrong.

    The threshold of a class j is t_j, the mean p_j of the images labeled j. An image is confidently of
    the most probable class among those with p_k >= t_k. Where that is another class than its label, the
    label is doubtful. Doubtful labels are ranked by normalised margin.

    Northcutt, Jiang & Chuang, "Confident learning: estimating uncertainty in dataset labels", JAIR 70,
    2021, equations 1 and 2. A class with fewer than 2 labels has no threshold and is never suggested,
    and its label is not judged: no prediction without it knows the class.

    >>> import torch
    >>> from al_lightning.inference.label_errors import find_label_errors
    >>> probabilities = torch.tensor([[0.9, 0.1], [0.8, 0.2], [0.95, 0.05], [0.3, 0.7], [0.1, 0.9]])
    >>> found = find_label_errors(probabilities, torch.tensor([0, 0, 1, 1, 1]))
    >>> found.rows, found.suggested
    (tensor([2]), tensor([0]))

    Args:
        probabilities: Of classifiers that were not trained on the image, (N, C) float32.
        labels: (N,) int64.
    """
    classes = probabilities.shape[1]
    one_hot = torch.nn.functional.one_hot(labels, classes).to(probabilities.dtype)
    counts = one_hot.sum(0)
    thresholds = (probabilities * one_hot).sum(0) / counts.clamp_min(1)
    thresholds[counts < _FEWEST] = torch.inf
    confident = probabilities.where(probabilities >= thresholds, -1.0)
    confidence, suggested = confident.max(1)
    doubtful = (confidence >= 0) & (suggested != labels) & (counts[labels] >= _FEWEST)
    given = probabilities.gather(1, labels[:, None])
    others = probabilities.scatter(1, labels[:, None], -1.0).max(1).values
    margins = given.squeeze(1) - others
    rows = doubtful.nonzero().squeeze(1)
    rows = rows[margins[rows].argsort(stable=True)]
    return LabelErrors(rows, suggested[rows], confidence[rows], margins[rows])
