"""Depthwise convolutions whose gradients a processor computes fast in float32 alone."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

_SMALL = 3  # side of the kernels whose gradients are fast in every precision


def fast_gradients(network: nn.Module) -> AbstractContextManager[object]:
    """Return a context in which a network is called if gradients are to be taken.

    Under autocast on a processor, the gradients of a depthwise convolution that has a stride, a
    dilation or a kernel larger than 3 x 3 take many times as long in bfloat16 as in float32; see
    docs/performance.md. In this context it is computed in float32. Everything else stays as it is:
    other convolutions, calls without gradients, other devices.

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
    return _InFloat32() if taken and has_depthwise(network) else nullcontext()


def has_depthwise(network: nn.Module) -> bool:
    """Return whether a network has a convolution with a kernel of its own for every channel."""
    return any(
        isinstance(part, nn.Conv2d) and 1 < part.groups == part.in_channels
        for part in network.modules()
    )


class _InFloat32(TorchFunctionMode):
    """Sees each call of a function of torch, so that a convolution may be made by any module."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Call a function of torch."""
        kwargs = kwargs or {}
        if func is not torch.conv2d or not _is_slow(*args, **kwargs):
            return func(*args, **kwargs)
        with torch.autocast("cpu", enabled=False):
            return func(*map(_float32, args), **{k: _float32(v) for k, v in kwargs.items()})


def _is_slow(
    input: Tensor,  # noqa: A002 - the names of torch.conv2d
    weight: Tensor,
    bias: Tensor | None = None,  # noqa: ARG001
    stride: int | tuple[int, ...] = 1,
    padding: object = 0,  # noqa: ARG001
    dilation: int | tuple[int, ...] = 1,
    groups: int = 1,
) -> bool:
    """Return whether the gradients of a convolution are slow in bfloat16 on a processor."""
    plain = _is_one(stride) and _is_one(dilation) and max(weight.shape[-2:]) <= _SMALL
    taken = input.requires_grad or weight.requires_grad
    return not plain and taken and 1 < groups == input.shape[-3] and input.device.type == "cpu"


def _is_one(step: int | tuple[int, ...]) -> bool:
    return step == 1 if isinstance(step, int) else all(each == 1 for each in step)


def _float32(value: Any) -> Any:
    return value.float() if isinstance(value, Tensor) else value
