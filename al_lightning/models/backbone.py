"""What a network and a classifier must offer to active learning."""

from abc import ABC, abstractmethod
from typing import Any, Protocol, runtime_checkable

import lightning as L
from torch import Tensor, nn

from al_lightning.errors import UsageError


@runtime_checkable
class Embedder(Protocol):
    """The two halves of a classifier. Together they are its forward pass.

    Any :class:`lightning.LightningModule` with these two methods can be trained by
    :class:`al_lightning.ActiveLearningLoop`; see ``examples/own_model.py``.
    """

    def embed(self, images: Tensor) -> Tensor:
        """Map images, (B, C, H, W) float, to penultimate embeddings, (B, D) float."""
        ...

    def classify(self, embeddings: Tensor) -> Tensor:
        """Map embeddings, (B, D) float, to logits (not probabilities), (B, classes) float."""
        ...


def require_embedder(module: L.LightningModule) -> None:
    """Check that a module can be asked for embeddings and logits.

    Raises:
        UsageError: If it cannot; names the methods that are missing.
    """
    missing = [name for name in ("embed", "classify") if not callable(getattr(module, name, None))]
    if missing:
        raise UsageError(
            f"{type(module).__name__} cannot be used for active learning: it has no "
            f"{' and no '.join(f'`{name}`' for name in missing)} method. Offer "
            "`embed(images) -> (B, D) embeddings` and `classify(embeddings) -> (B, classes) "
            "logits`, so that classify(embed(images)) are the logits of the images"
        )


class Backbone(nn.Module, ABC):
    """A network in two halves: images to embeddings, embeddings to logits."""

    @abstractmethod
    def embed(self, images: Tensor) -> Tensor:
        """Map images, (B, C, H, W) float, to embeddings, (B, D) float."""

    @abstractmethod
    def classify(self, embeddings: Tensor) -> Tensor:
        """Map embeddings, (B, D) float, to logits, (B, classes) float."""

    def forward(self, images: Tensor) -> Tensor:
        """Map images, (B, C, H, W) float, to logits, (B, classes) float."""
        return self.classify(self.embed(images))

    def __call__(self, *args: Any, **kwargs: Any) -> Tensor:
        """Run :meth:`forward` with torch's hooks."""
        output: Tensor = super().__call__(*args, **kwargs)
        return output


def to_probabilities(logits: Tensor) -> Tensor:
    """Map logits, (B, classes), of any precision to probabilities in float32; rows sum to 1."""
    return logits.float().softmax(1)
