"""One pass over images, which yields all the evidence that is asked for."""

from collections.abc import Callable, Collection
from typing import Any, cast

import lightning as L
import torch
from lightning.pytorch.utilities.seed import isolate_rng
from torch import Tensor, nn

from al_lightning.data.datamodule import PoolDataModule
from al_lightning.data.source import Images
from al_lightning.errors import UsageError
from al_lightning.evidence import Evidence, Need
from al_lightning.models.backbone import Embedder, to_probabilities

_DROPOUTS = (
    nn.Dropout,
    nn.Dropout1d,
    nn.Dropout2d,
    nn.Dropout3d,
    nn.AlphaDropout,
    nn.FeatureAlphaDropout,
)


class Scorer:
    """Looks at images with a fitted classifier.

    Images are seen as they are (no augmentation), in evaluation mode, without gradients, under the
    trainer's precision and on its device; what comes back is float32 on the CPU.

    Args:
        trainer: Runs the passes.
        classifier: Gives embeddings and logits.
        datamodule: Serves the images, and normalises them on the device.
        mc_samples: K, the number of dropout masks of the Monte-Carlo probabilities.
        seed: Decides the masks. torch's global generator is left as it was found.
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
        probe = _Probe(self._classifier, self._datamodule.prepare, needs, self._mc_samples)
        loader = self._datamodule.images_dataloader(images, ids)
        with isolate_rng():
            torch.manual_seed(self._seed)
            batches = self._trainer.predict(probe, dataloaders=loader)
        if batches is None:
            raise RuntimeError("Lightning returned no predictions")
        found = cast("list[dict[Need, Tensor]]", batches)
        return Evidence(ids, **{n.value: torch.cat([batch[n] for batch in found]) for n in needs})


class _Probe(L.LightningModule):
    """Wraps any classifier, so that Lightning runs it on the right device in the right precision."""

    def __init__(
        self,
        classifier: L.LightningModule,
        prepare: Callable[[Tensor], Tensor],
        needs: Collection[Need],
        mc_samples: int,
    ) -> None:
        super().__init__()
        self.classifier = classifier  # a submodule, so that Lightning moves it to the device
        self._halves = cast("Embedder", classifier)
        self._prepare = prepare
        self._needs = frozenset(needs)
        self._mc_samples = mc_samples

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:  # noqa: ARG002
        """Normalise the images; the loader's own data module is not asked during prediction."""
        return self._prepare(batch[0])

    def predict_step(self, images: Tensor, batch_idx: int) -> dict[Need, Tensor]:  # noqa: ARG002
        """Return what is needed of a batch, float32 on the CPU."""
        found: dict[Need, Tensor] = {}
        if self._needs & {Need.PROBABILITIES, Need.EMBEDDINGS}:
            embeddings = self._halves.embed(images)
            found[Need.EMBEDDINGS] = embeddings.float()
            if Need.PROBABILITIES in self._needs:
                found[Need.PROBABILITIES] = to_probabilities(self._halves.classify(embeddings))
        if Need.MC_PROBABILITIES in self._needs:
            found[Need.MC_PROBABILITIES] = self._sample(images)
        return {need: found[need].cpu() for need in self._needs}

    def _sample(self, images: Tensor) -> Tensor:
        """Return class probabilities under K dropout masks, (B, K, C)."""
        dropouts = [m for m in self.modules() if isinstance(m, _DROPOUTS)]
        _train(dropouts, True)
        samples = [
            to_probabilities(self._halves.classify(self._halves.embed(images)))
            for _ in range(self._mc_samples)
        ]
        _train(dropouts, False)
        return torch.stack(samples, 1)


def require_dropout(classifier: L.LightningModule) -> None:
    """Check that a classifier has dropout to sample from.

    Raises:
        UsageError: If it has none.
    """
    if not any(isinstance(m, _DROPOUTS) and getattr(m, "p", 0) > 0 for m in classifier.modules()):
        raise UsageError(
            f"The strategy samples by dropout, but {type(classifier).__name__} has none: take a model "
            "with dropout (model.dense_dropout, model.block_dropout), or another strategy"
        )


def _train(modules: Collection[nn.Module], mode: bool) -> None:
    for module in modules:
        module.train(mode)
