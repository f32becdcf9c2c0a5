"""Pretrained networks, put to use in three ways."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import torch.nn.functional as F
from torch import Tensor, nn

from al_lightning.models.backbone import Backbone
from al_lightning.models.pretrained.trunk import (
    Trunk,
    batch_norms,
    last_block,
    silence_dropout,
    weights_digest,
)
from al_lightning.utils.checks import require_within
from al_lightning.utils.errors import UsageError

_MODES = ("finetune", "last_block", "linear")
_FLAT = 2  # dimensions of embeddings
_TO_TRAIN = 96  # pixels: of a network that trains, every step costs what they cost
_COLORS = 3


class PretrainedBackbone(Backbone):
    """A trunk that comes with weights, and a new head.

    >>> from torch import nn
    >>> from al_lightning.models import PretrainedBackbone
    >>> from al_lightning.models.pretrained.trunk import Trunk
    >>> network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 16))
    >>> trunk = Trunk(network, features=16, source="here", pretrained=False)
    >>> backbone = PretrainedBackbone(trunk, (3, 8, 8), num_classes=10, mode="linear")
    >>> [len(group["params"]) for group in backbone.parameter_groups()]  # the head alone
    [2]

    Args:
        trunk: Maps images to embeddings.
        image_shape: Channels, height, width. Grey images become three equal channels.
        num_classes: The number of logits.
        mode: Trained weights besides the head. "finetune": all weights; "last_block": those of
            :func:`~al_lightning.models.pretrained.trunk.last_block`; "linear": none. Frozen modules
            are always in evaluation mode, and have neither gradients nor optimiser state.
        image_size: Side of the square that images are resized to, in pixels, on their device,
            antialiased; None keeps their size. "auto" is the value of :func:`input_size`.
        dropout: Probability of the dropout between embeddings and head, in [0, 1). The embeddings are
            taken before it. None uses the architecture's own.
        backbone_lr_factor: Learning rate of the trunk divided by that of the head, above 0.
        freeze_batch_norm: Whether batch normalisation keeps the pretrained running statistics also in
            training, because those of a few hundred labels are worse. Its weights are still trained.
            Without pretrained weights, batch normalisation is trained as usual.
        embeddings: File of embeddings of the data set that this network made elsewhere, ``FILE.npy``
            with the names of the images in ``FILE.txt``; None computes them. Possible in the mode
            "linear" alone.

    Raises:
        UsageError: On arguments out of range; names the key.
    """

    def __init__(
        self,
        trunk: Trunk,
        image_shape: tuple[int, int, int],
        num_classes: int,
        *,
        mode: str = "finetune",
        image_size: int | str | None = None,
        dropout: float | None = None,
        backbone_lr_factor: float = 0.1,
        freeze_batch_norm: bool = True,
        embeddings: str | None = None,
    ) -> None:
        super().__init__()
        dropout = trunk.dropout if dropout is None else dropout
        image_size = input_size(image_size, mode, trunk.own_size)
        _check(image_shape, mode, image_size, dropout, backbone_lr_factor)
        self.normalization = trunk.normalization if trunk.pretrained else None
        self.frozen = mode == "linear"
        if embeddings is not None and not self.frozen:
            raise UsageError(
                f"model.embeddings={embeddings} is possible with model.mode=linear alone: in "
                f"model.mode={mode} embeddings change as the network trains"
            )
        self.given_embeddings = None if embeddings is None else Path(embeddings).expanduser()
        self.image_size = None if image_size is None else int(image_size)
        self.interpolation = trunk.interpolation
        self.backbone_lr_factor = backbone_lr_factor
        self.trunk = trunk.network
        if self.image_size is not None and trunk.take_size is not None:
            trunk.take_size(self.trunk, self.image_size)  # before its parameters are frozen
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(trunk.features, num_classes)
        self._pretrained, self._source = trunk.pretrained, trunk.source
        self._frozen = self._freeze(mode)
        keeps = freeze_batch_norm and trunk.pretrained
        self._still = self._frozen + (batch_norms(self.trunk) if keeps else [])
        self.train()

    @classmethod
    def own_size(cls, **options: Any) -> int | None:  # noqa: ARG003
        """Return the side of the square images that a network was made for, before it is built.

        Args:
            options: What the constructor takes beside shape and classes.

        Returns:
            Pixels; None where that is not known.
        """
        return None

    def embed(self, images: Tensor) -> Tensor:
        """Return the outputs of the trunk, (B, D); embeddings are returned as they are."""
        if images.ndim == _FLAT:
            return images
        if self.image_size is not None:
            size = (self.image_size, self.image_size)
            images = F.interpolate(images, size=size, mode=self.interpolation, antialias=True)
        if images.shape[1] == 1:
            images = images.expand(-1, _COLORS, -1, -1)
        embeddings: Tensor = self.trunk(images)
        return embeddings

    def classify(self, embeddings: Tensor) -> Tensor:
        """Return the logits, (B, classes)."""
        logits: Tensor = self.head(self.dropout(embeddings))
        return logits

    def train(self, mode: bool = True) -> Self:
        """Set the mode of all that trains; the rest stays in evaluation mode."""
        super().train(mode)
        for part in self._still:
            part.training = False  # not train(): a frozen part may hold one that trains
        return self

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return the parameters of the head, and those of the trunk with their own learning rate."""
        groups: list[dict[str, Any]] = [{"params": list(self.head.parameters())}]
        if training := [weight for weight in self.trunk.parameters() if weight.requires_grad]:
            groups.append({"params": training, "lr_factor": self.backbone_lr_factor})
        return groups

    def pretrained_digest(self) -> str | None:
        """Return a digest of the trunk's weights, or of given embeddings; None if they are random."""
        if self.given_embeddings is not None and self.given_embeddings.is_file():
            return _digest_of_given(self.given_embeddings)
        return weights_digest(self.trunk) if self._pretrained else None

    def pretrained_names(self) -> frozenset[str]:
        """Return the names of the frozen parameters and buffers of a pretrained trunk."""
        parts = self._frozen if self._pretrained else []
        homes = {id(part): home for home, part in self.named_modules()}
        return frozenset(
            f"{homes[id(part)]}.{name}"
            for part in parts
            for name, _ in (
                *part.named_parameters(recurse=False),
                *part.named_buffers(recurse=False),
            )
        )

    def embedding_facts(self) -> Mapping[str, Any]:
        """Return the facts that decide the embeddings: weights, architecture, resizing."""
        return {
            "features": self.head.in_features,
            "weights": weights_digest(self.trunk),
            "network": hashlib.sha256(repr(self.trunk).encode()).hexdigest()[:16],
            "source": self._source,
            "image_size": self.image_size,
            "interpolation": self.interpolation,
        }

    def _freeze(self, mode: str) -> list[nn.Module]:
        """Freeze the parameters that do not train; return the modules of the trunk that are frozen."""
        if mode == "finetune":
            return []
        self.trunk.requires_grad_(False)
        if mode == "linear":
            silence_dropout(self.trunk)
            return list(self.trunk.modules())
        block = last_block(self.trunk)
        for part in block:
            part.requires_grad_(True)
        training = {id(part) for whole in block for part in whole.modules()}
        return [part for part in self.trunk.modules() if id(part) not in training]


def input_size(image_size: int | str | None, mode: str, own_size: int | None) -> int | str | None:
    """Return the side that images are resized to.

    Args:
        image_size: As it was given. "auto" is the network's own size where it is frozen, since its
            embeddings are computed once and are best there; and 96 where it trains.
        mode: See :class:`PretrainedBackbone`.
        own_size: Of the network.
    """
    if image_size != "auto":
        return image_size
    return own_size if mode == "linear" and own_size is not None else _TO_TRAIN


def _digest_of_given(path: Path) -> str:
    """Return a digest of given embeddings, and of the names beside them: which row is which image."""
    digest = hashlib.sha256()
    for part in (path, path.with_suffix(".txt")):
        if part.is_file():
            with part.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]


def _check(
    image_shape: tuple[int, int, int],
    mode: str,
    image_size: int | str | None,
    dropout: float,
    backbone_lr_factor: float,
) -> None:
    if image_shape[0] not in (1, _COLORS):
        raise UsageError(
            f"Pretrained networks take grey or RGB images, not {image_shape[0]} channels: take "
            "model=cnn"
        )
    if mode not in _MODES:
        raise UsageError(f"model.mode must be one of {', '.join(_MODES)}, not {mode!r}")
    if image_size is not None and (not isinstance(image_size, int) or image_size < 1):
        raise UsageError(
            f"model.image_size must be a whole number of pixels, auto, or null to keep the images' own "
            f"size, not {image_size!r}"
        )
    require_within("model.dropout", dropout, "[0, 1)")
    if not backbone_lr_factor > 0.0:
        raise UsageError(
            f"model.backbone_lr_factor must be above 0, not {backbone_lr_factor}; to train the head "
            "alone, use model.mode=linear"
        )
