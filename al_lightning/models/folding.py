"""Batch normalisation that costs nothing once a network is trained."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from al_lightning.models.flatten import PixelFlatten


def fold_norms(layers: Iterable[nn.Module]) -> nn.Sequential:
    """Return an equivalent, in evaluation mode, of a chain of layers, which has less to do.

    With its running statistics a batch normalisation is a factor and a shift a channel. It is carried
    past what does not mind it, and becomes part of the next convolution or dense layer. What cannot
    take it is preceded by it, as before: zero padding would have to be shifted too, and a max pooling
    does not commute with a negative factor. ReLU moves behind a max pooling, where fewer pixels are
    left, and dropout, which does nothing in evaluation, is left out.

    Args:
        layers: Convolutions, dense layers, normalisations and what stands between them. They stay as
            they are; those that need not change are shared.
    """
    chain: list[nn.Module] = []
    norm: _BatchNorm | None = None  # carried, and not in the chain
    for layer in layers:
        if isinstance(layer, nn.Dropout):
            continue
        if norm is not None and not _lets_past(layer, norm):
            folded = _with(norm, layer)
            if folded is None:
                _put_back(chain, norm)
            layer, norm = folded or layer, None  # noqa: PLW2901 - from here on it stands for both
        if isinstance(layer, _BatchNorm) and layer.running_mean is not None:
            norm = layer
        elif isinstance(layer, nn.MaxPool2d) and chain and isinstance(chain[-1], nn.ReLU):
            chain.insert(-1, layer)
        else:
            chain.append(layer)
    if norm is not None:
        _put_back(chain, norm)
    return nn.Sequential(*chain).eval()


def _lets_past(layer: nn.Module, norm: _BatchNorm) -> bool:
    """Return whether it is the same before and behind a layer."""
    if isinstance(layer, nn.MaxPool2d):
        return bool((_affine(norm)[0] >= 0).all())
    return isinstance(layer, PixelFlatten)  # the order of its features repeats that of the channels


def _put_back(chain: list[nn.Module], norm: _BatchNorm) -> None:
    """Let it be a layer again, of maps and not of what they were flattened to."""
    chain.insert(len(chain) - isinstance(chain[-1] if chain else None, PixelFlatten), norm)


def _with(norm: _BatchNorm, layer: nn.Module) -> nn.Module | None:
    """Return a copy of a layer that does the work of the normalisation before it; None if it cannot."""
    if isinstance(layer, nn.Linear):
        repeats = layer.in_features // norm.num_features
        folded: nn.Linear | nn.Conv2d = nn.Linear(layer.in_features, layer.out_features)
        factor, shift = (values.repeat(repeats) for values in _affine(norm))
    elif isinstance(layer, nn.Conv2d) and layer.groups == 1 and layer.padding == (0, 0):
        folded = nn.Conv2d(
            layer.in_channels,
            layer.out_channels,
            layer.kernel_size,  # type: ignore[arg-type]
            layer.stride,  # type: ignore[arg-type]
            dilation=layer.dilation,  # type: ignore[arg-type]
        )
        factor, shift = (values[:, None, None] for values in _affine(norm))
    else:
        return None
    _set(folded, layer.weight * factor, layer.bias, (layer.weight * shift).flatten(1).sum(1))
    return folded


def _set(folded: nn.Linear | nn.Conv2d, weight: Tensor, bias: Tensor | None, extra: Tensor) -> None:
    """Give a layer its values, on the device and in the layout that they have."""
    folded.weight = nn.Parameter(weight.detach())
    folded.bias = nn.Parameter((extra if bias is None else bias + extra).detach())


def _affine(norm: _BatchNorm) -> tuple[Tensor, Tensor]:
    """Return its factor and its shift, (C,) each."""
    if norm.running_mean is None or norm.running_var is None:
        raise ValueError(
            "A normalisation without running statistics is not the same for all batches"
        )
    factor = torch.rsqrt(norm.running_var + norm.eps)
    if norm.affine:
        factor = factor * norm.weight
    shift = -norm.running_mean * factor
    return factor, shift + norm.bias if norm.affine else shift
