"""FixMatch: a classifier that also learns from the unlabeled pool."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from al_lightning.data.batches import FitPosition
from al_lightning.data.datamodule import PoolDataModule
from al_lightning.data.strong_augmentation import RandAugment
from al_lightning.models.backbone import Backbone
from al_lightning.models.classifier import Batch, ImageClassifier
from al_lightning.training.recipe import Recipe
from al_lightning.training.unlabeled_state import UnlabeledState
from al_lightning.utils.checks import require_kind, require_within, whole_number
from al_lightning.utils.errors import UsageError
from al_lightning.utils.torchrun import world_size

_STATE = "fixmatch"  # key in the checkpoint of a running fit
_NO_IMAGES = (
    "recipe=fixmatch augments images, and embeddings have none: set model.embeddings=null, or take "
    "recipe=linear"
)


@dataclass(frozen=True)
class FixMatch(Recipe):
    """A recipe that trains on unlabeled images, too.

    Sohn et al. 2020, "FixMatch", NeurIPS: a class that the network gives to a weakly augmented
    unlabeled image with a probability of ``threshold`` or more is what the same image, strongly
    augmented, is trained on. Each step adds ``unlabeled_weight`` times the mean of these losses over
    all its unlabeled images. What is evaluated is an exponential moving average of the weights.

    ``recipe.augmentation`` is the weak augmentation, of labeled images, too. Everything else is as in
    :class:`~al_lightning.Recipe`; label smoothing would keep probabilities below the threshold.

    Attributes:
        ratio: Unlabeled images per labeled image of a batch (mu), at least 1.
        threshold: In (0, 1).
        unlabeled_weight: Of the loss of unlabeled images (lambda), at least 0.
        decay: Of the moving average of the weights, in [0, 1). Less in the first steps, where
            (1 + step) / (10 + step) is less, so that a short fit forgets its initial weights.
        adaptive: Whether the threshold is that of FreeMatch (Wang et al. 2023), without its fairness
            loss: the average confidence, times each class's share of the largest.
        adaptive_decay: Of the averages behind adaptive thresholds, in [0, 1).
        strong: Strong augmentation of batches, (B, C, H, W).

    Raises:
        UsageError: On values out of range; names the key.

    Example:
        >>> from al_lightning import FixMatch
        >>> FixMatch(batch_size=32, ratio=3).ratio
        3
    """

    ratio: int = 7
    threshold: float = 0.95
    unlabeled_weight: float = 1.0
    decay: float = 0.999
    adaptive: bool = False
    adaptive_decay: float = 0.999
    strong: nn.Module = field(default_factory=RandAugment)

    def __post_init__(self) -> None:
        """Check the ranges."""
        super().__post_init__()
        whole_number("recipe.ratio", self.ratio, least=1)
        require_within("recipe.threshold", self.threshold, "(0, 1)")
        require_within("recipe.unlabeled_weight", self.unlabeled_weight, "[0, inf)")
        require_within("recipe.decay", self.decay, "[0, 1)")
        require_within("recipe.adaptive_decay", self.adaptive_decay, "[0, 1)")
        require_kind("recipe.strong", self.strong, nn.Module)

    def classifier(self, backbone: Backbone, num_classes: int) -> ImageClassifier:
        """Return the module that trains a backbone by this recipe.

        Raises:
            UsageError: If the backbone is given embeddings, which cannot be augmented.
        """
        if backbone.given_embeddings is not None:
            raise UsageError(_NO_IMAGES)
        module = FixMatchClassifier(backbone, num_classes, self)
        return module.to(memory_format=torch.channels_last)


class FixMatchClassifier(ImageClassifier):
    """Trains a backbone by :class:`FixMatch`, on batches that its trainer's data module serves.

    Args:
        backbone: The network.
        num_classes: Number of classes.
        recipe: How it is trained.
    """

    learns_from_unlabeled = True

    def __init__(self, backbone: Backbone, num_classes: int, recipe: FixMatch) -> None:
        super().__init__(
            *(backbone, num_classes, recipe.optimizer, recipe.scheduler, recipe.label_smoothing)
        )
        self._recipe = recipe
        self._classes = num_classes
        self._saved: dict[str, Any] | None = None

    def on_train_start(self) -> None:
        """Begin the averages, or take them from where an earlier process stopped.

        Raises:
            UsageError: If there are several devices, or embeddings instead of images.
        """
        super().on_train_start()
        if world_size() > 1:
            raise UsageError("recipe=fixmatch trains on one device: set trainer.devices=1")
        if self._data.embeddings is not None:
            raise UsageError(_NO_IMAGES)
        self._state = UnlabeledState(self._trained(), self._classes, self.device)
        if self._saved is not None:
            self._state.load(self._saved)
            self._saved = None
        self._batches = self._endless()

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:  # noqa: ARG002
        """Return the loss of a batch of labeled and one of unlabeled images."""
        images, labels = batch
        smoothing, weak = self.label_smoothing, next(self._batches, None)
        if weak is None:  # everything is labeled
            return self._logged(F.cross_entropy(self(images), labels, label_smoothing=smoothing))
        with torch.autocast(self.device.type, enabled=False):  # as labeled images are augmented
            strong = self._data.prepare(self._recipe.strong(weak))
            weak = weak if self._data.augment is None else self._data.augment(weak)
            weak = self._data.prepare(weak)
        with torch.no_grad():
            probabilities = self(weak).float().softmax(1)
        chosen, wanted = self._pseudo_labels(probabilities)
        logits = self(torch.cat([images, strong]))
        seen, unseen = logits[: len(images)], logits[len(images) :]
        loss = F.cross_entropy(seen, labels, label_smoothing=smoothing)
        added = (F.cross_entropy(unseen, wanted, reduction="none") * chosen).mean()
        return self._logged(loss + self._recipe.unlabeled_weight * added)

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Step, and average; not in a hook after the step, which comes after a fit is saved."""
        super().optimizer_step(*args, **kwargs)
        self._state.average(self._trained(), self._recipe.decay)

    def on_train_end(self) -> None:
        """Take the average weights, which are evaluated."""
        self._state.put_into(self._trained())
        del self._state, self._batches

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the averages of a running fit."""
        if hasattr(self, "_state"):
            checkpoint[_STATE] = self._state.as_dict()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the averages of a running fit until it goes on."""
        self._saved = checkpoint.get(_STATE)

    @property
    def _data(self) -> PoolDataModule:
        return cast("PoolDataModule", self.trainer.datamodule)  # type: ignore[attr-defined]

    def _trained(self) -> list[Tensor]:
        return [p.detach() for p in self.backbone.parameters() if p.requires_grad]

    def _pseudo_labels(self, probabilities: Tensor) -> tuple[Tensor, Tensor]:
        """Return which images count, (B,) float32, and as what, (B,) int64."""
        confidence, wanted = probabilities.max(1)
        recipe = self._recipe
        if recipe.adaptive:
            thresholds = self._state.thresholds(probabilities, recipe.adaptive_decay)
            return (confidence >= thresholds[wanted]).float(), wanted
        return (confidence >= recipe.threshold).float(), wanted

    def _endless(self) -> Iterator[Tensor]:
        """Yield batches of unlabeled images, on the device; none where everything is labeled."""
        if len(self._data.pool.unlabeled_ids) == 0:
            return
        size, state = self._recipe.ratio * self._data.batch_size, self._state
        while True:
            start = FitPosition(state.epoch, state.batches)
            loader = self._data.unlabeled_dataloader(size, start)
            # Its iterator draws a seed, which a fit that goes on in the middle would not draw.
            with torch.random.fork_rng(devices=[]):
                batches = iter(loader)
            for images, _ in batches:
                state.batches += 1
                yield images.to(self.device, non_blocking=True)
            state.epoch, state.batches = state.epoch + 1, 0

    def _logged(self, loss: Tensor) -> Tensor:
        if self._log_every and (self.global_step + 1) % self._log_every == 0:
            self.log("train/loss", loss)
        return loss
