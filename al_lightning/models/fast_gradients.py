"""Calls of torch whose gradients a processor computes slowly in bfloat16, computed in another way."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

_SMALL = 3  # side of the kernels whose gradients are fast in every precision
_MOST_SCORES = 2**24  # of an attention: they are kept for the gradients


def fast_gradients(network: nn.Module) -> AbstractContextManager[object]:
    """Return a context in which a network is called if gradients are to be taken.

    Under autocast on a processor, two kinds of gradients are slow in bfloat16, see
    docs/performance.md; here they are fast:

    - a depthwise convolution that has a stride, a dilation or a kernel larger than 3 x 3: it is
      computed in float32;
    - attention by torch's fused kernel: it is computed by its formula.

    Everything else stays as it is: other calls, calls without gradients, other devices.

    >>> import torch
    >>> from torch import nn
    >>> depthwise = nn.Conv2d(8, 8, kernel_size=3, stride=2, groups=8)
    >>> with torch.autocast("cpu", dtype=torch.bfloat16), fast_gradients(depthwise):
    ...     depthwise(torch.zeros(1, 8, 9, 9)).dtype
    torch.float32

    Args:
        network: What is called.
    """
    taken = torch.is_grad_enabled() and torch.is_autocast_enabled("cpu")
    return _FastGradients() if taken and _may_be_slow(network) else nullcontext()


def _may_be_slow(network: nn.Module) -> bool:
    """Return whether a network has what is slow; attention comes with layer normalisation."""
    return any(
        isinstance(part, nn.LayerNorm)
        or (isinstance(part, nn.Conv2d) and 1 < part.groups == part.in_channels)
        for part in network.modules()
    )


class _FastGradients(TorchFunctionMode):
    """Sees each call of a function of torch, whatever module makes it."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Call a function of torch, or what stands for it."""
        kwargs = kwargs or {}
        if func is torch.conv2d and _is_slow_convolution(*args, **kwargs):
            return _in_float32(func, args, kwargs)
        if func is F.scaled_dot_product_attention and _is_slow_attention(*args, **kwargs):
            return _attention(*args, **kwargs)
        return func(*args, **kwargs)


def _is_slow_convolution(
    input: Tensor,  # noqa: A002 - the names of torch.conv2d
    weight: Tensor,
    bias: Tensor | None = None,  # noqa: ARG001
    stride: int | tuple[int, ...] = 1,
    padding: object = 0,  # noqa: ARG001
    dilation: int | tuple[int, ...] = 1,
    groups: int = 1,
) -> bool:
    plain = _is_one(stride) and _is_one(dilation) and max(weight.shape[-2:]) <= _SMALL
    return not plain and 1 < groups == input.shape[-3] and _are_taken(input, weight)


def _is_one(step: int | tuple[int, ...]) -> bool:
    return step == 1 if isinstance(step, int) else all(each == 1 for each in step)


def _are_taken(*tensors: Tensor) -> bool:
    """Return whether a processor will compute gradients of any of these."""
    return any(each.requires_grad and each.device.type == "cpu" for each in tensors)


def _in_float32(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with torch.autocast("cpu", enabled=False):
        return func(*map(_float32, args), **{k: _float32(v) for k, v in kwargs.items()})


def _float32(value: Any) -> Any:
    return value.float() if isinstance(value, Tensor) else value


def _is_slow_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,  # noqa: ARG001
    enable_gqa: bool = False,
) -> bool:
    others = attn_mask is not None or dropout_p or is_causal or enable_gqa
    few = query.shape[:-1].numel() * key.shape[-2] <= _MOST_SCORES
    return not others and few and _are_taken(query, key, value)


def _attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: None = None,  # noqa: ARG001 - the places of torch
    dropout_p: float = 0.0,  # noqa: ARG001
    is_causal: bool = False,  # noqa: ARG001
    scale: float | None = None,
    enable_gqa: bool = False,  # noqa: ARG001
) -> Tensor:
    """Return softmax(scale Q K^T) V, (..., queries, D); Vaswani 2017."""
    factor = query.shape[-1] ** -0.5 if scale is None else scale
    scores = (query * factor) @ key.transpose(-2, -1)
    return torch.matmul(scores.softmax(-1), value)
