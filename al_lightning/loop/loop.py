"""The active-learning loop: fit, test, score, select, ask, write down."""

import json
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import asdict
from types import NoneType
from typing import Any

import lightning as L
import torch
from lightning.pytorch.utilities.seed import isolate_rng
from torch import Tensor

from al_lightning.callbacks.base import LoopCallback, Query, RoundResult
from al_lightning.data.datamodule import FEWEST_LABELS, PoolDataModule
from al_lightning.data.source import Images
from al_lightning.loop.candidates import draw_candidates, require_enough_candidates
from al_lightning.loop.first_labels import (
    draw_balanced,
    draw_uniform,
    draw_validation,
    require_embeddings_alone,
)
from al_lightning.loop.query_memory import query_sizes, require_memory
from al_lightning.models.backbone import (
    backbone_of,
    describe_model,
    require_logits,
)
from al_lightning.models.fixed_masks import require_dropout
from al_lightning.models.metrics import Evaluation, evaluate
from al_lightning.oracles.answers import checked_answer, require_oracle
from al_lightning.run.budget import AUTO_POLICY, POLICIES, Budget
from al_lightning.run.history import Reason
from al_lightning.run.journal import Journal
from al_lightning.run.own_code import own_code
from al_lightning.run.pool import Pool
from al_lightning.run.provenance import (
    code_digest,
    config_hash,
    describe,
    hardware,
    peak_rss_bytes,
    reproducible,
    versions,
    without,
)
from al_lightning.run.questions import Oracle, Origin, Question
from al_lightning.run.same_run import require_same_run
from al_lightning.strategies.base import Strategy, require_strategy
from al_lightning.strategies.evidence import Need
from al_lightning.strategies.rehearsal import rehearse
from al_lightning.strategies.selection import Selection
from al_lightning.training.arguments import (
    require_callbacks,
    require_datamodule,
    require_factory,
    require_fall_back,
    require_kind,
    require_names,
    require_plain,
    whole_number,
)
from al_lightning.training.checkpoint import Checkpoint
from al_lightning.training.embedding_cache import EmbeddingCache
from al_lightning.training.environment import require_neutral_environment
from al_lightning.training.fit_cache import FitCache
from al_lightning.training.fitting import fit_once
from al_lightning.training.fresh_classifiers import FreshClassifiers, MakeClassifier
from al_lightning.training.own_metrics import has_own_test_step, own_metrics
from al_lightning.training.round_trainer import RoundTrainer, describe_trainer
from al_lightning.training.scoring import Scorer
from al_lightning.training.trainer_rules import checked_trainer
from al_lightning.utils.errors import DivergenceError, UsageError
from al_lightning.utils.interrupts import interruptible
from al_lightning.utils.memory import memory_limit
from al_lightning.utils.randomness import derive_generator, derive_seed
from al_lightning.utils.stopwatch import Stopwatch

MakeTrainer = Callable[[int, int], RoundTrainer]


class ActiveLearningLoop:
    """Buys labels round by round, and trains on all that were bought.

    Each round takes a fresh trainer and, unless ``warm_start`` is set, the same initial weights. After
    the last labels there is a last fit, so that every label that was bought is trained on. What a
    strategy draws never decides what the model draws: under one seed, the initial labels, the
    weights and the order of batches are the same for all strategies.

    The journal is all the state there is. Whenever the process dies, a new loop with the same
    arguments goes on from the journal, and ends as the first would have ended.

    Args:
        datamodule: Owns the data and serves the pools.
        make_classifier: Makes an untrained classifier; called under the seed of the weights. It must
            offer ``embed`` and ``classify``, see :class:`al_lightning.Embedder`.
        make_trainer: Makes the trainer of a round, from the round's number and its number of labels
            to train on.
        strategy: Chooses what to ask for.
        oracle: Gives the labels, at once or later. Where it takes time, :meth:`run` returns an
            unfinished journal whose question is open, and goes on when it is called again.
        journal: Takes everything down. The last weights are kept in ``checkpoints/`` beside it.
        budget: How many labels to buy, and when.
        seed: Decides everything that is random.
        query_seed: Gives the strategy other draws than ``seed`` alone: two runs that differ in nothing
            else show what chance does. Under each seed they are others, so that seeds stay independent.
        warm_start: Whether a round starts from the weights of the round before.
        fall_back: Prepares a classifier whose fit has diverged for another try from the start of the
            round, such as by a lower learning rate; its fit may diverge no more. None refuses to go on.
        config: What the run is made of, as plain values; recorded in the journal. A journal is only
            gone on with under the same. By default: budget, seed, strategy and batch size. What else
            the results depend on, such as a learning rate, should be passed here.
        overrides: What was given on the command line; recorded in the journal, to repeat the run by.
        irrelevant: Keys of ``config``, dotted, that are recorded but may change between sessions,
            since no result depends on them.
        irrelevant_to_fits: Keys of ``config`` that decide what is asked for, but not how given labels
            are trained on. Runs that differ in nothing else share fits.
        cache: Where the fit of the first round is kept for other runs, and taken from. No result
            depends on it, and the journal says how long the fit took, whichever run made it. It goes
            by ``config``, which must then be given, and hold all that a fit depends on.
        embeddings: Where the embeddings of frozen backbones are kept, which rounds and runs then
            train on. None embeds the images whenever they are looked at, augmented ones too.
        initial_strategy: Chooses the first labels by what an untrained classifier sees, which may be
            a pretrained one; for a ``budget.initial_policy`` that is the name of a strategy, or "auto".
        callbacks: Watch the run.

    Raises:
        UsageError: On a cache without ``config``, on what is no oracle, on an initial policy without
            its strategy, or an initial strategy that needs more than embeddings; from :meth:`run`, on
            arguments that do not fit each other, and on an answer that does not fit its question.
        JournalError: From :meth:`run`, if the journal belongs to another run.
    """

    def __init__(
        self,
        datamodule: PoolDataModule,
        make_classifier: MakeClassifier,
        make_trainer: MakeTrainer,
        strategy: Strategy,
        oracle: Oracle,
        journal: Journal,
        *,
        budget: Budget,
        seed: int,
        query_seed: int | None = None,
        warm_start: bool = False,
        fall_back: Callable[[L.LightningModule], None] | None = None,
        config: Mapping[str, Any] | None = None,
        overrides: Sequence[str] = (),
        irrelevant: Collection[str] = ("budget.memory_limit",),
        irrelevant_to_fits: Collection[str] = (
            *("strategy", "initial_strategy", "oracle"),
            *("budget", "query_seed"),
        ),
        cache: FitCache | None = None,
        embeddings: EmbeddingCache | None = None,
        initial_strategy: Strategy | None = None,
        callbacks: Sequence[LoopCallback] = (),
    ) -> None:
        if cache is not None and config is None:
            raise UsageError(
                "A cache of fits needs `config`: pass all that a fit depends on, such as the network "
                "and the learning rate"
            )
        require_datamodule(datamodule)
        require_factory("make_classifier", make_classifier, (), L.LightningModule)
        require_factory("make_trainer", make_trainer, ("round_index", "labels"), L.Trainer)
        require_strategy("strategy", strategy)
        require_kind("journal", journal, Journal)
        require_kind("budget", budget, Budget)
        require_kind("warm_start", warm_start, bool)
        require_fall_back(fall_back)
        require_kind("cache", cache, FitCache, NoneType)
        require_kind("embeddings", embeddings, EmbeddingCache, NoneType)
        for name, texts in (
            ("overrides", overrides),
            ("irrelevant", irrelevant),
            ("irrelevant_to_fits", irrelevant_to_fits),
        ):
            require_names(name, texts)
        if config is not None:
            require_plain("config", config)
        seed = whole_number("seed", seed)
        query_seed = None if query_seed is None else whole_number("query_seed", query_seed)
        self.datamodule = datamodule
        self.make_classifier = make_classifier
        self.make_trainer = make_trainer
        self.strategy = strategy
        self.oracle = oracle
        self.journal = journal
        self.budget = budget
        self.seed = seed
        self.query_seed = query_seed
        self.warm_start = warm_start
        self.fall_back = fall_back
        self.config = config or {
            "budget": asdict(budget),
            "seed": seed,
            "query_seed": query_seed,
            "warm_start": warm_start,
            "strategy": describe(strategy),
            "initial_strategy": describe(initial_strategy),
            "oracle": describe(type(oracle)),  # what it holds may change with every question
            "batch_size": datamodule.batch_size,
            "augment": describe(datamodule.augment),
        }
        self.overrides = list(overrides)
        self.irrelevant = frozenset(irrelevant)
        self.irrelevant_to_fits = frozenset(irrelevant_to_fits)
        require_oracle(oracle)
        if initial_strategy is not None:
            require_embeddings_alone(initial_strategy)
        elif budget.initial_policy not in (*POLICIES, AUTO_POLICY):
            raise UsageError(
                f"budget.initial_policy={budget.initial_policy} needs `initial_strategy`, the strategy "
                f"of that name; without one, it is {' or '.join(POLICIES)}"
            )
        self.cache = cache
        self.embeddings = embeddings
        self.initial_strategy = initial_strategy
        self.callbacks = require_callbacks(callbacks)
        # At once: a run may change them. An oracle may count what it was asked, so its class alone.
        self._fit_code, self._packages = own_code(
            [make_classifier, make_trainer, fall_back, datamodule.augment]
        )
        self._query_code, more = own_code([strategy, initial_strategy, type(oracle)])
        self._packages = {**self._packages, **more}
        self._embedding_seconds: float | None = None
        self._untrained = FreshClassifiers(make_classifier, self._derive("weights"))
        self._checkpoint = Checkpoint(journal.path.parent / "checkpoints" / "last.ckpt")

    def run(self) -> Journal:
        """Run, or go on, to the end of the budget or of the pool, or to a question that stays open.

        Returns:
            The journal. It is unfinished if the oracle has not answered yet.

        Raises:
            Interrupted: By Ctrl-C, SIGTERM or a queue's signal; the next run goes on from there.
        """
        with interruptible():
            return self._run()

    def _run(self) -> Journal:
        classifier = self._begin()
        if not self.journal.finished:
            self._tell("on_run_start", self.journal, self.datamodule.data)
            self._serve(classifier)
        elif not self._checkpoint.holds(self._identity(last := len(self.journal.rounds) - 1)):
            self._restore(last, classifier)
        while not self.journal.finished:
            if (question := self.journal.open_question) is None:
                self._advance()
            elif not self._settle(question):
                self._tell("on_wait", self.journal, self.oracle.instructions(question))
                return self.journal
        self._tell("on_run_end", self.journal)
        return self.journal

    def _restore(self, last: int, classifier: L.LightningModule) -> None:
        """Fit the last round of a finished run again: its weights are what `predict` takes."""
        warnings.warn(
            f"{self._checkpoint.path} has not the weights of the last round; it is fitted again",
            stacklevel=2,
        )
        self._serve(classifier)
        self._fitted(last, self.make_trainer(last, len(self.journal.pool_in(last).labeled_ids)))

    # Before the first round

    def _begin(self) -> L.LightningModule:
        """Write the start event, or check that the journal is this run's; return its classifier."""
        require_neutral_environment()
        data = self.datamodule.data
        self.budget.limit(len(data.train), len(data.given_ids))
        computation = describe_trainer(checked_trainer(self.make_trainer))
        classifier = self._check_classifier()
        of_model, packages = own_code([classifier])
        self._fit_code = {**self._fit_code, **of_model}
        start = {
            "config": json.loads(json.dumps(self.config)),
            "config_hash": config_hash(without(self.config, self.irrelevant)),
            "overrides": self.overrides,
            "versions": {**versions(), **self._packages, **packages},
            "hardware": hardware(),
            "classes": list(data.classes),
            "data": {
                "train": len(data.train),
                "test": len(data.test),
                "fingerprint": data.fingerprint(),
            },
            "model": describe_model(classifier),
            "trainer": computation,
            "code": {"fits": self._fit_code, "queries": self._query_code},
            "reproducible": reproducible(computation),
        }
        if self.journal.start is None:
            self.journal.begin(start)
        else:
            require_same_run(self.journal, start, self.irrelevant)
        return classifier

    def _serve(self, classifier: L.LightningModule) -> None:
        """Let the data module serve what a classifier wants: its normalisation, or its embeddings."""
        backbone = backbone_of(classifier)
        wanted = None if backbone is None else backbone.normalization
        if backbone is None or not backbone.frozen:
            if wanted is not None or self.initial_strategy is not None:
                self.datamodule.serve(wanted)
            return
        # What is computed once cannot be normalised by labels that are yet to come.
        wanted = wanted or self.datamodule.constants()
        self.datamodule.serve(wanted)
        if self.embeddings is not None:
            trainer = self.make_trainer(0, 1)
            found = self.embeddings.fetch(trainer, classifier, backbone, self.datamodule)
            self.datamodule.serve(wanted, found)
            self._embedding_seconds = found.seconds

    # Before the first round: labels that no classifier has asked for

    def _advance(self) -> None:
        """Take the next step of a run without an open question."""
        pool = self.journal.pool
        if len(pool.labeled_ids) == 0 and len(ids := self._missing_validation()):
            self._buy_first("validation", ids)
        elif len(pool.labeled_ids) < FEWEST_LABELS:
            given = self.datamodule.data.given_ids
            given = given[torch.isin(given, pool.unlabeled_ids)]
            self._buy_first(
                "initial", given if len(given) else self._draw_first(pool.unlabeled_ids)
            )
        else:
            self._play(self.journal.current_round or 0)

    def _buy_first(self, origin: Origin, ids: Tensor) -> None:
        """Take labels that were given with the images, or ask for those of others."""
        data, pool = self.datamodule.data, self.journal.pool
        if len(ids) == 0:
            raise UsageError(
                f"There are {len(pool.labeled_ids)} labels to train on, and nothing is left to ask for "
                f"or to pay: {len(pool.skipped_ids)} images were skipped. At least {FEWEST_LABELS} "
                "labels are needed"
            )
        if bool(torch.isin(ids, data.given_ids).all()):
            self.journal.record_labels(0, ids, data.train.labels[ids], origin)
        else:
            self._ask(Question(0, origin, ids, attempt=self.journal.answers(0, origin)))

    def _missing_validation(self) -> Tensor:
        """Return what is to be labeled next for validation: those that were given, then the others.

        They are drawn from all images. Labels that were given need not be a random sample: who chose
        them, as a strategy does, may have chosen what is hard. What an answer leaves open stays open.
        """
        pool, given = self.journal.pool, self.datamodule.data.given_ids
        drawn = draw_validation(torch.arange(pool.size), self.budget.validation, self.seed)
        is_given = torch.isin(drawn, given)
        known, asked = drawn[is_given], drawn[~is_given]
        if len(known := known[~torch.isin(known, pool.validation_ids)]):
            return known
        if bool((~torch.isin(pool.validation_ids, given)).any()):
            return asked[:0]
        free = pool.unlabeled_ids
        if bool(torch.isin(asked, free).all()):
            return asked
        return draw_validation(free[~torch.isin(free, given)], len(asked), self.seed)

    def _draw_first(self, free: Tensor) -> Tensor:
        """Draw images to train on without a classifier that has learned from labels."""
        pool, data = self.journal.pool, self.datamodule.data
        left = self.budget.limit(pool.size, len(data.given_ids)) - pool.labels_bought
        # All over again only for what an earlier answer has left open.
        missing = max(self.budget.first(len(free)) - len(pool.labeled_ids), FEWEST_LABELS)
        count = min(missing, left, len(free))
        if self.initial_strategy is not None and self._sees_enough():
            return self._choose_first(self.initial_strategy, free, count)
        if self.budget.initial_policy == "balanced":
            return draw_balanced(free, self.datamodule.data.train.labels[free], count, self.seed)
        return draw_uniform(free, count, self.seed)

    def _sees_enough(self) -> bool:
        """Return whether what the untrained network sees is worth choosing the first labels by."""
        automatic = self.budget.initial_policy == AUTO_POLICY
        return not automatic or "weights" in describe_model(self._untrained())

    def _choose_first(self, strategy: Strategy, free: Tensor, count: int) -> Tensor:
        """Let a strategy choose by what the untrained classifier sees; no label decides anything."""
        train, labeled = self.datamodule.data.train, self.journal.pool.labeled_ids
        classifier, trainer = self._untrained(), self.make_trainer(0, 1)
        if "weights" not in describe_model(classifier):
            warnings.warn(
                "The first labels are chosen by a network that has seen nothing yet; "
                "budget.initial_policy takes a strategy for pretrained models, such as "
                "EfficientNetLite0",
                stacklevel=2,
            )
        scorer = Scorer(trainer, classifier, self.datamodule, seed=self._derive("masks"))
        selection = strategy.select(
            scorer.evidence(train, free, strategy.needs),
            scorer.evidence(train, labeled, strategy.labeled_needs) if len(labeled) else None,
            count,
            derive_generator(self.seed, "initial"),
        )
        return selection.ids

    # One round

    def _play(self, index: int) -> None:
        """Play a round; what the journal has of it already is not written again."""
        pool = self.journal.pool_in(index)
        trainer = self.make_trainer(index, len(pool.labeled_ids))
        classifier, fit = self._fitted(index, trainer)
        self.datamodule.begin_round(pool, self._derive("batches", index))
        self._tell("on_fit_end", index, classifier)
        scorer = Scorer(
            trainer,
            classifier,
            self.datamodule,
            mc_samples=self.strategy.mc_samples,
            seed=self._derive("masks", index),
        )

        watch = Stopwatch(fit=fit["seconds"])
        if index == 0 and self._embedding_seconds is not None:
            watch.seconds["embed"] = self._embedding_seconds
        tested = None
        if index == len(self.journal.rounds):
            results, confusion = self._test(scorer, watch)
            if results["metrics"] and has_own_test_step(classifier):
                with watch.time("test"):
                    results["metrics"] |= own_metrics(
                        trainer,
                        classifier,
                        self.datamodule,
                        results["metrics"],
                        results["per_class"],
                    )
            tested = results, confusion
        selection = self._select(index, scorer, watch)
        if tested is not None:
            costs: dict[str, Any] = {"seconds": watch.seconds, "steps": fit["steps"]}
            if "diverged_at_step" in fit:
                costs["diverged_at_step"] = fit["diverged_at_step"]
            self._record(index, *tested, costs)
        if selection is None:
            self.journal.end(self._end_reason)
        else:
            self._ask(self._query(index + 1, scorer, selection))

    def _fitted(
        self, index: int, trainer: RoundTrainer
    ) -> tuple[L.LightningModule, dict[str, Any]]:
        """Return a round's classifier, from the checkpoint or by fitting, and facts on its fit."""
        pool, classifier = self.journal.pool_in(index), self._untrained()
        identity = self._identity(index)
        if (fit := self._checkpoint.load(classifier, identity)) is not None:
            return classifier, fit
        if self.warm_start and index > 0:
            before = len(self.journal.pool_in(index - 1).labeled_ids)
            earlier, _ = self._fitted(index - 1, self.make_trainer(index - 1, before))
            classifier.load_state_dict(earlier.state_dict())  # its weights, and nothing else of it
        fit = self._shared_fit(index, pool, trainer, classifier)
        self._checkpoint.save(classifier, identity, fit)
        return classifier, fit

    def _shared_fit(
        self, index: int, pool: Pool, trainer: RoundTrainer, classifier: L.LightningModule
    ) -> dict[str, Any]:
        """Fit; where other runs make the same fit, make it once for all of them."""
        if self.cache is None or index > 0:  # from then on, the strategies have parted
            return self._fit(index, pool, trainer, classifier)
        identity = self._shared_identity(index, classifier)
        with ExitStack() as stack:
            try:
                shared = stack.enter_context(self.cache.entry(identity))
            except OSError as error:
                warnings.warn(f"The cache of fits cannot be used: {error}", stacklevel=2)
                return self._fit(index, pool, trainer, classifier)
            if (fit := shared.load(classifier, identity)) is None:
                fit = self._fit(index, pool, trainer, classifier)
                shared.save(classifier, identity, fit)
        return fit

    def _fit(
        self, index: int, pool: Pool, trainer: RoundTrainer, classifier: L.LightningModule
    ) -> dict[str, Any]:
        """Fit; where that diverges and a fallback is set, once more from the start of the round."""
        self._tell("on_fit_start", index, pool)
        if self.fall_back is None:
            return self._fit_once(index, pool, trainer, classifier)
        start = deepcopy(classifier.state_dict())
        try:
            return self._fit_once(index, pool, trainer, classifier)
        except DivergenceError as error:
            warnings.warn(f"{error.what}; it is fitted once more, by the fallback", stacklevel=2)
            classifier.load_state_dict(start)
            self.fall_back(classifier)
            again = self.make_trainer(index, len(pool.labeled_ids))
            fit = self._fit_once(index, pool, again, classifier)
            return {**fit, "diverged_at_step": error.step}

    def _fit_once(
        self, index: int, pool: Pool, trainer: RoundTrainer, classifier: L.LightningModule
    ) -> dict[str, Any]:
        self.datamodule.begin_round(pool, self._derive("batches", index))
        return fit_once(trainer, classifier, self.datamodule, index, self._derive("fit", index))

    def _test(self, scorer: Scorer, watch: Stopwatch) -> tuple[dict[str, Any], Tensor | None]:
        """Return what the journal says of a classifier's quality, and the confusion matrix.

        Without test images there are no metrics and no matrix.
        """
        data, pool = self.datamodule.data, self.datamodule.pool
        results: dict[str, Any] = {"metrics": {}, "per_class": {}}
        confusion = None
        with watch.time("test"):
            if len(data.test):
                ids = torch.arange(len(data.test))
                results["metrics"], results["per_class"], confusion = self._evaluate(
                    scorer, data.test, ids, data.test.labels
                )
            if len(pool.validation_ids):
                results["validation"], _, _ = self._evaluate(
                    scorer, data.train, pool.validation_ids, pool.validation_labels
                )
        return results, confusion

    def _evaluate(self, scorer: Scorer, images: Images, ids: Tensor, labels: Tensor) -> Evaluation:
        """Return metrics, metrics of each class, and the confusion matrix of some images."""
        evidence = scorer.evidence(images, ids, {Need.PROBABILITIES})
        if len(evidence.non_finite_ids()):
            raise UsageError(
                f"Round {len(self.journal.rounds)} has diverged: its predictions are not finite. "
                "Lower the learning rate"
            )
        return evaluate(evidence.require(Need.PROBABILITIES), labels)

    def _select(self, index: int, scorer: Scorer, watch: Stopwatch) -> Selection | None:
        """Return what to ask for; None if this was the last round."""
        data, pool = self.datamodule.data, self.datamodule.pool
        left = self.budget.limit(pool.size, len(data.given_ids)) - pool.labels_bought
        count = min(self.budget.query, left, len(pool.unlabeled_ids))
        if count <= 0:
            return None
        with watch.time("score"):
            candidates = draw_candidates(
                pool.unlabeled_ids, self.strategy.pool_subset, self._chance("candidates", index)
            )
            unlabeled = scorer.evidence(data.train, candidates, self.strategy.needs)
            labeled = scorer.evidence(data.train, pool.labeled_ids, self.strategy.labeled_needs)
        with watch.time("select"):
            return self.strategy.select(unlabeled, labeled, count, self._chance("query", index))

    def _record(
        self, index: int, results: dict[str, Any], confusion: Tensor | None, costs: dict[str, Any]
    ) -> None:
        pool = self.datamodule.pool
        event = {"round": index, "labels_bought": pool.labels_bought, **results, **costs}
        event["peak_rss_bytes"] = peak_rss_bytes()
        event["fit"] = self._identity(index)  # of whose weights this is said
        self._tell("on_round_end", RoundResult(index, pool, deepcopy(event), confusion))
        self.journal.record_round(event)

    def _query(self, index: int, scorer: Scorer, selection: Selection) -> Question:
        """Return a selection as a question, whose labels are there from round ``index`` on."""
        ids = selection.ids
        evidence = scorer.evidence(self.datamodule.data.train, ids, {Need.PROBABILITIES})
        confidence, predicted = evidence.require(Need.PROBABILITIES).max(1)
        attempt = self.journal.answers(index, "query")
        return Question(index, "query", ids, attempt, selection.scores, predicted, confidence)

    # Questions and answers

    def _ask(self, question: Question) -> None:
        """Buy labels; where the answer takes time, write the question down instead."""
        if self.oracle.answers_at_once:
            self._settle(question)
        else:
            self.journal.record_question(question)

    def _settle(self, question: Question) -> bool:
        """Take down the answer to a question; return whether there is one."""
        classes = len(self.datamodule.data.classes)
        answer = checked_answer(self.oracle, question, self.oracle.answer(question), classes)
        if answer is None:
            return False
        if len(changed := answer.changed(self.journal.pool)):
            warnings.warn(
                f"{len(changed)} image(s) were labeled before, and are now given another class: ids "
                f"{changed.tolist()}. The first one stays",
                stacklevel=2,
            )
        left = len(question.ids) - len(answer.ids) - len(answer.skipped)
        if question.origin == "validation" and left:
            warnings.warn(
                f"{left} of {len(question.ids)} images for validation have been left open. If these "
                "are hard ones, the accuracy on the others is too high: they are no random sample",
                stacklevel=2,
            )
        if question.origin == "query" and len(answer.ids):
            self._tell("on_query", Query.of(question, answer))
        ids, labels, skipped = answer.news(self.journal.pool)
        self.journal.record_labels(question.round, ids, labels, question.origin, skipped)
        return True

    # What the above rests on

    def _check_classifier(self) -> L.LightningModule:
        """Return an untrained classifier that fits the data and the strategy."""
        classifier, data = self._untrained(), self.datamodule.data
        self._untrained()  # so that one model for all rounds is refused before the first
        embedding = require_logits(classifier, data.image_shape, len(data.classes))
        self._check_queries(embedding)
        if Need.MC_PROBABILITIES in self.strategy.needs | self.strategy.labeled_needs:
            require_dropout(classifier)
        return classifier

    def _check_queries(self, embedding: int) -> None:
        """Refuse faulty strategies, queries of too few candidates or for which memory is too small."""
        data, limit = self.datamodule.data, memory_limit(self.budget.memory_limit)
        images, given, classes = len(data.train), len(data.given_ids), len(data.classes)
        queries = query_sizes(self.strategy, self.budget, images, given, classes, embedding)
        require_enough_candidates(self.strategy.pool_subset, self.budget.query)
        require_memory(self.strategy, queries, limit)
        with isolate_rng():
            for strategy in filter(None, (self.strategy, self.initial_strategy)):
                rehearse(strategy, images, classes, embedding)

    def _chance(self, purpose: str, index: int) -> torch.Generator:
        """Return a stream of the strategy's own, which ``query_seed`` changes."""
        drawn = () if self.query_seed is None else (self.query_seed,)
        return derive_generator(self.seed, purpose, *drawn, index)

    def _derive(self, *purpose: str | int) -> int:
        return derive_seed(self.seed, *purpose)

    def _identity(self, index: int) -> str:
        """Return a digest of all that a round's fit depends on, but for the machine."""
        start = self.journal.start or {}
        kept = {key: start.get(key) for key in ("data", "versions")}
        if (weights := start.get("model", {}).get("weights")) is not None:
            kept["weights"] = weights  # the configuration may have no more than their path
        config = without(start.get("config", {}), self.irrelevant | self.irrelevant_to_fits)
        code = start.get("code", {}).get("fits")
        pool = self.journal.pool_in(index)
        labels = [pool.labeled_ids.tolist(), pool.labels.tolist()]
        return config_hash(
            {
                **kept,
                "config": config,
                "code": code,
                "seed": self.seed,
                "round": index,
                "labels": labels,
            }
        )

    def _shared_identity(self, index: int, classifier: L.LightningModule) -> str:
        """Return a digest of all that the very bits of a round's fit depend on."""
        return config_hash(
            {
                "fit": self._identity(index),
                "trainer": (self.journal.start or {}).get("trainer"),
                "hardware": hardware(),
                "code": code_digest(classifier),
            }
        )

    @property
    def _end_reason(self) -> Reason:
        total, bought = self.budget.total, self.journal.pool.labels_bought
        return "budget" if total != "all" and bought >= total else "pool_empty"

    def _tell(self, hook: str, *facts: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, hook)(*facts)
