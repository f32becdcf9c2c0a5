"""Oracles: the sources of labels, simulated or human."""

from collections.abc import Callable
from pathlib import Path

from al_lightning.data.source import ImageData
from al_lightning.oracles.csv_sheet.csv_oracle import CsvOracle
from al_lightning.oracles.label_studio.oracle import LabelStudioOracle
from al_lightning.oracles.manual import ManualOracle
from al_lightning.oracles.page.oracle import PageOracle
from al_lightning.oracles.simulated.from_dataset import DatasetOracle
from al_lightning.oracles.simulated.noisy import NoisyOracle
from al_lightning.run.questions import Oracle

#: Makes the oracle of a run from its data, the folder of its query sheets, and its seed.
MakeOracle = Callable[[ImageData, Path, int], Oracle]

__all__ = [
    "CsvOracle",
    "DatasetOracle",
    "LabelStudioOracle",
    "MakeOracle",
    "ManualOracle",
    "NoisyOracle",
    "PageOracle",
]
