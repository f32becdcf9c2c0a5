"""The LightningModule that trains a backbone."""

from collections.abc import Callable, Iterable
from typing import Any, cast

import lightning as L
import torch
import torch.nn.functional as F
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from al_lightning.models.backbone import Backbone, require_backbone, to_probabilities
from al_lightning.models.fast_gradients import fast_gradients
from al_lightning.models.metrics import per_class_metrics, scalar_metrics

Batch = tuple[Tensor, Tensor]
MakeOptimizer = Callable[[Iterable[Any]], Optimizer]
MakeScheduler = Callable[..., LRScheduler]


class ImageClassifier(L.LightningModule):
    """Trains any backbone by cross-entropy.

    >>> from functools import partial
    >>> import torch
    >>> from al_lightning import CNN, ImageClassifier
    >>> make_optimizer = partial(torch.optim.AdamW, lr=0.01)
    >>> classifier = ImageClassifier(CNN((1, 8, 8), 10), 10, make_optimizer)
    >>> classifier(torch.zeros(2, 1, 8, 8)).shape
    torch.Size([2, 10])

    Args:
        backbone: The network.
        num_classes: Number of classes.
        make_optimizer: Called with the backbone's groups of parameters, each of them split in two:
            weights, and biases and scales of normalisation, which get ``weight_decay=0``.
        make_scheduler: Called with the optimiser and ``total_steps``, the number of optimiser steps
            of the fit; stepped after each of them. None keeps the learning rate constant.
        label_smoothing: Share of the target spread over all classes, in [0, 1).

    Raises:
        UsageError: If the network is no :class:`Backbone`.

    Attributes:
        confusion_matrix: Of the last test, (classes, classes) int64, true classes in rows; None
            before.
        lr_factor: Factor of the learning rates of the next fit.
    """

    confusion_matrix: Tensor | None = None
    lr_factor: float = 1.0
    _log_every: int = 0  # steps; 0 for never

    def __init__(
        self,
        backbone: Backbone,
        num_classes: int,
        make_optimizer: MakeOptimizer = torch.optim.AdamW,
        make_scheduler: MakeScheduler | None = None,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        require_backbone(backbone)
        self.backbone = backbone
        self.label_smoothing = label_smoothing
        self._make_optimizer = make_optimizer
        self._make_scheduler = make_scheduler
        self.val_metrics = scalar_metrics(num_classes, prefix="val/")
        self.test_metrics = scalar_metrics(num_classes, prefix="test/")
        self.test_per_class = per_class_metrics(num_classes)

    @property
    def settings(self) -> dict[str, object]:
        """What fits depend on beside the network, by name."""
        return {
            "optimizer": self._make_optimizer,
            "scheduler": self._make_scheduler,
            "label_smoothing": self.label_smoothing,
        }

    def embed(self, images: Tensor) -> Tensor:
        """Return penultimate embeddings, (B, D)."""
        return self.backbone.embed(images)

    def classify(self, embeddings: Tensor) -> Tensor:
        """Return logits, (B, classes)."""
        return self.backbone.classify(embeddings)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits, (B, classes)."""
        with fast_gradients(self.backbone):
            return self.backbone(images)

    def for_evaluation(self) -> nn.Module:
        """Return both halves in their fastest form, see :meth:`Backbone.for_evaluation`.

        A classifier that overrides the halves, in its class or on the instance, returns itself.
        """
        return self.backbone.for_evaluation() if self._has_plain_halves else self

    def for_sampling(self) -> nn.Module:
        """Return both halves with their dropout, see :meth:`Backbone.for_sampling`.

        A classifier that overrides the halves, in its class or on the instance, returns itself.
        """
        return self.backbone.for_sampling() if self._has_plain_halves else self

    @property
    def _has_plain_halves(self) -> bool:
        own, plain = (self.embed, self.classify), (ImageClassifier.embed, ImageClassifier.classify)
        return tuple(getattr(half, "__func__", None) for half in own) == plain

    def on_train_start(self) -> None:
        """Note which losses the trainer will hand to its logger."""
        self._log_every = int(self.trainer.log_every_n_steps)  # type: ignore[attr-defined]

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:  # noqa: ARG002
        """Return the loss of a batch."""
        images, labels = batch
        loss = F.cross_entropy(self(images), labels, label_smoothing=self.label_smoothing)
        # Logging costs a step of a small network a tenth of its time, and most values are dropped.
        if self._log_every and (self.global_step + 1) % self._log_every == 0:
            self.log("train/loss", loss)
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002
        """Log the metrics of the validation labels."""
        images, labels = batch
        self.val_metrics.update(to_probabilities(self(images)), labels)
        self.log_dict(self.val_metrics, on_step=False, on_epoch=True)

    def test_step(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002
        """Log the metrics of the test set."""
        images, labels = batch
        probabilities = to_probabilities(self(images))
        self.test_metrics.update(probabilities, labels)
        self.test_per_class.update(probabilities, labels)
        self.log_dict(self.test_metrics, on_step=False, on_epoch=True)

    def on_test_epoch_end(self) -> None:
        """Log precision, recall and F1 class by class."""
        results = self.test_per_class.compute()
        self.confusion_matrix = results.pop("confusion_matrix")
        for name, values in results.items():
            self.log_dict({f"test/{name}/{c}": value for c, value in enumerate(values)})
        self.test_per_class.reset()

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Build the optimiser, and the schedule over all steps of the fit."""
        optimizer = self._build_optimizer()
        for group in optimizer.param_groups:
            group["lr"] *= self.lr_factor * group.get("lr_factor", 1.0)
        if self._make_scheduler is None:
            return optimizer
        steps = int(self.trainer.estimated_stepping_batches)
        scheduler = self._make_scheduler(optimizer, total_steps=steps)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }

    def _build_optimizer(self) -> Optimizer:
        """Build the optimiser; a fused one cannot clip in mixed precision, since it unscales itself."""
        groups = decay_weights_alone(self.backbone.parameter_groups())
        optimizer = self._make_optimizer(groups)
        if not optimizer.defaults.get("fused") or not self.trainer.gradient_clip_val:
            return optimizer
        if "mixed" not in str(self.trainer.precision):
            return optimizer
        make = cast("Callable[..., Optimizer]", self._make_optimizer)
        return make(decay_weights_alone(self.backbone.parameter_groups()), fused=False)


def decay_weights_alone(groups: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Split groups of parameters, so that weight decay acts on weights alone.

    Biases, and the scales and shifts of normalisation layers, have one dimension. Pulling them to zero
    does not make a network simpler.

    >>> from torch import nn
    >>> from al_lightning.models.classifier import decay_weights_alone
    >>> groups = decay_weights_alone([{"params": nn.Linear(3, 2).parameters(), "lr_factor": 0.1}])
    >>> [(group["lr_factor"], group.get("weight_decay")) for group in groups]
    [(0.1, None), (0.1, 0.0)]

    Args:
        groups: As an optimiser takes them; may be generators of parameters.

    Returns:
        Groups of the same parameters; those that would be empty are left out.
    """
    split: list[dict[str, Any]] = []
    for group in groups:
        params = list(group["params"])
        weights = [p for p in params if p.ndim > 1]
        others = [p for p in params if p.ndim <= 1]
        split += [{**group, "params": weights}] * bool(weights)
        split += [{**group, "params": others, "weight_decay": 0.0}] * bool(others)
    return split
