"""Deep active learning for image classification."""

import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from al_lightning.callbacks.loop_callback import LoopCallback, QueryResult, RoundResult
    from al_lightning.callbacks.prediction_files import PredictionFiles
    from al_lightning.data import DatasetSource, ImageData, Images, PoolDataModule
    from al_lightning.inference.trained import TrainedRun, load_trained
    from al_lightning.loop.loop import ActiveLearningLoop
    from al_lightning.loop.plain import plain_loop
    from al_lightning.loop.query import Query
    from al_lightning.models import CNN, Backbone, Embedder, ImageClassifier
    from al_lightning.oracles import DatasetOracle, LabelStudioOracle, ManualOracle, NoisyOracle
    from al_lightning.run.budget import Budget
    from al_lightning.run.journal import Journal
    from al_lightning.run.pool import Pool
    from al_lightning.run.questions import Answer, Oracle, Question, SimulatedOracle
    from al_lightning.run.record import RunRecord
    from al_lightning.run.round_predictions import RoundPredictions, load_predictions
    from al_lightning.run.summary import summarize
    from al_lightning.strategies import ScoreStrategy, Selection, Strategy
    from al_lightning.strategies.evidence import Evidence, Need
    from al_lightning.training.embedding_cache import EmbeddingCache
    from al_lightning.training.fit_cache import FitCache
    from al_lightning.training.fixmatch import FixMatch
    from al_lightning.training.learner import Learner
    from al_lightning.training.out_of_fold import OutOfFold, out_of_fold
    from al_lightning.training.recipe import Recipe
    from al_lightning.training.scoring import Scorer
    from al_lightning.training.trainers import RoundTrainers
    from al_lightning.utils.errors import DataError, JournalError, UsageError

# Imported when first used: `python -m al_lightning --help` must not wait for torch.
_HOMES = {
    "CNN": "models",
    "ActiveLearningLoop": "loop.loop",
    "Answer": "run.questions",
    "Backbone": "models",
    "Budget": "run.budget",
    "DataError": "utils.errors",
    "DatasetOracle": "oracles",
    "DatasetSource": "data",
    "Embedder": "models",
    "EmbeddingCache": "training.embedding_cache",
    "Evidence": "strategies.evidence",
    "FitCache": "training.fit_cache",
    "ImageClassifier": "models",
    "ImageData": "data",
    "Images": "data",
    "Journal": "run.journal",
    "JournalError": "utils.errors",
    "LabelStudioOracle": "oracles",
    "LoopCallback": "callbacks",
    "Need": "strategies.evidence",
    "NoisyOracle": "oracles",
    "Oracle": "run.questions",
    "OutOfFold": "training.out_of_fold",
    "Pool": "run.pool",
    "PoolDataModule": "data",
    "Learner": "training.learner",
    "Query": "loop.query",
    "QueryResult": "callbacks",
    "RunRecord": "run.record",
    "ManualOracle": "oracles",
    "PredictionFiles": "callbacks.prediction_files",
    "plain_loop": "loop.plain",
    "Question": "run.questions",
    "FixMatch": "training.fixmatch",
    "Recipe": "training.recipe",
    "RoundPredictions": "run.round_predictions",
    "RoundResult": "callbacks",
    "RoundTrainers": "training.trainers",
    "ScoreStrategy": "strategies",
    "Scorer": "training.scoring",
    "Selection": "strategies",
    "SimulatedOracle": "run.questions",
    "Strategy": "strategies",
    "TrainedRun": "inference.trained",
    "UsageError": "utils.errors",
    "load_predictions": "run.round_predictions",
    "load_trained": "inference.trained",
    "out_of_fold": "training.out_of_fold",
    "summarize": "run.summary",
}

__all__ = [
    "CNN",
    "ActiveLearningLoop",
    "Answer",
    "Backbone",
    "Budget",
    "DataError",
    "DatasetOracle",
    "DatasetSource",
    "Embedder",
    "EmbeddingCache",
    "Evidence",
    "FitCache",
    "FixMatch",
    "ImageClassifier",
    "ImageData",
    "Images",
    "Journal",
    "JournalError",
    "LabelStudioOracle",
    "Learner",
    "LoopCallback",
    "ManualOracle",
    "Need",
    "NoisyOracle",
    "Oracle",
    "OutOfFold",
    "Pool",
    "PoolDataModule",
    "PredictionFiles",
    "Query",
    "QueryResult",
    "Question",
    "Recipe",
    "RoundPredictions",
    "RoundResult",
    "RoundTrainers",
    "RunRecord",
    "ScoreStrategy",
    "Scorer",
    "Selection",
    "SimulatedOracle",
    "Strategy",
    "TrainedRun",
    "UsageError",
    "load_predictions",
    "load_trained",
    "out_of_fold",
    "plain_loop",
    "summarize",
]

_CONF = Path(__file__).parents[1] / "conf"
if not Path(__file__).with_name("conf").is_dir() and _CONF.is_dir():
    # In a source tree the configuration stands beside the package: `pkg://al_lightning.conf`.
    _spec = spec_from_file_location(f"{__name__}.conf", _CONF / "__init__.py")
    if _spec is not None:
        sys.modules[_spec.name] = module_from_spec(_spec)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
