"""One pass over images, which yields all the evidence that is asked for."""

from collections.abc import Collection
from typing import cast

import lightning as L
import torch
from lightning.pytorch.utilities.seed import isolate_rng
from torch import Tensor, nn

from al_lightning.data.datamodule import PoolDataModule
from al_lightning.data.source import Images
from al_lightning.models.backbone import Embedder, for_evaluation, to_probabilities
from al_lightning.models.fixed_masks import FixedMasks
from al_lightning.strategies.evidence import Evidence, Need
from al_lightning.training.evidence_rows import EvidenceRows, SharedEvidenceRows
from al_lightning.training.round_trainer import RoundTrainer
from al_lightning.utils.errors import UsageError

_PLAIN = frozenset({Need.PROBABILITIES, Need.EMBEDDINGS})


class Scorer:
    """Looks at images with a fitted classifier.

    Images are seen as they are (no augmentation), in evaluation mode, without gradients, under the
    trainer's precision and on its device; what comes back is float32 on the CPU.

    Args:
        trainer: Runs the passes.
        classifier: Gives embeddings and logits.
        datamodule: Serves the images, and normalises them on the device.
        mc_samples: K, the number of dropout samples of the Monte-Carlo probabilities. Each is one
            subnetwork, the same for every image; see
            :class:`~al_lightning.models.fixed_masks.FixedMasks`.
        seed: Decides the subnetworks. torch's global generator is left as it was found.
    """

    def __init__(
        self,
        trainer: RoundTrainer,
        classifier: L.LightningModule,
        datamodule: PoolDataModule,
        mc_samples: int = 20,
        seed: int = 0,
    ) -> None:
        self._trainer = trainer
        self._classifier = classifier
        self._datamodule = datamodule
        self._mc_samples = mc_samples
        self._seed = seed

    def evidence(self, images: Images, ids: Tensor, needs: Collection[Need]) -> Evidence:
        """Gather evidence in one pass; where nothing is needed, no pass is made.

        Args:
            images: The training or the test images.
            ids: Which of them, (N,) int64; the rows of the evidence have this order.
            needs: What to keep.
        """
        if not needs or len(ids) == 0:
            return Evidence(ids)
        make_rows = SharedEvidenceRows if self._trainer.world_size > 1 else EvidenceRows
        rows = make_rows(len(ids))
        self._datamodule.look_at(images, ids)
        samples = Need.MC_PROBABILITIES in needs
        # Before any mask is hung into it: hooks are part of what a classifier computes.
        halves = self._classifier if samples else for_evaluation(self._classifier)
        with isolate_rng(), FixedMasks(halves, self._seed) as masks:
            probe = _Probe(
                halves,
                rows,
                self._datamodule.eval_batch_size,
                needs,
                masks,
                self._mc_samples,
            )
            self._trainer.predict(probe, datamodule=self._datamodule, return_predictions=False)
        return Evidence(ids, **{need.value: values for need, values in rows.collect().items()})


class _Probe(L.LightningModule):
    """Wraps any classifier, so that Lightning runs it on the right device in the right precision."""

    def __init__(
        self,
        halves: nn.Module,
        rows: EvidenceRows,
        batch_size: int,
        needs: Collection[Need],
        masks: FixedMasks,
        mc_samples: int,
    ) -> None:
        super().__init__()
        # A submodule, so that Lightning moves it to the device.
        self.halves = halves
        self._rows = rows
        self._batch_size = batch_size
        self._needs = frozenset(needs)
        self._masks = masks
        self._mc_samples = mc_samples
        self._shapes: dict[str, torch.Size] = {}  # of a row of each half, as in the first batch
        self._embedding_varies = False  # by dropout inside `embed`; seen in the first batch

    @property
    def _embedder(self) -> Embedder:
        return cast("Embedder", self.halves)

    def predict_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> int:
        """Write what is needed of a batch into its rows, as float32; return their number."""
        images, _ = batch
        # The devices take the batches in turns.
        index = batch_idx * self.trainer.world_size + self.trainer.global_rank
        self._rows.write(index * self._batch_size, self._look(images))
        return len(images)

    def _look(self, images: Tensor) -> dict[Need, Tensor]:
        """Return what is needed of images."""
        found: dict[Need, Tensor] = {}
        if self._needs & _PLAIN or not self._embedding_varies:
            embeddings = self._embed(images)
            found[Need.EMBEDDINGS] = embeddings.float()
            if Need.PROBABILITIES in self._needs:
                found[Need.PROBABILITIES] = self._classify(embeddings)
        if Need.MC_PROBABILITIES in self._needs:
            source = images if self._embedding_varies else embeddings
            found[Need.MC_PROBABILITIES] = self._sample(source)
        return {need: found[need] for need in self._needs}

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
        # A copy, since a head may work in place on what is still needed.
        logits = self._embedder.classify(embeddings.clone())
        self._require_rows(logits, len(embeddings), "classify")
        return to_probabilities(logits)

    def _sample(self, source: Tensor) -> Tensor:
        """Return class probabilities of K subnetworks, (B, K, C).

        Args:
            source: The images if the subnetworks differ in their embeddings too, else the embeddings.
        """
        samples = []
        for k in range(self._mc_samples):
            self._masks.choose(k)
            embeddings = self._embedder.embed(source) if self._embedding_varies else source
            samples.append(self._classify(embeddings))
        return torch.stack(samples, 1)
