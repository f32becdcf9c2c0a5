"""An optimiser for convolutional networks: Muon for the filters, AdamW for everything else."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Muon, Optimizer
from torch.optim.optimizer import ParamsT

_FILTER_BANK = 4  # dimensions of a convolution's weights


class MuonAdamW(Optimizer):
    """Updates the filters of convolutions by Muon, and all other parameters by AdamW.

    Muon replaces the averaged gradient of a matrix by the nearest matrix whose rows or columns are
    orthonormal (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon). The filters of a
    convolution, (O, I, H, W), are taken as a matrix, (O, I*H*W). Dense layers stay with AdamW: their
    matrices are so large that Muon would take longer than the rest of the step.

    Both parts are torch's own; each parameter group is split into one of filters and one of the rest,
    so that a schedule of learning rates applies to both.

    Args:
        params: Parameters, or groups of them.
        lr: Learning rate of AdamW.
        betas: Decay of the averages of AdamW.
        eps: Added to the denominator of AdamW.
        weight_decay: Decoupled weight decay of AdamW.
        fused: Whether AdamW runs in one kernel; None leaves it to torch.
        filters_lr: Learning rate of Muon.
        filters_momentum: Momentum of Muon, in [0, 1).
        filters_weight_decay: Decoupled weight decay of the filters.

    Raises:
        ValueError: If an argument is out of range, as torch says it.

    Example:
        >>> import torch
        >>> from al_lightning import CNN
        >>> from al_lightning.training.muon import MuonAdamW
        >>> network = CNN((1, 28, 28), num_classes=10)
        >>> optimizer = MuonAdamW(network.parameters(), lr=3e-3, filters_lr=0.05)
        >>> [(group["filters"], len(group["params"])) for group in optimizer.param_groups]
        [(False, 18), (True, 4)]
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        fused: bool | None = None,
        filters_lr: float = 0.05,
        filters_momentum: float = 0.95,
        filters_weight_decay: float = 0.0,
    ) -> None:
        self._adamw = AdamW(
            [torch.zeros(1)], lr, betas=betas, eps=eps, weight_decay=weight_decay, fused=fused
        )
        self._for_filters = {
            "filters": True,
            "lr": filters_lr,
            "momentum": filters_momentum,
            "weight_decay": filters_weight_decay,
        }
        self._muon = _muon([torch.zeros(1, 1)], **self._for_filters)
        self._matrices: dict[Tensor, nn.Parameter] = {}
        super().__init__(params, {**self._adamw.defaults, "filters": False})

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters: its filters to Muon's, the rest to AdamW's."""
        given = param_group["params"]
        params = [given] if isinstance(given, Tensor) else list(given)
        filters = [p for p in params if p.ndim == _FILTER_BANK]
        others = [p for p in params if p.ndim != _FILTER_BANK]
        if others or not filters:
            super().add_param_group({**param_group, "params": others})
        if filters:
            super().add_param_group({**param_group, **self._for_filters, "params": filters})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take a step with all parameters that have a gradient.

        Args:
            closure: Computes the loss and the gradients.

        Returns:
            What the closure has returned; None without one.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        self._adamw.state = self.state
        self._adamw.param_groups = [g for g in self.param_groups if not g["filters"]]
        self._adamw.step()
        self._muon.state, self._muon.param_groups = {}, []  # type: ignore[assignment]
        for group in (g for g in self.param_groups if g["filters"]):
            matrices = [self._matrix(p) for p in group["params"] if p.grad is not None]
            self._muon.param_groups.append(
                {**self._muon.defaults, **_muon_options(group), "params": matrices}
            )
        self._muon.step()  # type: ignore[no-untyped-call]
        return loss

    def _matrix(self, filters: Tensor) -> nn.Parameter:
        """Return filters as a matrix that shares their memory, with its gradient and momentum."""
        # The order of columns does not matter to Muon; that of the memory needs no copy.
        strides = filters.stride()
        order = (0, *sorted((1, 2, 3), key=lambda dimension: -strides[dimension]))
        matrix = self._matrices.get(filters)
        if matrix is None or matrix.data_ptr() != filters.data_ptr():
            matrix = nn.Parameter(filters.detach().permute(order).view(len(filters), -1))
            self._matrices[filters] = matrix
        assert filters.grad is not None
        matrix.grad = filters.grad.permute(order).reshape(len(filters), -1)
        self._muon.state[matrix] = self.state[filters]
        return matrix


def _muon(params: list[Tensor], **options: Any) -> Muon:
    return Muon(params, **_muon_options(options))


def _muon_options(group: dict[str, Any]) -> dict[str, Any]:
    return {name: group[name] for name in ("lr", "momentum", "weight_decay")}
