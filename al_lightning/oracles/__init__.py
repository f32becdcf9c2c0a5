"""Oracles: the sources of labels, simulated or human."""

from al_lightning.oracles.csv_sheet.csv_oracle import CsvOracle
from al_lightning.oracles.label_studio.oracle import LabelStudioOracle
from al_lightning.oracles.manual import ManualOracle
from al_lightning.oracles.page.oracle import PageOracle
from al_lightning.oracles.simulated.from_dataset import DatasetOracle
from al_lightning.oracles.simulated.noisy import NoisyOracle

__all__ = [
    "CsvOracle",
    "DatasetOracle",
    "LabelStudioOracle",
    "ManualOracle",
    "NoisyOracle",
    "PageOracle",
]
