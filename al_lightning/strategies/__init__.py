"""Query strategies: which unlabeled images to ask for."""

from al_lightning.strategies.badge import Badge
from al_lightning.strategies.base import ScoreStrategy, Selection, Strategy, top_k
from al_lightning.strategies.farthest_first import FarthestFirst
from al_lightning.strategies.metrics import Cosine, Euclidean, Factors, Metric, SymmetricKL
from al_lightning.strategies.random import Random
from al_lightning.strategies.uncertainty import Entropy, LeastConfidence, Margin

__all__ = [
    "Badge",
    "Cosine",
    "Entropy",
    "Euclidean",
    "Factors",
    "FarthestFirst",
    "LeastConfidence",
    "Margin",
    "Metric",
    "Random",
    "ScoreStrategy",
    "Selection",
    "Strategy",
    "SymmetricKL",
    "top_k",
]
