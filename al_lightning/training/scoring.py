"""One pass over images, which yields all the requested evidence."""

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from typing import cast

import lightning as L
import torch
from torch import Tensor, nn

from al_lightning.data.datamodule import PoolDataModule
from al_lightning.data.source import Images
from al_lightning.models.backbone import Embedder, to_probabilities
from al_lightning.models.feature_masks import FeatureMasks
from al_lightning.models.fixed_masks import FixedMasks
from al_lightning.models.offered import Stemmed, for_evaluation, for_sampling
from al_lightning.strategies.evidence import Evidence, Need
from al_lightning.training.calibration import tempered
from al_lightning.training.evidence_rows import EvidenceRows
from al_lightning.training.passes import ImagePass, run_pass
from al_lightning.utils.errors import UsageError
from al_lightning.utils.torchrun import rank

_OF_LOGITS = frozenset({Need.PROBABILITIES, Need.CALIBRATED_PROBABILITIES})
#: What one embedding without dropout is enough for.
_PLAIN = frozenset(Need) - {Need.MC_PROBABILITIES}


class Scorer:
    """Gathers evidence on images by a fitted classifier.

    Images are scored without augmentation, in evaluation mode, without gradients, in the trainer's
    precision and on its device; the evidence is float32 on the CPU. Embeddings that take more than half
    of the memory are float16 on the disk, see :class:`~al_lightning.utils.spill.Spill`.

    Args:
        trainer: Runs the passes; one trainer can be used for any number of classifiers.
        classifier: Gives embeddings and logits.
        datamodule: Serves the images, and normalises them on the device.
        mc_samples: K, the number of dropout samples of the Monte-Carlo probabilities. Each is one
            subnetwork, the same for every image; see
            :class:`~al_lightning.models.fixed_masks.FixedMasks`.
        seed: Seed of the subnetworks. torch's global generator is not changed.
        temperature: Divides the logits of calibrated probabilities.
        feature_dropout: Share of the numbers of an embedding that are dropped in each of ``mc_samples``
            passes of its head; see :class:`~al_lightning.models.feature_masks.FeatureMasks`.

    Example:
        >>> import lightning as L
        >>> import torch
        >>> from al_lightning import CNN, ImageClassifier, Need, PoolDataModule, Scorer
        >>> from al_lightning.data import Digits
        >>> datamodule = PoolDataModule(Digits())
        >>> datamodule.serve(normalization=None)  # the data set's own
        >>> trainer = L.Trainer(accelerator="cpu", logger=False, enable_progress_bar=False)
        >>> scorer = Scorer(trainer, ImageClassifier(CNN((1, 8, 8), 10), 10), datamodule)
        >>> ids = torch.tensor([3, 1])
        >>> scorer.evidence(datamodule.data.train, ids, {Need.PROBABILITIES}).probabilities.shape
        torch.Size([2, 10])
    """

    def __init__(
        self,
        trainer: L.Trainer,
        classifier: L.LightningModule,
        datamodule: PoolDataModule,
        mc_samples: int = 20,
        seed: int = 0,
        temperature: float = 1.0,
        feature_dropout: float = 0.75,
    ) -> None:
        self._trainer = trainer
        self._classifier = classifier
        self._datamodule = datamodule
        self._mc_samples = mc_samples
        self._seed = seed
        self._temperature = temperature
        self._features = FeatureMasks(feature_dropout, seed)

    def evidence(self, images: Images, ids: Tensor, needs: Collection[Need]) -> Evidence:
        """Gather evidence in one pass; without needs, there is no pass.

        Args:
            images: The training or the test images.
            ids: Ids of the images, (N,) int64; the rows of the evidence have this order.
            needs: The quantities to return.

        Returns:
            The evidence on rank zero; on other ranks, the ids alone.
        """
        if not needs or len(ids) == 0:
            return Evidence(ids)
        rows = EvidenceRows(len(ids), self._datamodule.spill)
        samples = Need.MC_PROBABILITIES in needs
        # Before any mask is hung into it: hooks are part of what a classifier computes.
        halves = (for_sampling if samples else for_evaluation)(self._classifier)
        with FixedMasks(halves, self._seed) as masks:
            heads = self._mc_samples, self._temperature, self._features
            probe = _EvidencePass(halves, rows, needs, masks, *heads)
            run_pass(self._trainer, probe, self._datamodule, images, ids)
        if rank() > 0:
            return Evidence(ids)
        return Evidence(ids, **{need.value: values for need, values in rows.collect().items()})


class _EvidencePass(ImagePass):
    """Writes evidence row by row."""

    def __init__(
        self,
        halves: nn.Module,
        rows: EvidenceRows,
        needs: Collection[Need],
        masks: FixedMasks,
        mc_samples: int,
        temperature: float,
        features: FeatureMasks,
    ) -> None:
        super().__init__()
        self.halves = halves
        self._rows = rows
        self._needs = frozenset(needs)
        self._masks = masks
        self._mc_samples = mc_samples
        self._temperature = temperature
        self._features = features
        self._shapes: dict[str, torch.Size] = {}  # of a row of each half, as in the first batch
        self._embedding_varies = False  # by dropout inside `embed`; seen in the first batch

    @property
    def _embedder(self) -> Embedder:
        return cast("Embedder", self.halves)

    def store(self, first: int, found: Mapping[str, Tensor]) -> None:
        """Write what is needed of a batch into its rows."""
        self._rows.write(first, {Need(name): values for name, values in found.items()})

    def compute(self, images: Tensor) -> Iterator[dict[str, Tensor]]:
        """Yield what is needed of images, by the name of the need."""
        source = images
        if self._needs & _PLAIN or not self._embedding_varies:
            embeddings = self._embed(images)
            source = images if self._embedding_varies else embeddings
            yield from self._of_embeddings(embeddings)
        if Need.MC_PROBABILITIES in self._needs:
            yield {Need.MC_PROBABILITIES.value: self._sample(source)}
        if _OF_LOGITS & self._needs:  # the last: a head may work in place on embeddings
            self._masks.choose(None)
            yield self._of_logits(self._logits(embeddings))

    def _of_embeddings(self, embeddings: Tensor) -> Iterator[dict[str, Tensor]]:
        """Yield what needs no pass of the head over the embeddings themselves."""
        if Need.EMBEDDINGS in self._needs:
            yield {Need.EMBEDDINGS.value: embeddings.float()}
        if Need.DROPPED_FEATURES in self._needs:
            passes = [
                self._classify(self._features.apply(embeddings, self.batch_ids, k))
                for k in range(self._mc_samples)
            ]
            yield {Need.DROPPED_FEATURES.value: torch.stack(passes, 1)}

    def _of_logits(self, logits: Tensor) -> dict[str, Tensor]:
        """Return probabilities without dropout in the network."""
        found = {}
        if Need.PROBABILITIES in self._needs:
            found[Need.PROBABILITIES.value] = to_probabilities(logits)
        if Need.CALIBRATED_PROBABILITIES in self._needs:
            found[Need.CALIBRATED_PROBABILITIES.value] = tempered(logits, self._temperature)
        return found

    def _embed(self, images: Tensor) -> Tensor:
        """Return embeddings without dropout, (B, D), and see whether dropout would change them."""
        self._masks.choose(None)
        embeddings = self._embedder.embed(images)
        self._embedding_varies |= self._masks.used
        self._require_rows(embeddings, len(images), "embed")
        return embeddings

    def _require_rows(self, values: Tensor, count: int, half: str) -> None:
        """Check that there is a row for each image, and as many numbers in it as in all others.

        Raises:
            UsageError: If not.
        """
        shape = values.shape[1:]
        if len(values) != count or shape != self._shapes.setdefault(half, shape):
            expected = (count, *self._shapes.get(half, shape))
            raise UsageError(
                f"{type(self.halves).__name__}.{half} has returned {tuple(values.shape)} for {count} "
                f"images, where {expected} is needed: a row for each, of the same length for all"
            )

    def _classify(self, embeddings: Tensor) -> Tensor:
        return to_probabilities(self._logits(embeddings))

    def _logits(self, embeddings: Tensor) -> Tensor:
        logits = self._embedder.classify(embeddings)
        self._require_rows(logits, len(embeddings), "classify")
        return logits

    def _sample(self, source: Tensor) -> Tensor:
        """Return class probabilities of K subnetworks, (B, K, C).

        Args:
            source: The images if the subnetworks differ in their embeddings too, else the embeddings.
        """
        embed = self._sampled_embedding(source)
        samples = []
        for k in range(self._mc_samples):
            self._masks.choose(k)
            samples.append(self._classify(embed()))
        return torch.stack(samples, 1)

    def _sampled_embedding(self, source: Tensor) -> Callable[[], Tensor]:
        """Return what makes the embeddings of the chosen sample anew, (B, D)."""
        if not self._embedding_varies:
            return source.clone
        if isinstance(self.halves, Stemmed):
            halves, maps = self.halves, self.halves.stem(source)
            return lambda: halves.embed_maps(maps.clone())
        return partial(self._embedder.embed, source)
