"""A round's classifier, fitted: its metrics, and its evidence on images."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import lightning as L
import torch
from torch import Tensor

from al_lightning.callbacks.loop_callback import RoundResult
from al_lightning.data.datamodule import PoolDataModule
from al_lightning.data.source import Images
from al_lightning.models.metrics import Evaluation, evaluate
from al_lightning.run.advice.pool_predictions import PoolPredictions
from al_lightning.run.pool import Pool
from al_lightning.run.provenance import peak_rss_bytes
from al_lightning.strategies.evidence import Evidence, Need
from al_lightning.training.calibration import Calibration, calibrate, to_logits
from al_lightning.training.folds import stratified_folds
from al_lightning.training.own_metrics import has_own_test_step, own_metrics
from al_lightning.training.scoring import Scorer
from al_lightning.utils.errors import UsageError
from al_lightning.utils.randomness import derive_generator
from al_lightning.utils.ranks import from_rank_zero
from al_lightning.utils.stopwatch import Stopwatch

_PROBED = 8  # images that show whether a classifier changes embeddings
_FOLDS = 5  # of the validation labels, to measure a temperature on labels that it has not seen


@dataclass(frozen=True)
class TestResult:
    """How well a classifier does.

    Attributes:
        results: What the journal says: ``metrics`` and ``per_class`` on the test images, empty where
            there are none; ``validation`` and ``validation_per_class``, and ``test``, where labels were
            bought for it; ``calibration``, the temperature that was fitted on validation labels.
        confusion: Confusion matrix on the test images, (C, C) int64, true classes in rows; None where
            there are none.
        probabilities: Of the test images, (N, C) float32, in the order of their ids; None where there
            are none, and on ranks other than zero.
        sample: What is predicted of the pool's sample; None where there is none, and on other ranks.
    """

    __test__ = False  # for pytest

    results: dict[str, Any] = field(default_factory=lambda: {"metrics": {}, "per_class": {}})
    confusion: Tensor | None = None
    probabilities: Tensor | None = None
    sample: PoolPredictions | None = None


@dataclass(frozen=True)
class Fitted:
    """A classifier, and the means to let it see images.

    Attributes:
        classifier: Fitted; or not yet, before the first labels.
        trainer: Runs the passes.
        datamodule: Serves the images.
        index: The round.
        pool: What was labeled in it.
        mask_seed: Decides the subnetworks of Monte-Carlo dropout.
        facts: Of the fit: ``seconds``, ``steps``, and ``diverged_at_step`` where it was the second try.
        identity: Digest of all that the fit depended on.
        sample_ids: Training images, ascending, whose predictions are compared from round to round.
    """

    classifier: L.LightningModule
    trainer: L.Trainer
    datamodule: PoolDataModule
    index: int
    pool: Pool
    mask_seed: int
    facts: dict[str, Any] = field(default_factory=dict)
    identity: str = ""
    sample_ids: Tensor = field(default_factory=lambda: torch.empty(0, dtype=torch.int64))

    def evidence(
        self,
        ids: Tensor,
        needs: Collection[Need],
        mc_samples: int = 1,
        temperature: float = 1.0,
    ) -> Evidence:
        """Gather evidence on training images in one pass; see :class:`al_lightning.Scorer`.

        Args:
            ids: Which of them, (N,) int64.
            needs: What to gather.
            mc_samples: K, the number of dropout samples of Monte-Carlo probabilities.
            temperature: Divides the logits of calibrated probabilities.
        """
        return self._evidence(self.datamodule.data.train, ids, needs, mc_samples, temperature)

    def has_fixed_embeddings(self) -> bool:
        """Return whether embeddings are the same in every round: computed once, used as they are."""
        served = self.datamodule.embeddings
        if served is None:
            return False
        found = self.evidence(torch.arange(min(_PROBED, len(served.train))), {Need.EMBEDDINGS})
        return from_rank_zero(
            lambda: torch.equal(found.require(Need.EMBEDDINGS), served.train[: len(found)].float())
        )

    def probabilities(self, ids: Tensor) -> Tensor:
        """Return what is predicted of training images, (N, C) float32, on every rank.

        Args:
            ids: Which of them, (N,) int64.
        """
        evidence = self.evidence(ids, {Need.PROBABILITIES})
        return from_rank_zero(lambda: evidence.require(Need.PROBABILITIES))

    def test(self, watch: Stopwatch) -> TestResult:
        """Evaluate on the test images and the validation labels, and predict the pool's sample.

        Args:
            watch: Takes the time of the phases "test" and "advice".

        Raises:
            UsageError: If predictions are not finite.
        """
        with watch.time("test"):
            result = self._test()
        if len(self.sample_ids) == 0:
            return result
        with watch.time("advice"):
            found = self._predict(self.datamodule.data.train, self.sample_ids).probabilities
        return (
            result
            if found is None
            else replace(result, sample=PoolPredictions(self.sample_ids, found.argmax(1)))
        )

    def _test(self) -> TestResult:
        data, result = self.datamodule.data, TestResult()
        results, confusion, probabilities = result.results, None, None
        if len(data.test):
            predicted = self._predict(data.test, torch.arange(len(data.test)))
            found = self._evaluate(predicted, data.test.labels)
            results["metrics"], results["per_class"], confusion = found
            probabilities = predicted.probabilities
        if len(self.pool.validation_ids):
            predicted = self._predict(data.train, self.pool.validation_ids)
            found = self._evaluate(predicted, self.pool.validation_labels)
            results["validation"], results["validation_per_class"], _ = found
            results["calibration"] = from_rank_zero(lambda: self._calibration(predicted)).as_event()
        if len(self.pool.test_ids):
            predicted = self._predict(data.train, self.pool.test_ids)
            results["test"], _, _ = self._evaluate(predicted, self.pool.test_labels)
        if results["metrics"] and has_own_test_step(self.classifier):
            known, per_class = results["metrics"], results["per_class"]
            results["metrics"] = known | own_metrics(
                self.trainer, self.classifier, self.datamodule, known, per_class
            )
        return TestResult(results, confusion, probabilities)

    def result(
        self, test: TestResult, seconds: Mapping[str, float], query: Mapping[str, float]
    ) -> RoundResult:
        """Return the round as the journal records it.

        Args:
            test: How well the classifier does.
            seconds: That the phases of the round took.
            query: Facts of its query.
        """
        facts = self.facts
        embedded, diverged = facts.get("embedding_seconds"), facts.get("diverged_at_step")
        event = {
            "round": self.index,
            "labels_bought": self.pool.labels_bought,
            **test.results,
            **query,
            "seconds": {**seconds, **({} if embedded is None else {"embed": embedded})},
            "steps": facts["steps"],
            **({} if diverged is None else {"diverged_at_step": diverged}),
            "peak_rss_bytes": peak_rss_bytes(),
            "fit": self.identity,
        }
        labels = None if test.probabilities is None else self.datamodule.data.test.labels
        return RoundResult(
            self.index, self.pool, event, test.confusion, test.probabilities, test.sample, labels
        )

    def _predict(self, images: Images, ids: Tensor) -> Evidence:
        """Return the probabilities of some images; on ranks other than zero, their ids alone."""
        return self._evidence(images, ids, {Need.PROBABILITIES})

    def _evaluate(self, evidence: Evidence, labels: Tensor) -> Evaluation:
        """Return metrics, metrics of each class, and the confusion matrix, on every rank."""

        def evaluation() -> Evaluation:
            if len(evidence.non_finite_ids()):
                raise UsageError(
                    f"Round {self.index} has diverged: its predictions are not finite. Lower the "
                    "learning rate"
                )
            return evaluate(evidence.require(Need.PROBABILITIES), labels)

        return from_rank_zero(evaluation)

    def _calibration(self, predicted: Evidence) -> Calibration:
        """Return the temperature of the probabilities of the validation images."""
        labels, groups = self.pool.validation_labels, self.datamodule.data.train.groups
        owners = None if groups is None else groups[self.pool.validation_ids]
        generator = derive_generator(self.mask_seed, "calibration")
        folds = stratified_folds(labels, _FOLDS, generator, owners)
        return calibrate(
            to_logits(predicted.require(Need.PROBABILITIES)), labels, folds, "validation"
        )

    def _evidence(
        self,
        images: Images,
        ids: Tensor,
        needs: Collection[Need],
        mc_samples: int = 1,
        temperature: float = 1.0,
    ) -> Evidence:
        scorer = Scorer(
            self.trainer,
            self.classifier,
            self.datamodule,
            mc_samples,
            self.mask_seed,
            temperature,
        )
        return scorer.evidence(images, ids, needs)
