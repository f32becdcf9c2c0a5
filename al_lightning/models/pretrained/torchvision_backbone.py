"""The classifiers of torchvision's registry."""

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

import torchvision
from torch import Tensor, nn
from torchvision.models import get_model, get_model_weights, list_models

from al_lightning.data.source import Normalization
from al_lightning.models.pretrained.kept_trunk import kept
from al_lightning.models.pretrained.modes import PretrainedBackbone
from al_lightning.models.pretrained.trunk import Trunk, head_name, remove_head
from al_lightning.models.pretrained.weights import (
    fetch_weights,
    load_weights,
    read_state_dict,
    require_choice,
)
from al_lightning.utils.errors import UsageError
from al_lightning.utils.hints import did_you_mean

_AUXILIARY = ("aux1", "aux2", "AuxLogits")  # second heads of GoogLeNet and Inception, for training
_OF_2017 = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.([12]\.)")  # norm.1 is norm1 today


class TorchvisionBackbone(PretrainedBackbone):
    """Any classifier of torchvision, with its published weights or others.

    >>> import torch
    >>> from al_lightning.models import TorchvisionBackbone
    >>> network = TorchvisionBackbone((3, 32, 32), 10, "resnet18", weights=None)
    >>> network.embed(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 512])

    Args:
        image_shape: Channels, height, width.
        num_classes: The number of logits.
        name: What torchvision calls it, such as "resnet18".
        weights: "DEFAULT" or another name of its weights enum; the path of a state dict; None for
            random weights. Weights of a path are taken to expect what the default ones expect.
        options: See :class:`~al_lightning.models.PretrainedBackbone`.

    Raises:
        UsageError: If there is no such network, or its weights cannot be had or do not fit.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        num_classes: int,
        name: str,
        weights: str | None = "DEFAULT",
        **options: Any,
    ) -> None:
        super().__init__(torchvision_trunk(name, weights), image_shape, num_classes, **options)

    @classmethod
    def own_size(cls, name: str = "", **options: Any) -> int | None:  # noqa: ARG003
        """Return the image size that the default weights were tested at, in pixels."""
        return _crop(_published_weights(name)["DEFAULT"].value.transforms())


@kept
def torchvision_trunk(name: str, weights: str | None) -> Trunk:
    """Return a network of torchvision without its head.

    Raises:
        UsageError: If there is no such network, or its weights cannot be had or do not fit.
    """
    published = _published_weights(name)
    source = f"torchvision {torchvision.__version__}"
    transforms = published["DEFAULT"].value.transforms()
    own_size = _crop(transforms)
    if weights is None:
        network = get_model(name, weights=None)
        features, dropout = _cut(network)
        return Trunk(network, features, source, False, dropout=dropout, own_size=own_size)
    if (choice := published.get(weights)) is not None:
        transforms = choice.value.transforms()
        path = fetch_weights(choice.value.url, f"model.weights={weights} of {name}")
        read_state_dict(path)
        network = get_model(name, weights=choice, progress=False)
        features, dropout = _cut(network)
    else:
        path = require_choice(name, weights, published)
        network = get_model(name, weights=None)
        if hasattr(network, "transform_input"):  # as torchvision sets it for its own weights
            network.transform_input = True
        ignored = (head_name(network), *_AUXILIARY)
        features, dropout = _cut(network)
        load_weights(network, _renamed(read_state_dict(path)), path, ignored)
    return Trunk(
        network,
        features,
        source,
        pretrained=True,
        normalization=Normalization(tuple(transforms.mean), tuple(transforms.std)),
        interpolation=transforms.interpolation.value,
        dropout=dropout,
        own_size=own_size,
    )


def _published_weights(name: str) -> dict[str, Enum]:
    """Return the members of a network's weights enum by name, "DEFAULT" among them."""
    known = list_models(module=torchvision.models)
    if name not in known:
        hint = did_you_mean(name, known) or f": expected one of {', '.join(known)}"
        raise UsageError(f"model.name={name} is no classifier of torchvision{hint}")
    return dict(get_model_weights(name).__members__)


def _renamed(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights with the names of today: the files of DenseNets have those of 2017."""
    return {_OF_2017.sub(r"\1\2", name): tensor for name, tensor in state.items()}


def _crop(transforms: Any) -> int:
    return int(transforms.crop_size[0])


def _cut(network: nn.Module) -> tuple[int, float]:
    """Remove the heads of a network; return the number of features, and the dropout."""
    for name in _AUXILIARY:
        if hasattr(network, name):
            setattr(network, name, None)
            setattr(network, "aux_logits", False)  # noqa: B010 - a plain attribute, no module
    return remove_head(network)
