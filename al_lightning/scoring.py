"""One pass over images, which yields all the evidence that is asked for."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, cast

import lightning as L
import torch
from lightning.pytorch.utilities.seed import isolate_rng
from torch import Tensor

from al_lightning.data.datamodule import PoolDataModule
from al_lightning.data.source import Images
from al_lightning.dropout import FixedMasks
from al_lightning.evidence import Evidence, Need
from al_lightning.models.backbone import Embedder, to_probabilities

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
            subnetwork, the same for every image; see :class:`~al_lightning.dropout.FixedMasks`.
        seed: Decides the subnetworks. torch's global generator is left as it was found.
    """

    def __init__(
        self,
        trainer: L.Trainer,
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
        loader = self._datamodule.images_dataloader(images, ids)
        table = _Table(len(ids))
        with isolate_rng(), FixedMasks(self._classifier, self._seed) as masks:
            probe = _Probe(
                self._classifier, self._datamodule.prepare, needs, masks, self._mc_samples, table
            )
            self._trainer.predict(probe, dataloaders=loader, return_predictions=False)
        return Evidence(ids, **{need.value: table.read(need) for need in needs})


class _Table:
    """Takes quantities down batch by batch, so that none is ever held twice; float32, on the CPU."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._done = 0
        self._quantities: dict[Need, Tensor] = {}

    def append(self, batch: Mapping[Need, Tensor]) -> None:
        """Take down a batch, (B, ...) each."""
        start = self._done
        for need, values in batch.items():
            if need not in self._quantities:
                with torch.inference_mode(False):  # whoever gets it may do with it what they like
                    self._quantities[need] = torch.empty(self._rows, *values.shape[1:])
            self._done = start + len(values)
            self._quantities[need][start : self._done] = values

    def read(self, need: Need) -> Tensor:
        """Return what was taken down."""
        return self._quantities[need][: self._done]


class _Probe(L.LightningModule):
    """Wraps any classifier, so that Lightning runs it on the right device in the right precision."""

    def __init__(
        self,
        classifier: L.LightningModule,
        prepare: Callable[[Tensor], Tensor],
        needs: Collection[Need],
        masks: FixedMasks,
        mc_samples: int,
        table: _Table,
    ) -> None:
        super().__init__()
        self.classifier = classifier  # a submodule, so that Lightning moves it to the device
        self._halves = cast("Embedder", classifier)
        self._prepare = prepare
        self._needs = frozenset(needs)
        self._masks = masks
        self._mc_samples = mc_samples
        self._table = table
        self._embedding_varies = False  # by dropout inside `embed`; seen in the first batch

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:  # noqa: ARG002
        """Normalise the images; the loader's own data module is not asked during prediction."""
        return self._prepare(batch[0])

    def predict_step(self, images: Tensor, batch_idx: int) -> int:  # noqa: ARG002
        """Take down what is needed of a batch; return the number of its images."""
        found: dict[Need, Tensor] = {}
        if self._needs & _PLAIN or not self._embedding_varies:
            embeddings = self._embed(images)
            found[Need.EMBEDDINGS] = embeddings.float()
            if Need.PROBABILITIES in self._needs:
                found[Need.PROBABILITIES] = self._classify(embeddings)
        if Need.MC_PROBABILITIES in self._needs:
            source = images if self._embedding_varies else embeddings
            found[Need.MC_PROBABILITIES] = self._sample(source)
        self._table.append({need: found[need] for need in self._needs})
        return len(images)

    def _embed(self, images: Tensor) -> Tensor:
        """Return embeddings without dropout, (B, D), and see whether dropout would change them."""
        self._masks.choose(None)
        embeddings = self._halves.embed(images)
        self._embedding_varies |= self._masks.used
        return embeddings

    def _classify(self, embeddings: Tensor) -> Tensor:
        # A copy, since a head may work in place on what is still needed.
        return to_probabilities(self._halves.classify(embeddings.clone()))

    def _sample(self, source: Tensor) -> Tensor:
        """Return class probabilities of K subnetworks, (B, K, C).

        Args:
            source: The images if the subnetworks differ in their embeddings too, else the embeddings.
        """
        samples = []
        for k in range(self._mc_samples):
            self._masks.choose(k)
            embeddings = self._halves.embed(source) if self._embedding_varies else source
            samples.append(self._classify(embeddings))
        return torch.stack(samples, 1)
