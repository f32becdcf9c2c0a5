"""Those who give the labels, simulated or human, one a file."""

from collections.abc import Callable
from pathlib import Path

from al_lightning.data.source import ImageData
from al_lightning.oracle import Oracle
from al_lightning.oracles.csv_files import CsvOracle
from al_lightning.oracles.dataset import DatasetOracle
from al_lightning.oracles.label_studio import LabelStudioOracle
from al_lightning.oracles.noisy import NoisyOracle

#: Makes the oracle of a run from its data, the folder of its query sheets, and its seed.
MakeOracle = Callable[[ImageData, Path, int], Oracle]

__all__ = ["CsvOracle", "DatasetOracle", "LabelStudioOracle", "MakeOracle", "NoisyOracle"]
