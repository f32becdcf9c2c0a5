"""Folds batch normalisation into the layers behind it, for evaluation."""

from collections.abc import Iterable
from copy import copy, deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from al_lightning.models.flatten import PixelFlatten

Norm = nn.BatchNorm1d | nn.BatchNorm2d
Layout = list[tuple[str, type[nn.Module], dict[str, Any]]]

_TENSORS = ("_parameters", "_buffers")
_MADE = "_made"  # where a network keeps the layout that it was made with
_LEFT_OUT = ("training", "_modules", _MADE)  # modules are compared one by one


def note_layout(module: nn.Module) -> None:
    """Store the layout of a network in it; see :func:`is_as_made`."""
    setattr(module, _MADE, _layout(module))


def is_as_made(module: nn.Module) -> bool:
    """Return whether a network has the layout that was noted; its weights may differ.

    Another layer, an attribute, a hook, a parametrization, pruning: with any of them it may compute
    something else than its class says.
    """
    return getattr(module, _MADE, None) == _layout(module)


def _layout(module: nn.Module) -> Layout:
    return [
        (name, type(part), _settings(part))
        for name, part in module.named_modules(remove_duplicate=False)
    ]


def _settings(part: nn.Module) -> dict[str, Any]:
    """Return the attributes of a module; of its weights and buffers, the names."""
    return {
        name: list(value) if name in _TENSORS else _copied(value)
        for name, value in vars(part).items()
        if name not in _LEFT_OUT
    }


def _copied(value: Any) -> Any:
    # copy() takes 50 microseconds for an OrderedDict, of which each layer has a dozen.
    return value.copy() if isinstance(value, dict) else copy(value)


def fold_norms(layers: Iterable[nn.Module], *, with_dropout: bool = False) -> nn.Sequential:
    """Return an equivalent, in evaluation mode, of a chain of layers, which has less to do.

    With its running statistics a batch normalisation is a factor and a shift a channel. It is moved
    past the layers that it commutes with, and absorbed by the next convolution or dense layer. A layer
    that cannot absorb it is preceded by it, as before: zero padding would have to be shifted too, and a
    max pooling does not commute with a negative factor. ReLU moves behind a max pooling, where fewer
    pixels are left, and dropout, which does nothing in evaluation, is left out unless it is sampled.

    Args:
        layers: Convolutions, dense layers, normalisations and what stands between them, of maps,
            (B, C, H, W), or vectors, (B, D). They stay as they are: nothing is shared with them.
        with_dropout: Keep dropout, which no normalisation is moved past.
    """
    chain: list[nn.Module] = []
    norm: Norm | None = None  # carried, and not in the chain
    place = 0  # in the chain, where it would be
    for layer in map(deepcopy, layers):
        if isinstance(layer, nn.Dropout) and not with_dropout:
            continue
        if norm is not None and not _commutes(layer, norm):
            if not _absorb(layer, norm, flattened=any(isinstance(c, PixelFlatten) for c in chain)):
                chain.insert(place, norm)
            norm = None
        if isinstance(layer, Norm) and layer.running_mean is not None:
            norm, place = layer, len(chain)
        elif isinstance(layer, nn.MaxPool2d) and chain and isinstance(chain[-1], nn.ReLU):
            chain.insert(-1, layer)
            place = len(chain)
        else:
            chain.append(layer)
    if norm is not None:
        chain.insert(place, norm)
    return nn.Sequential(*chain).eval()


def _commutes(layer: nn.Module, norm: Norm) -> bool:
    """Return whether a normalisation may be moved behind a layer."""
    if isinstance(layer, nn.MaxPool2d):
        return bool((_affine(norm)[0] >= 0).all())
    # The order of the features repeats that of the channels.
    return isinstance(layer, PixelFlatten) and isinstance(norm, nn.BatchNorm2d)


def _absorb(layer: nn.Module, norm: Norm, *, flattened: bool) -> bool:
    """Fold the normalisation before a layer into it; the maps may be flattened between the two.

    Returns:
        Whether it can. If not, it is as it was.
    """
    factor, shift = _affine(norm)
    # Exact types: a subclass may compute something else.
    if type(layer) is nn.Linear and (flattened or isinstance(norm, nn.BatchNorm1d)):
        repeats = layer.in_features // norm.num_features
        factor, shift = factor.repeat(repeats), shift.repeat(repeats)
    elif type(layer) is nn.Conv2d and layer.groups == 1 and layer.padding == (0, 0):
        factor, shift = factor[:, None, None], shift[:, None, None]
    else:
        return False
    extra = (layer.weight * shift).flatten(1).sum(1)
    bias = extra if layer.bias is None else layer.bias + extra
    layer.weight = nn.Parameter((layer.weight * factor).detach())
    layer.bias = nn.Parameter(bias.detach())
    return True


def _affine(norm: Norm) -> tuple[Tensor, Tensor]:
    """Return the factor and the shift of a normalisation, (C,) each."""
    if norm.running_mean is None or norm.running_var is None:
        raise ValueError(
            "A normalisation without running statistics is not the same for all batches"
        )
    factor = torch.rsqrt(norm.running_var + norm.eps)
    if norm.affine:
        factor = factor * norm.weight
    shift = -norm.running_mean * factor
    return factor, shift + norm.bias if norm.affine else shift
