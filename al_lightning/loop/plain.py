"""A loop of one call, for a data set and a LightningModule of one's own."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import lightning as L

from al_lightning.callbacks.loop_callback import LoopCallback
from al_lightning.data.datamodule import PoolDataModule
from al_lightning.data.source import ImageSource
from al_lightning.loop.loop import ActiveLearningLoop
from al_lightning.loop.query import Query
from al_lightning.models.classifier import ImageClassifier
from al_lightning.models.cnn import CNN
from al_lightning.oracles.simulated.from_dataset import DatasetOracle
from al_lightning.run.budget import Budget
from al_lightning.run.journal import Journal
from al_lightning.run.questions import Oracle
from al_lightning.strategies.strategy import Strategy
from al_lightning.training.fresh_classifiers import MakeClassifier
from al_lightning.training.learner import Learner
from al_lightning.training.quiet import quiet_lightning
from al_lightning.training.recipe import Recipe
from al_lightning.training.trainers import RoundTrainers
from al_lightning.utils.torchrun import local_world_size, world_size


def plain_loop(
    source: ImageSource,
    strategy: Strategy,
    folder: Path | str,
    budget: Budget,
    *,
    make_classifier: MakeClassifier | None = None,
    oracle: Oracle | None = None,
    initial_strategy: Strategy | None = None,
    epochs: int = 30,
    batch_size: int = 64,
    seed: int = 0,
    callbacks: Sequence[LoopCallback] = (),
) -> ActiveLearningLoop:
    """Build a loop of parts that can be replaced before the first step; Lightning's advice is silenced.

    Args:
        source: The data set, such as ``DatasetSource(train, test)``.
        strategy: Selects the images to query.
        folder: Folder of ``journal.jsonl`` and the last weights.
        budget: The number of labels, in total and per round.
        make_classifier: Returns an untrained :class:`~al_lightning.Learner` classifier; None, the CNN.
        oracle: Gives the labels; None reveals those of the source, which must know all.
        initial_strategy: Selects the first labels; None draws them by ``budget.initial_policy``.
        epochs: Epochs of each fit.
        batch_size: Images per training step.
        seed: Seed of all random numbers.
        callbacks: Called at the stages of the run, such as :class:`al_lightning.PredictionFiles`.

    Example:
        >>> import tempfile, torch
        >>> from al_lightning import Budget, DatasetSource, plain_loop
        >>> from al_lightning.strategies import Margin
        >>> data = torch.utils.data.TensorDataset(torch.rand(60, 1, 8, 8), torch.arange(60) % 3)
        >>> source, folder = DatasetSource(data), tempfile.mkdtemp()
        >>> loop = plain_loop(source, Margin(), folder, Budget(6, 3, 9), epochs=1)
        >>> loop.run().pool.labels_bought
        9
    """
    quiet_lightning()
    recipe = Recipe(epochs=epochs, batch_size=batch_size, precision="32-true")
    datamodule = recipe.datamodule(source)
    if make_classifier is None:
        make_classifier = partial(_make_cnn, recipe, datamodule)
    learner = Learner(datamodule, make_classifier, RoundTrainers(_quiet_trainer, recipe), seed=seed)
    query = Query(strategy, initial_strategy=initial_strategy)
    journal = Journal(Path(folder) / "journal.jsonl")
    if oracle is None:
        oracle = DatasetOracle.for_run(datamodule.data, Path(folder), seed)
    return ActiveLearningLoop(learner, query, oracle, journal, budget, callbacks)


def _make_cnn(recipe: Recipe, datamodule: PoolDataModule) -> ImageClassifier:
    data = datamodule.data  # the classes of a project may change
    return recipe.classifier(CNN(data.image_shape, len(data.classes)), len(data.classes))


def _quiet_trainer(**options: Any) -> L.Trainer:
    """Make a trainer of one device, or of those that torchrun has started processes for."""
    here = local_world_size()
    there = world_size() // here
    return L.Trainer(devices=here, num_nodes=there, enable_progress_bar=False, **options)
