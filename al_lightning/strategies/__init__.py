"""Query strategies: which unlabeled images to query."""

from al_lightning.strategies.badge import Badge
from al_lightning.strategies.batchbald import BatchBALD
from al_lightning.strategies.class_balanced import ClassBalanced
from al_lightning.strategies.cluster_margin import ClusterMargin
from al_lightning.strategies.dropquery import DropQuery
from al_lightning.strategies.farthest_first import FarthestFirst
from al_lightning.strategies.functional.distances import (
    Cosine,
    Euclidean,
    Factors,
    Metric,
    SymmetricKL,
)
from al_lightning.strategies.kmeans import KMeansCenters
from al_lightning.strategies.max_herding import MaxHerding
from al_lightning.strategies.mc_dropout import (
    BALD,
    MeanStd,
    MonteCarloStrategy,
    VariationRatios,
    VoteEntropy,
)
from al_lightning.strategies.mix import Mix
from al_lightning.strategies.probcover import ProbCover
from al_lightning.strategies.random import Random
from al_lightning.strategies.selection import Selection
from al_lightning.strategies.shortlist import Shortlist
from al_lightning.strategies.stochastic import Power, Softmax, SoftRank, StochasticStrategy
from al_lightning.strategies.strategy import ScoreStrategy, Strategy, top_k
from al_lightning.strategies.typiclust import TypiClust
from al_lightning.strategies.uherding import UHerding
from al_lightning.strategies.uncertainty import (
    Entropy,
    LeastConfidence,
    Margin,
    Ratio,
    UncertaintyStrategy,
)

__all__ = [
    "BALD",
    "Badge",
    "BatchBALD",
    "ClassBalanced",
    "ClusterMargin",
    "Cosine",
    "DropQuery",
    "Entropy",
    "Euclidean",
    "Factors",
    "FarthestFirst",
    "KMeansCenters",
    "LeastConfidence",
    "Margin",
    "MaxHerding",
    "MeanStd",
    "Metric",
    "Mix",
    "MonteCarloStrategy",
    "Power",
    "ProbCover",
    "Random",
    "Ratio",
    "ScoreStrategy",
    "Selection",
    "Shortlist",
    "SoftRank",
    "Softmax",
    "StochasticStrategy",
    "Strategy",
    "SymmetricKL",
    "TypiClust",
    "UHerding",
    "UncertaintyStrategy",
    "VariationRatios",
    "VoteEntropy",
    "top_k",
]
