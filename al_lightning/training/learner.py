"""How the classifier of each round comes about: from a checkpoint, from other runs, or by a fit."""

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType, NoneType
from typing import Any

import lightning as L
import torch

from al_lightning.data.datamodule import PoolDataModule
from al_lightning.data.source import ImageData
from al_lightning.models.backbone import describe_model, require_logits
from al_lightning.models.fixed_masks import require_dropout
from al_lightning.run.advice.pool_predictions import draw_pool_sample
from al_lightning.run.class_change import ClassChange
from al_lightning.run.journal import Journal
from al_lightning.run.own_code import own_code
from al_lightning.run.pool import Pool
from al_lightning.run.project import continued
from al_lightning.run.provenance import describe, reproducible
from al_lightning.run.record import RunRecord
from al_lightning.run.state import Event
from al_lightning.training.checkpoint import Checkpoint
from al_lightning.training.embedding_cache import EmbeddingCache
from al_lightning.training.fit_cache import FitCache
from al_lightning.training.fits import Fits, OnFit, loaded
from al_lightning.training.fitted import Fitted
from al_lightning.training.fresh_classifiers import FreshClassifiers, MakeClassifier
from al_lightning.training.fresh_trainers import FreshTrainers, MakeTrainer
from al_lightning.training.identity import FitIdentity
from al_lightning.training.learner_arguments import (
    require_datamodule,
    require_factory,
    require_fall_back,
    require_minutes,
    require_record,
)
from al_lightning.training.learner_facts import LearnerFacts, learns_from_unlabeled
from al_lightning.training.serve_inputs import serve_inputs
from al_lightning.training.trainer_rules import describe_trainer
from al_lightning.utils.checks import require_kind, whole_number
from al_lightning.utils.randomness import derive_seed
from al_lightning.utils.ranks import from_rank_zero
from al_lightning.utils.torchrun import rank


class Learner:
    """Trains the classifier of each round on the labels of that round.

    Each fit uses a new trainer and, unless ``warm_start`` is set, the same initial weights. The last
    weights are saved in ``checkpoints/`` beside the journal, so that a continued run repeats no fit;
    fits of the first round may be shared with other runs.

    Args:
        datamodule: Owns the data.
        make_classifier: Returns an untrained classifier; called without arguments, after torch was
            seeded. It must have ``embed`` and ``classify``, see :class:`al_lightning.Embedder`.
        make_trainer: Returns a trainer, from the number of a round and its number of training labels.
            The first trainer is used for all passes, each further one for a fit.
        seed: Seed of weights, batches, dropout and augmentation, whatever is selected.
        warm_start: Whether a round starts from the weights of the previous round.
        fall_back: Prepares a classifier whose fit has diverged for a second fit from the start of the
            round, such as with a lower learning rate. None raises the error.
        record: The configuration of the run; fits with equal configurations are the same.
        fit_cache: Cache of the first round's fit, shared by runs. No result depends on it. Its key is
            ``record.config``, which must then have everything that affects a fit.
        embeddings: Cache of the embeddings of frozen backbones, shared by rounds and runs. None embeds
            the images in every pass, and augmented images in every step.
        save_minutes: Minutes between two saves of a fit, from which it continues to the same bits. None
            saves nothing.
        pool_sample: How many training images each round predicts, to compare rounds and runs; see
            :attr:`RoundResult.sample`.

    Raises:
        UsageError: If an argument is not valid; names it.

    Example:
        >>> from functools import partial
        >>> from lightning import Trainer
        >>> from al_lightning import CNN, Learner, Recipe, RoundTrainers
        >>> from al_lightning.data import Digits
        >>> recipe = Recipe(epochs=1)
        >>> learner = Learner(
        ...     recipe.datamodule(Digits()),
        ...     lambda: recipe.classifier(CNN((1, 8, 8), 10), 10),
        ...     RoundTrainers(partial(Trainer, accelerator="cpu"), recipe),
        ... )
        >>> learner.data.image_shape
        (1, 8, 8)
    """

    def __init__(
        self,
        datamodule: PoolDataModule,
        make_classifier: MakeClassifier,
        make_trainer: MakeTrainer,
        *,
        seed: int = 0,
        warm_start: bool = False,
        fall_back: Callable[[L.LightningModule], None] | None = None,
        record: RunRecord | None = None,
        fit_cache: FitCache | None = None,
        embeddings: EmbeddingCache | None = None,
        save_minutes: float | None = None,
        pool_sample: int = 0,
    ) -> None:
        require_datamodule(datamodule)
        require_factory("make_classifier", make_classifier, (), L.LightningModule)
        require_factory("make_trainer", make_trainer, ("round_index", "labels"), L.Trainer)
        require_kind("warm_start", warm_start, bool)
        require_fall_back(fall_back)
        require_kind("fit_cache", fit_cache, FitCache, NoneType)
        require_minutes(save_minutes)
        require_kind("embeddings", embeddings, EmbeddingCache, NoneType)
        self.record = require_record(record or RunRecord(), cached=fit_cache is not None)
        self.datamodule = datamodule
        self.seed = whole_number("seed", seed)
        self.warm_start = warm_start
        self._pool_sample = whole_number("pool_sample", pool_sample)
        self._embeddings = embeddings
        self._make_classifier = make_classifier
        self._untrained = FreshClassifiers(make_classifier, self._derive("weights"))
        self._trainers = FreshTrainers(make_trainer)
        self._fits = Fits(datamodule, self._trainers, self.seed, fall_back, fit_cache, save_minutes)
        own = [make_classifier, make_trainer, fall_back, datamodule.augment]
        self._code, self._packages = own_code(own)  # at once: a run may change them
        self._is_served = False
        self._embedding_seconds: float | None = None

    @property
    def data(self) -> ImageData:
        """The data set."""
        return self.datamodule.data

    @cached_property
    def facts(self) -> LearnerFacts:
        """What fits depend on; the classifier is checked against the data first.

        Raises:
            UsageError: If a trainer or a classifier cannot be made, or does not fit the data.
        """
        computation = describe_trainer(self._trainers.for_passes)
        classifier = self._untrained()
        self._untrained()  # so that one model for all rounds is refused before the first
        embedding = require_logits(classifier, self.data.image_shape, len(self.data.classes))
        code, packages = own_code([classifier])
        return LearnerFacts(
            embedding,
            describe_model(classifier),
            describe({**classifier.hparams, **getattr(classifier, "settings", {})}),
            computation,
            reproducible(computation),
            {**self._code, **code},
            {**self._packages, **packages},
            learns_from_unlabeled(classifier),
        )

    def require_samples(self) -> None:
        """Check that Monte-Carlo samples can be taken of the classifier.

        Raises:
            UsageError: If it has no dropout.
        """
        require_dropout(self._untrained())

    def begin(self, start: Event, folder: Path) -> None:
        """Take over what identifies the fits of a run, and where its weights are kept.

        Args:
            start: The start event of its journal.
            folder: The journal's folder.
        """
        contents = self.data.train.digests if start.get("project") else None
        self._identity = FitIdentity(
            start, self.record, self.seed, contents, unlabeled=self.facts.unlabeled
        )
        self._checkpoint = Checkpoint(folder / "checkpoints" / "last.ckpt")
        self._fits.folder = folder / "checkpoints"

    def change_classes(self, change: ClassChange, journal: Journal) -> None:
        """Train on other classes from here on.

        Args:
            change: Of the classes, which the journal has already.
            journal: Of the run.
        """
        self.datamodule.change_classes(change)
        self._untrained = FreshClassifiers(self._make_classifier, self._derive("weights"))
        self.__dict__.pop("facts", None)  # those of the classifier with the other head
        self.begin(continued(journal, self.facts.within(self._identity.start)), journal.path.parent)

    def serve(self) -> None:
        """Let the data module serve what the classifier takes: its normalisation, or its embeddings."""
        if not self._is_served:
            classifier, trainer = self._untrained(), self._trainers.for_passes
            self._embedding_seconds = serve_inputs(
                self.datamodule, classifier, trainer, self._embeddings
            )
            self._is_served = True

    def untrained(self) -> Fitted:
        """Return the untrained classifier, which sees images normalised without any label."""
        if self.datamodule.normalization is None:
            self.datamodule.serve(None)
        pool = Pool(len(self.data.train))
        trainer = self._trainers.for_passes
        return Fitted(self._untrained(), trainer, self.datamodule, 0, pool, self._derive("masks"))

    def prepare(self, index: int, labels: int) -> None:
        """Make classifier and trainer of a round on so many labels, while annotators see a question."""
        self._untrained.prepare()
        self._trainers.prepare(index, labels)

    def has(self, index: int, pool: Pool) -> bool:
        """Return whether the checkpoint holds the weights of a round."""
        identity = self._identity.of(index, pool)
        return from_rank_zero(lambda: self._checkpoint.holds(identity))

    def fit(
        self, index: int, pool_in: Callable[[int], Pool], on_fit: OnFit = lambda *_: None
    ) -> Fitted:
        """Return a round's classifier, from the checkpoint if possible, else by fitting.

        Args:
            index: The round.
            pool_in: Returns the pool of a round.
            on_fit: Called with the round and its pool before a fit, but not if weights are loaded.

        Raises:
            DivergenceError: If the fit has diverged, and there is no fallback.
        """
        pool = pool_in(index)
        identity = self._identity.of(index, pool)
        classifier = self._untrained()
        facts = loaded(lambda: self._checkpoint.load(classifier, identity), classifier)
        if facts is None:
            if self.warm_start and index > 0:
                earlier = self.fit(index - 1, pool_in, on_fit).classifier
                classifier.load_state_dict(earlier.state_dict())  # weights, and nothing else of it
            facts = self._fits.fit_cached(index, pool, classifier, on_fit, self._identity)
            if rank() == 0:
                self._checkpoint.save(classifier, identity, {**facts, **self.facts.of_weights})
                self._fits.forget()
        if index == 0 and self._embedding_seconds is not None:
            facts = {**facts, "embedding_seconds": self._embedding_seconds}
        return self.fitted(classifier, index, pool, facts, identity)

    def fit_apart(self, index: int, pool: Pool) -> Fitted:
        """Return a classifier that is fitted on other labels than a round's, such as a part of them.

        It starts from the initial weights, also under ``warm_start``. Nothing of it is saved.

        Args:
            index: The round whose random streams it shares.
            pool: What it trains on.

        Raises:
            DivergenceError: If the fit has diverged, and there is no fallback.
        """
        classifier = self._untrained()
        return self.fitted(classifier, index, pool, self._fits.fit_apart(index, pool, classifier))

    def fitted(
        self,
        classifier: L.LightningModule,
        index: int,
        pool: Pool,
        facts: Mapping[str, Any] = MappingProxyType({}),
        identity: str = "",
    ) -> Fitted:
        """Return a fitted classifier with the means to let it see images.

        Args:
            classifier: Fitted, by this learner or in an earlier session.
            index: The round.
            pool: What was labeled in it; decides how images are normalised.
            facts: Of the fit.
            identity: Digest of all that the fit depended on.
        """
        self._fits.begin_round(index, pool)
        masks, trainer = self._derive("masks", index), self._trainers.for_passes
        sample = draw_pool_sample(pool.size, self._pool_sample)
        return Fitted(
            classifier,
            trainer,
            self.datamodule,
            index,
            pool,
            masks,
            dict(facts),
            identity,
            sample_ids=sample[~torch.isin(sample, pool.absent_ids)],
        )

    def _derive(self, *purpose: str | int) -> int:
        return derive_seed(self.seed, *purpose)
