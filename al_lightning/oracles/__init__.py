"""Those who give the labels, simulated or human, one a file."""

from al_lightning.oracles.dataset import DatasetOracle
from al_lightning.oracles.noisy import NoisyOracle

__all__ = ["DatasetOracle", "NoisyOracle"]
