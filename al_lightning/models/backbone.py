"""What a network and a classifier must offer to active learning."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

import lightning as L
import torch
from lightning.pytorch.utilities.seed import isolate_rng
from torch import Tensor, nn

from al_lightning.data.source import Normalization
from al_lightning.utils.errors import UsageError

_SOME = 2  # images to try a module on
_FLAT = 2  # dimensions of embeddings
_SUM_TOLERANCE = 1e-5  # of probabilities in float32


@runtime_checkable
class Embedder(Protocol):
    """The two halves of a classifier. Together they are its forward pass.

    Any :class:`lightning.LightningModule` with these two methods can be trained by
    :class:`al_lightning.ActiveLearningLoop`; see ``examples/own_model.py``.

    >>> import lightning as L
    >>> from torch import nn
    >>> from al_lightning import Embedder
    >>> class Linear(L.LightningModule):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.output = nn.Linear(64, 10)
    ...     def embed(self, images):
    ...         return images.flatten(1)
    ...     def classify(self, embeddings):
    ...         return self.output(embeddings)
    >>> isinstance(Linear(), Embedder)
    True
    """

    def embed(self, images: Tensor) -> Tensor:
        """Map images, (B, C, H, W) float, to penultimate embeddings, (B, D) float."""
        ...

    def classify(self, embeddings: Tensor) -> Tensor:
        """Map embeddings, (B, D) float, to logits (not probabilities), (B, classes) float."""
        ...


def require_embedder(module: L.LightningModule) -> None:
    """Check that a module offers embeddings and logits.

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


def require_logits(
    module: L.LightningModule, image_shape: tuple[int, int, int], num_classes: int
) -> int:
    """Check that an untrained module takes these images and returns logits of these classes.

    The check uses a batch of several images and a batch of one image, because some networks return
    another shape for one image.

    Args:
        module: With ``embed`` and ``classify``; it is not changed.
        image_shape: Channels, height, width.
        num_classes: The number of classes of the data set.

    Returns:
        D, the size of its embeddings.

    Raises:
        UsageError: If the module cannot process such images, its embeddings are not (B, D) floats, or
            it returns another number of logits, or probabilities.
    """
    name = type(getattr(module, "backbone", module)).__name__
    widths: list[int] = []
    for count in (_SOME, 1):
        embeddings, logits = _try(module, name, count, image_shape)
        for what, values in (("embed", embeddings), ("classify", logits)):
            if not isinstance(values, Tensor) or not values.is_floating_point():
                came = values.dtype if isinstance(values, Tensor) else type(values).__name__
                raise UsageError(f"{name}.{what} must return a tensor of floats, not {came}")
        if embeddings.ndim != _FLAT or len(embeddings) != count:
            raise UsageError(
                f"{name}.embed must return ({count}, D) for a batch of {count}, "
                f"not {tuple(embeddings.shape)}"
            )
        if logits.shape != (count, num_classes):
            raise UsageError(
                f"{name}.classify must return ({count}, {num_classes}) for a batch of {count}, since "
                f"the data set has {num_classes} classes, not {tuple(logits.shape)}"
            )
        widths.append(embeddings.shape[1])
    if len(set(widths)) > 1 or 0 in widths:
        raise UsageError(
            f"The embeddings of {name} have {widths[0]} numbers per image in a batch of {_SOME}, and "
            f"{widths[1]} in a batch of one: D must be the same for all images, and at least 1"
        )
    if _are_probabilities(logits):
        raise UsageError(
            f"{name} gives probabilities: the rows of `classify` are not negative and sum to 1. Return "
            "the logits, without a softmax; al_lightning applies it"
        )
    return widths[0]


def _try(
    module: L.LightningModule, name: str, count: int, image_shape: tuple[int, int, int]
) -> tuple[Any, Any]:
    """Return a module's outputs for black images, in evaluation mode; the module stays as it is."""
    halves = cast("Embedder", module)
    images = torch.zeros(count, *image_shape).contiguous(memory_format=torch.channels_last)
    modes = {part: part.training for part in module.modules()}
    module.eval()
    try:
        with torch.no_grad(), isolate_rng():
            embeddings = halves.embed(images)
            # A copy, since a head may work in place.
            again = embeddings.clone() if isinstance(embeddings, Tensor) else embeddings
            return embeddings, halves.classify(again)
    except UsageError:
        raise
    except Exception as error:
        kind = "" if isinstance(error, RuntimeError | ValueError) else f"{type(error).__name__}: "
        raise UsageError(
            f"{name} cannot process images of {'x'.join(map(str, image_shape))}: {kind}{error}"
        ) from error
    finally:
        for part, mode in modes.items():
            part.training = mode


def _are_probabilities(rows: Tensor) -> bool:
    """Return whether rows, (B, classes), are probabilities of a softmax."""
    tolerance = max(_SUM_TOLERANCE, torch.finfo(rows.dtype).eps)  # each is rounded on its own
    return bool((rows >= 0).all() and (rows.double().sum(1) - 1).abs().max() < tolerance)


class Backbone(nn.Module, ABC):
    """A network in two halves: images to embeddings, embeddings to logits.

    >>> import torch
    >>> from al_lightning import Backbone
    >>> class Linear(Backbone):
    ...     def __init__(self, image_shape, num_classes):
    ...         super().__init__()
    ...         self.output = torch.nn.LazyLinear(num_classes)
    ...     def embed(self, images):
    ...         return images.flatten(1)
    ...     def classify(self, embeddings):
    ...         return self.output(embeddings)
    >>> Linear((1, 8, 8), 10)(torch.zeros(2, 1, 8, 8)).shape
    torch.Size([2, 10])

    Attributes:
        normalization: Constants that the weights expect; None uses the data set's.
        frozen: Whether the embeddings of an image never change: no weight before them is trained, and
            they are the same in training and evaluation. Then they are computed once, see
            :class:`al_lightning.EmbeddingCache`, and ``embed`` must return embeddings, (B, D),
            unchanged.
        given_embeddings: File of embeddings that a frozen network made elsewhere, see
            :func:`~al_lightning.training.given_embeddings.read_embeddings`; None computes them.
    """

    normalization: Normalization | None = None
    frozen: bool = False
    given_embeddings: Path | None = None

    @abstractmethod
    def embed(self, images: Tensor) -> Tensor:
        """Map images, (B, C, H, W) float, to embeddings, (B, D) float."""

    @abstractmethod
    def classify(self, embeddings: Tensor) -> Tensor:
        """Map embeddings, (B, D) float, to logits, (B, classes) float."""

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return the trainable parameters in groups for an optimiser.

        A group may have an ``lr_factor``; its learning rate is multiplied by it.
        """
        return [{"params": list(self.parameters())}]

    def pretrained_digest(self) -> str | None:
        """Return a digest of its pretrained weights, before any training; None if it has none."""
        return None

    def pretrained_names(self) -> frozenset[str]:
        """Return the names in its state that stay as they were pretrained: no checkpoint needs them."""
        return frozenset()

    def embedding_facts(self) -> Mapping[str, Any]:
        """Return all that frozen embeddings depend on but for the images, as plain values."""
        return {}

    def for_evaluation(self) -> "Backbone":
        """Return an equivalent module in evaluation mode, up to rounding, which may be faster.

        It has copies of the current weights, and may omit dropout. By default it is this module.
        """
        return self

    def for_sampling(self) -> "Backbone":
        """Return an equivalent module in evaluation mode, up to rounding, with all dropout.

        A :class:`~al_lightning.models.offered.Stemmed` lets dropout samples share its beginning.
        """
        return self

    def forward(self, images: Tensor) -> Tensor:
        """Map images, (B, C, H, W) float, to logits, (B, classes) float."""
        return self.classify(self.embed(images))

    def __call__(self, *args: Any, **kwargs: Any) -> Tensor:
        """Run :meth:`forward` with torch's hooks."""
        output: Tensor = super().__call__(*args, **kwargs)
        return output


def require_backbone(network: object) -> None:
    """Check that a network is made of two halves.

    Raises:
        UsageError: If it is no backbone.
    """
    if not isinstance(network, Backbone):
        is_class = isinstance(network, type)
        name = network.__name__ if isinstance(network, type) else type(network).__name__
        raise UsageError(
            f"{'The class ' if is_class else ''}{name} is no Backbone, but a "
            "network of two halves is needed: subclass al_lightning.Backbone, with `embed` and "
            "`classify`, and make one, or put two modules in a row: "
            "al_lightning.models.Halves(features, head)"
        )


def backbone_of(module: nn.Module) -> Backbone | None:
    """Return the backbone of a classifier, its attribute ``backbone``; None where it has none."""
    backbone = getattr(module, "backbone", None)
    return backbone if isinstance(backbone, Backbone) else None


def describe_model(module: nn.Module) -> dict[str, Any]:
    """Return the description of an untrained classifier for the journal.

    ``trainable_parameters``, their number; and ``weights``, a digest of its pretrained weights, where
    it has any.
    """
    about: dict[str, Any] = {
        "trainable_parameters": sum(p.numel() for p in module.parameters() if p.requires_grad)
    }
    backbone = backbone_of(module)
    if backbone is not None and (digest := backbone.pretrained_digest()) is not None:
        about["weights"] = digest
    return about


def pretrained_names(module: nn.Module) -> frozenset[str]:
    """Return the names in a classifier's state that its making gives it again."""
    backbone = backbone_of(module)
    names = frozenset() if backbone is None else backbone.pretrained_names()
    return frozenset(f"backbone.{name}" for name in names)


def to_probabilities(logits: Tensor) -> Tensor:
    """Map logits, (B, classes), of any precision to probabilities in float32; rows sum to 1."""
    return logits.float().softmax(1)
