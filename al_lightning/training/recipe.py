"""How a classifier is trained: the same for every strategy of a comparison."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR

from al_lightning.data.datamodule import PoolDataModule
from al_lightning.data.source import ImageSource
from al_lightning.models.backbone import Backbone
from al_lightning.models.classifier import ImageClassifier
from al_lightning.utils.batch_sizes import batch_sizes
from al_lightning.utils.checks import require_within, whole_number
from al_lightning.utils.errors import UsageError
from al_lightning.utils.processor import computes_bfloat16

_WARM_UP = 0.3  # share of the steps, as torch has it
_ON_DIVERGENCE = ("refuse", "retry")
_PRECISIONS = ("auto", "32-true", "bf16-mixed", "16-mixed")


@dataclass(frozen=True)
class Recipe:
    """Optimiser, schedule, length, augmentation and precision of every fit of a run.

    Attributes:
        optimizer: Called with the parameters.
        scheduler: Called with the optimiser and ``total_steps``; None for a constant learning rate.
        epochs: Passes over the labeled images, at least 1.
        min_steps: Minimum number of steps: with few labels, a fit has more epochs. 0 for no minimum.
        max_steps: Maximum number of steps: with many labels, a fit has fewer epochs. None for no
            maximum.
        batch_size: Images per training step, at least 2 for batch normalisation.
        eval_batch_size: Images per batch in scoring and testing.
        augmentation: Applied to training images, see :class:`al_lightning.PoolDataModule`; None for
            no augmentation.
        label_smoothing: Share of the target spread over all classes, in [0, 1).
        precision: "auto" uses bf16 autocast if the hardware supports it, else float32; or one of
            Lightning's "32-true", "bf16-mixed", "16-mixed".
        warm_start: Whether a round starts from the weights of the previous round, instead of the
            initial weights.
        on_divergence: Action when a loss or a weight becomes NaN or infinite: "refuse" raises an error,
            "retry" fits once more from the start of the round, with a lower learning rate.
        fallback_factor: Learning rate of the second fit divided by that of the first, in (0, 1).

    Raises:
        UsageError: On values out of range; names the key.

    Example:
        >>> from al_lightning import Recipe
        >>> recipe = Recipe(epochs=3, batch_size=32, min_steps=10)
        >>> recipe.steps(labels=100), recipe.steps(labels=20)  # batches of 25, four an epoch; a floor
        (12, 10)
    """

    optimizer: Callable[..., Optimizer] = torch.optim.AdamW
    scheduler: Callable[..., LRScheduler] | None = None
    epochs: int = 10
    min_steps: int = 0
    max_steps: int | None = None
    batch_size: int = 64
    eval_batch_size: int = 256
    augmentation: nn.Module | None = None
    label_smoothing: float = 0.0
    precision: str = "auto"
    warm_start: bool = False
    on_divergence: str = "refuse"
    fallback_factor: float = 0.1

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name, least in (
            ("epochs", 1),
            ("min_steps", 0),
            ("batch_size", 2),
            ("eval_batch_size", 1),
        ):
            whole_number(f"recipe.{name}", getattr(self, name), least)
        if self.max_steps is not None:
            whole_number("recipe.max_steps", self.max_steps, 1)
            if self.max_steps < self.min_steps:
                raise UsageError(
                    f"recipe.max_steps must be at least recipe.min_steps = {self.min_steps}, or null, "
                    f"not {self.max_steps}"
                )
        require_within("recipe.label_smoothing", self.label_smoothing, "[0, 1)")
        require_within("recipe.fallback_factor", self.fallback_factor, "(0, 1)")
        if self.on_divergence not in _ON_DIVERGENCE:
            raise UsageError(
                f"recipe.on_divergence must be one of {', '.join(_ON_DIVERGENCE)}, "
                f"not {self.on_divergence!r}"
            )
        self._try_factories()
        if self.precision not in _PRECISIONS:
            raise UsageError(
                f"recipe.precision must be one of {', '.join(_PRECISIONS)}, not {self.precision!r}"
            )

    def _try_factories(self) -> None:
        """Build optimiser and schedule once, so that wrong arguments show before any work."""
        if not callable(self.optimizer):
            raise UsageError(
                "recipe.optimizer must make an optimiser of parameters, such as "
                f"partial(AdamW, lr=0.001), not {self.optimizer!r}"
            )
        try:
            optimizer = self.optimizer([nn.Parameter(torch.zeros(1))])
            if self.scheduler is not None:
                self.scheduler(optimizer, total_steps=100)
        except (TypeError, ValueError) as error:
            raise UsageError(
                f"recipe.optimizer or recipe.scheduler cannot be made: {error}"
            ) from error

    def datamodule(self, source: ImageSource) -> PoolDataModule:
        """Return the data module that serves a source in this recipe's batches."""
        return PoolDataModule(
            source,
            batch_size=self.batch_size,
            eval_batch_size=self.eval_batch_size,
            augment=self.augmentation,
        )

    def classifier(self, backbone: Backbone, num_classes: int) -> ImageClassifier:
        """Return the module that trains a backbone by this recipe."""
        module = ImageClassifier(
            backbone,
            num_classes,
            make_optimizer=self.optimizer,
            make_scheduler=self.scheduler,
            label_smoothing=self.label_smoothing,
        )
        # Convolutions run faster so in every precision that was measured; see docs/recipe.md.
        return module.to(memory_format=torch.channels_last)

    def fall_back(self, classifier: nn.Module) -> None:
        """Let the next fit of a classifier that this recipe made take the lower learning rate."""
        cast("ImageClassifier", classifier).lr_factor = self.fallback_factor

    def steps(self, labels: int) -> int:
        """Return the number of steps of a fit on so many labels."""
        steps = max(self.min_steps, self.epochs * len(batch_sizes(labels, self.batch_size)))
        return steps if self.max_steps is None else min(steps, self.max_steps)


def resolve_precision(precision: str, accelerator: str) -> str:
    """Return the precision to compute in.

    Args:
        precision: "auto", or what is wanted.
        accelerator: Where the run computes: "cpu", "cuda", "mps".

    Returns:
        For "auto": "bf16-mixed" where the hardware has bf16 units (AVX512-BF16, AMX or their like on
        CPUs; CUDA from Ampere on), else "32-true".
    """
    if precision != "auto":
        return precision
    if accelerator == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        fast = accelerator == "cpu" and computes_bfloat16()
    return "bf16-mixed" if fast else "32-true"


def one_cycle(optimizer: Optimizer, total_steps: int, **options: Any) -> LRScheduler:
    """One warm-up to the optimiser's own learning rate, and one descent (Smith & Topin 2018).

    Args:
        optimizer: Its learning rate is the peak.
        total_steps: Length of the fit, in steps.
        options: What else :class:`torch.optim.lr_scheduler.OneCycleLR` takes.
    """
    peaks = [group["lr"] for group in optimizer.param_groups]
    warm_up = options.pop("pct_start", _WARM_UP)
    if warm_up * total_steps == 1.0:  # torch divides by the steps of the warm-up less one
        warm_up += 0.5 / total_steps
    return OneCycleLR(
        optimizer, max_lr=peaks, total_steps=total_steps, pct_start=warm_up, **options
    )
