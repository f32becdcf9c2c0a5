"""Dropout masks that are the same for all images."""

from functools import partial
from types import TracebackType
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd
from torch.utils.hooks import RemovableHandle

from al_lightning.utils.errors import UsageError
from al_lightning.utils.randomness import derive_generator

#: Single units, and whole channels. Alpha dropout shifts what it drops, and is not sampled.
_OF_UNITS = (nn.Dropout,)
_OF_CHANNELS = (nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)
#: What is sampled, and what a frozen network does without.
DROPOUTS = (*_OF_UNITS, *_OF_CHANNELS)


class FixedMasks:
    """Samples subnetworks of a module: sample k drops the same units of every image.

    Monte-Carlo dropout usually draws one mask per image, and so a different network for each image.
    A joint quantity of two images, such as their joint entropy, is defined only for one network.
    A fixed mask also makes the prediction of an image independent of its batch.

    Within the context the dropout modules multiply by masks while a sample is chosen, and do nothing
    otherwise; the module must be in evaluation mode. Afterwards the modules are restored.

    Gal & Ghahramani, "Dropout as a Bayesian approximation", ICML 2016; with fixed masks: Kirsch, van
    Amersfoort & Gal, "BatchBALD", NeurIPS 2019.

    Args:
        module: Whose dropout modules (Dropout, Dropout1d, 2d and 3d of p > 0) are sampled.
        seed: A mask depends only on the seed, the name of its dropout module and the number of the
            sample. torch's global generator is not used.

    Attributes:
        used: Whether a dropout module was called since a sample was last chosen.
    """

    def __init__(self, module: nn.Module, seed: int) -> None:
        self.used = False
        self._seed = seed
        self._dropouts = _active_dropouts(module)
        self._sample: int | None = None
        self._calls: dict[str, int] = {}
        self._masks: dict[tuple[str, int, int], Tensor] = {}
        self._handles: list[RemovableHandle] = []

    def __enter__(self) -> Self:
        for name, dropout in self._dropouts.items():
            self._handles.append(dropout.register_forward_hook(partial(self._apply, name)))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        while self._handles:
            self._handles.pop().remove()
        self._masks.clear()

    def choose(self, sample: int | None) -> None:
        """Choose the sample of the next forward pass, from 0; None for no dropout at all."""
        self._sample = sample
        self._calls = {}
        self.used = False

    def _apply(self, name: str, dropout: _DropoutNd, inputs: object, output: Tensor) -> Tensor:  # noqa: ARG002
        """Return the mask of a dropout module, of the shape (B, ...) of its output."""
        self.used = True
        if self._sample is None:
            return output
        call = self._calls.get(name, 0)  # a module that is called twice has two masks
        self._calls[name] = call + 1
        key = (name, call, self._sample)
        if key not in self._masks:
            generator = derive_generator(self._seed, *key)
            drawn = torch.rand(_mask_shape(dropout, output), generator=generator)
            self._masks[key] = _like(drawn >= dropout.p, output)
        kept = 1 - dropout.p if dropout.p < 1 else 1
        return (output * self._masks[key]).div_(kept)


def require_dropout(module: nn.Module) -> None:
    """Check that a module has dropout to sample from.

    Raises:
        UsageError: If it has none.
    """
    if not _active_dropouts(module):
        raise UsageError(
            f"The strategy samples by dropout, but {type(module).__name__} has none: take a model "
            "with dropout (model.dense_dropout, model.block_dropout), or another strategy"
        )


def _active_dropouts(module: nn.Module) -> dict[str, _DropoutNd]:
    return {
        name: part
        for name, part in module.named_modules()
        if isinstance(part, DROPOUTS) and part.p > 0
    }


def _like(mask: Tensor, output: Tensor) -> Tensor:
    """Return a mask, (1, ...), as outputs, (B, ...), lie: other products take five times as long."""
    if mask.shape[1:] != output.shape[1:]:
        return mask.to(output)
    return torch.empty_like(output[:1]).copy_(mask)


def _mask_shape(dropout: _DropoutNd, output: Tensor) -> tuple[int, ...]:
    if isinstance(dropout, _OF_CHANNELS):
        return (1, output.shape[1], *[1] * (output.ndim - 2))
    return (1, *output.shape[1:])
