"""The zoo of timm, an extra."""

from importlib import import_module
from typing import Any

from torch import nn

from al_lightning.data.source import Normalization
from al_lightning.models.pretrained.kept_trunk import kept
from al_lightning.models.pretrained.modes import PretrainedBackbone
from al_lightning.models.pretrained.trunk import Trunk
from al_lightning.models.pretrained.weights import (
    WITHOUT_DOWNLOAD,
    load_weights,
    read_state_dict,
    require_choice,
)
from al_lightning.utils.errors import UsageError
from al_lightning.utils.hints import did_you_mean

_INTERPOLATIONS = ("bilinear", "bicubic")


class TimmBackbone(PretrainedBackbone):
    """Any network of timm, with its published weights or others.

    >>> import torch
    >>> from al_lightning.models import TimmBackbone
    >>> network = TimmBackbone((3, 32, 32), 10, "resnet10t", weights=None)
    >>> network.embed(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 512])

    Args:
        image_shape: Channels, height, width.
        num_classes: The number of logits.
        name: What timm calls it, such as "convnext_tiny".
        weights: "DEFAULT" or a tag of its published weights, such as "in12k_ft_in1k"; the path of a
            state dict; None for random weights.
        options: See :class:`~al_lightning.models.PretrainedBackbone`.

    Raises:
        UsageError: If timm is not installed, there is no such network, or its weights cannot be had or
            do not fit.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        num_classes: int,
        name: str,
        weights: str | None = "DEFAULT",
        **options: Any,
    ) -> None:
        super().__init__(timm_trunk(name, weights), image_shape, num_classes, **options)

    @classmethod
    def own_size(cls, name: str = "", **options: Any) -> int | None:  # noqa: ARG003
        """Return the image size of its published weights, in pixels; None for names that timm lacks."""
        config = import_timm().get_pretrained_cfg(name)
        return None if config is None else int(config.input_size[-1])


@kept
def timm_trunk(name: str, weights: str | None) -> Trunk:
    """Return a network of timm without its head.

    Raises:
        UsageError: If timm is not installed, there is no such network, or its weights cannot be had or
            do not fit.
    """
    timm = import_timm()
    if not timm.is_model(name):
        hint = did_you_mean(name, timm.list_models())
        raise UsageError(f"model.name={name} is no network of timm{hint}")
    tags = [model.partition(".")[2] for model in timm.list_models(f"{name}.*", pretrained=True)]
    if weights is None or weights in ("DEFAULT", *tags):
        tag = "" if weights in (None, "DEFAULT") else f".{weights}"
        network = _create(f"{name}{tag}", pretrained=weights is not None)
    else:
        path = require_choice(name, weights, ["DEFAULT", *tags])
        network = _create(name, pretrained=False)
        load_weights(network, read_state_dict(path), path, _heads(network))
    return as_trunk(network, pretrained=weights is not None)


def take_size(network: Any, size: int) -> None:
    """Let a network take square images of this many pixels, if it was made for one size alone.

    Position embeddings of transformers are interpolated to the new grid of patches.

    Raises:
        UsageError: If the network cannot take them, such as a size that is no multiple of its patches.
    """
    own = network.pretrained_cfg
    if not own.get("fixed_input_size") or own["input_size"][-1] == size:
        return
    if not hasattr(network, "set_input_size"):
        return  # it says itself what it cannot take
    try:
        network.set_input_size(img_size=(size, size))
    except (AssertionError, ValueError, RuntimeError) as error:
        raise UsageError(
            f"model.image_size={size} is not possible for {own['architecture']}, which was made for "
            f"{own['input_size'][-1]} pixels: {error}"
        ) from error
    patch = network.patch_embed.patch_size[0]
    if size % patch:
        raise UsageError(
            f"model.image_size={size} is no multiple of the {patch} pixels of a patch of "
            f"{own['architecture']}: take {max(1, size // patch) * patch}"
        )


def _features(network: Any) -> int:
    return int(getattr(network, "head_hidden_size", None) or network.num_features)


def as_trunk(network: nn.Module, pretrained: bool) -> Trunk:
    """Return a headless network of timm with its normalisation, interpolation and size."""
    timm = import_timm()
    wanted = timm.data.resolve_model_data_config(network)
    interpolation = wanted["interpolation"]
    return Trunk(
        network,
        _features(network),
        f"timm {timm.__version__}",
        pretrained,
        Normalization(tuple(wanted["mean"]), tuple(wanted["std"])),
        interpolation if interpolation in _INTERPOLATIONS else "bilinear",
        own_size=int(wanted["input_size"][-1]),
        take_size=take_size,
    )


def import_timm() -> Any:
    """Return timm.

    Raises:
        UsageError: If it is not installed; says how to.
    """
    try:
        return import_module("timm")
    except ImportError as error:
        raise UsageError(
            f'The networks of timm need timm ({error}): pip install "al-lightning[timm]"'
        ) from error


def _create(name: str, pretrained: bool) -> nn.Module:
    timm = import_timm()
    if not pretrained:
        network: nn.Module = timm.create_model(name, pretrained=False, num_classes=0)
        return network
    try:
        network = timm.create_model(name, pretrained=True, num_classes=0)
    except Exception as error:  # the hub, its client and timm have errors of many kinds
        settings = import_module("huggingface_hub").constants
        raise UsageError(
            f"The weights of {name} are not available: they are not in {settings.HF_HUB_CACHE}, and "
            f"downloading them from {settings.ENDPOINT} failed ({type(error).__name__}: {error}). Put "
            "them there by hand (HF_HUB_OFFLINE=1 keeps the hub from trying), or take "
            f"model.weights=<path of a state dict>. {WITHOUT_DOWNLOAD}"
        ) from error
    return network


def _heads(network: Any) -> tuple[str, ...]:
    """Return the names of a network's classifiers in timm; some have two."""
    names = network.pretrained_cfg.get("classifier") or ()
    return (names,) if isinstance(names, str) else tuple(names)
