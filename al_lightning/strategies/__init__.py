"""Query strategies: which unlabeled images to ask for."""

from al_lightning.strategies.badge import Badge
from al_lightning.strategies.base import ScoreStrategy, Selection, Strategy, top_k
from al_lightning.strategies.batchbald import BatchBALD
from al_lightning.strategies.farthest_first import FarthestFirst
from al_lightning.strategies.mc_dropout import (
    BALD,
    MeanStd,
    MonteCarloStrategy,
    VariationRatios,
    VoteEntropy,
)
from al_lightning.strategies.metrics import Cosine, Euclidean, Factors, Metric, SymmetricKL
from al_lightning.strategies.random import Random
from al_lightning.strategies.stochastic import Power, Softmax, SoftRank, StochasticStrategy
from al_lightning.strategies.uncertainty import (
    Entropy,
    LeastConfidence,
    Margin,
    UncertaintyStrategy,
)

__all__ = [
    "BALD",
    "Badge",
    "BatchBALD",
    "Cosine",
    "Entropy",
    "Euclidean",
    "Factors",
    "FarthestFirst",
    "LeastConfidence",
    "Margin",
    "MeanStd",
    "Metric",
    "MonteCarloStrategy",
    "Power",
    "Random",
    "ScoreStrategy",
    "Selection",
    "SoftRank",
    "Softmax",
    "StochasticStrategy",
    "Strategy",
    "SymmetricKL",
    "UncertaintyStrategy",
    "VariationRatios",
    "VoteEntropy",
    "top_k",
]
