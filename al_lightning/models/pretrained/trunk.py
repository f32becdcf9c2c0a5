"""A pretrained network without its head."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from torch import nn

from al_lightning.data.source import Normalization
from al_lightning.models.fixed_masks import DROPOUTS
from al_lightning.utils.digests import tensors_digest
from al_lightning.utils.errors import UsageError

_MATRIX = 2  # dimensions of the smallest weight that makes a layer
_BLOCK = 2  # layers of the smallest block


@dataclass(frozen=True)
class Trunk:
    """A pretrained network without its head, and the images that its weights expect.

    Attributes:
        network: Maps images, (B, 3, H, W), to embeddings, (B, D).
        features: D.
        source: The package that the network comes from, and its version.
        pretrained: Whether it has pretrained weights; random ones otherwise.
        normalization: What the weights expect; None without.
        interpolation: How images were resized for them: "bilinear" or "bicubic".
        dropout: The rate that the architecture has before its head.
        own_size: Side of the square images that the network was made for, in pixels; None where that is
            not known.
        take_size: Called with the network and the side of its images, where it was made for one size;
            it may replace parameters. None where every size will do.
    """

    network: nn.Module
    features: int
    source: str
    pretrained: bool
    normalization: Normalization | None = None
    interpolation: str = "bilinear"
    dropout: float = 0.0
    own_size: int | None = None
    take_size: Callable[[nn.Module, int], None] | None = None


def head_name(network: nn.Module) -> str:
    """Return the dotted name of the head: the last linear layer, or the last convolution if none is.

    Raises:
        UsageError: If there is neither.
    """
    kinds: tuple[type[nn.Module], ...] = (nn.Linear, nn.Conv2d)  # SqueezeNet: a convolution
    for kind in kinds:
        names: list[str] = [
            name for name, part in network.named_modules() if isinstance(part, kind)
        ]
        if names:
            return names[-1]
    raise UsageError(f"{type(network).__name__} has no linear layer to replace by a new head")


def remove_head(network: nn.Module) -> tuple[int, float]:
    """Let a network end in its embeddings.

    Its head becomes an identity, and so does a dropout right before it.

    Returns:
        The number of features that the head saw, and the rate of the dropout (0 without one).
    """
    name = head_name(network)
    parent_name, _, last = name.rpartition(".")
    parent, head = network.get_submodule(parent_name), network.get_submodule(name)
    setattr(parent, last, nn.Identity())
    features = int(getattr(head, "in_features", getattr(head, "in_channels", 0)))
    names = list(dict(parent.named_children()))
    before = names[names.index(last) - 1] if names.index(last) > 0 else last
    dropout = getattr(parent, before)
    # Of two children only a Sequential says which comes first.
    if not isinstance(parent, nn.Sequential) or not isinstance(dropout, nn.Dropout):
        return features, 0.0
    setattr(parent, before, nn.Identity())
    return features, dropout.p


def last_block(network: nn.Module) -> list[nn.Module]:
    """Return the last block of a trunk and all modules after it.

    The trunk is read as a row of pieces: its children, where one that holds more than half of all
    layers is replaced by its own children, again and again. A layer is a module with a weight of two or
    more dimensions, so no normalisation. The last piece of two layers or more is the last block: the
    last stage of a ResNet, the last transformer block, the last inverted residual of a MobileNet or
    EfficientNet, the dense layers of a VGG.
    """
    total = _count_layers(network)
    pieces = [piece for piece in _pieces(network, total) if any(True for _ in piece.parameters())]
    blocks = [index for index, piece in enumerate(pieces) if _count_layers(piece) >= _BLOCK]
    return pieces[blocks[-1] if blocks else -1 :]


def _pieces(module: nn.Module, total: int) -> Iterator[nn.Module]:
    for child in module.children():
        if 2 * _count_layers(child) > total and any(True for _ in child.children()):
            yield from _pieces(child, total)
        else:
            yield child


def _count_layers(module: nn.Module) -> int:
    return sum(
        any(weight.ndim >= _MATRIX for weight in part.parameters(recurse=False))
        for part in module.modules()
    )


def batch_norms(network: nn.Module) -> list[nn.Module]:
    """Return the batch normalisations of a network."""
    kinds = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
    return [part for part in network.modules() if isinstance(part, kinds)]


def silence_dropout(network: nn.Module) -> None:
    """Let the dropouts of a frozen network drop nothing, also where they are sampled from."""
    for part in network.modules():
        if isinstance(part, DROPOUTS):
            part.p = 0.0


def weights_digest(network: nn.Module) -> str:
    """Return a digest of all weights and buffers of a network, 16 hex digits."""
    return tensors_digest(network.state_dict())[:16]
