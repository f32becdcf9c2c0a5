"""The convolutional baseline."""

from collections.abc import Sequence
from copy import deepcopy
from itertools import chain
from numbers import Integral

from torch import Tensor, nn

from al_lightning.models.backbone import Backbone
from al_lightning.models.dropout import ByteDropout
from al_lightning.models.flatten import PixelFlatten
from al_lightning.models.folding import fold_norms, is_as_made, note_layout
from al_lightning.models.halves import Halves
from al_lightning.models.offered import Stemmed
from al_lightning.utils.checks import require_within
from al_lightning.utils.errors import UsageError

_KERNEL = 3
_POOL = 2


class CNN(Backbone):
    """Blocks of 3x3 convolutions, then dense layers; every layer is followed by ReLU and batch norm.

    A max pooling by 2 stands between two blocks, and a dropout behind each. With its default
    arguments it is the baseline of the project: conv 32, conv 32, max pool 2, dropout .25, conv 64,
    conv 64, dropout .25, dense 512, dropout .5, dense C; 3,349,418 trainable parameters on
    3 x 32 x 32 images of 10 classes.

    >>> from al_lightning import CNN
    >>> network = CNN((3, 32, 32), num_classes=10)
    >>> sum(weight.numel() for weight in network.parameters())
    3349418

    Args:
        image_shape: Channels, height, width.
        num_classes: C, the number of logits.
        filters: The number of filters of each convolution, block by block.
        dense: The widths of the hidden dense layers; the last is the size of the embeddings.
            Without any, the embeddings are the flattened feature maps.
        block_dropout: Dropout probability after each block, in [0, 1).
        dense_dropout: Dropout probability after each hidden dense layer, in [0, 1). The embeddings
            are taken before this dropout.
        batch_norm: Whether layers are followed by batch normalisation.
        padding: Zero padding of each convolution in pixels: 0, 1, or "auto": 0 if the image is large
            enough, else 1 (maps keep their size).

    Raises:
        UsageError: If the image is too small for these blocks, or an argument is out of range.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        num_classes: int,
        filters: Sequence[Sequence[int]] = ((32, 32), (64, 64)),
        dense: Sequence[int] = (512,),
        block_dropout: float = 0.25,
        dense_dropout: float = 0.5,
        batch_norm: bool = True,
        padding: int | str = "auto",
    ) -> None:
        super().__init__()
        _check_arguments(filters, dense, block_dropout, dense_dropout)
        channels, height, width = image_shape
        pixels = _choose_padding(padding, filters, height, width)
        maps = _map_size(filters, pixels, height), _map_size(filters, pixels, width)

        layers: list[nn.Module] = []
        for index, block in enumerate(filters):
            for count in block:
                layers.append(nn.Conv2d(channels, count, _KERNEL, padding=pixels))
                layers.append(nn.ReLU(inplace=True))
                layers.extend([nn.BatchNorm2d(count)] * batch_norm)
                channels = count
            if index < len(filters) - 1:
                layers.append(nn.MaxPool2d(_POOL))
            layers.append(ByteDropout(block_dropout))
        layers.append(PixelFlatten())

        features = channels * maps[0] * maps[1]
        for index, width_ in enumerate(dense):
            if index > 0:
                layers.append(ByteDropout(dense_dropout))
            layers.extend([nn.Linear(features, width_), nn.ReLU(inplace=True)])
            layers.extend([nn.BatchNorm1d(width_)] * batch_norm)
            features = width_

        self.features = nn.Sequential(*layers)
        self.dropout = ByteDropout(dense_dropout if dense else 0.0)
        self.output = nn.Linear(features, num_classes)
        note_layout(self)

    def embed(self, images: Tensor) -> Tensor:
        """Return the outputs of the last hidden layer, before its dropout, (B, D)."""
        embeddings: Tensor = self.features(images)
        return embeddings

    def classify(self, embeddings: Tensor) -> Tensor:
        """Return the logits, (B, C)."""
        logits: Tensor = self.output(self.dropout(embeddings))
        return logits

    def for_evaluation(self) -> Backbone:
        """Return the network with batch norm folded into the next layers: 1.4 times as fast.

        Subclasses, and networks with changed layers, attributes or hooks, may compute something else;
        they are returned unchanged.
        """
        if not self._is_plain:
            return self
        return Halves(fold_norms(self.features), deepcopy(self.output))

    def for_sampling(self) -> Backbone:
        """Return the network divided before its first dropout, batch norm folded where none comes next.

        Subclasses, and networks that were changed, are returned unchanged, as by
        :meth:`for_evaluation`.
        """
        if not self._is_plain:
            return self
        layers = [*self.features]
        dropouts = (
            i for i, layer in enumerate(layers) if isinstance(layer, nn.Dropout) and layer.p
        )
        at = next(dropouts, len(layers))
        head = nn.Sequential(deepcopy(self.dropout), deepcopy(self.output)).eval()
        return Stemmed(fold_norms(layers[:at]), fold_norms(layers[at:], with_dropout=True), head)

    @property
    def _is_plain(self) -> bool:
        """Whether it is this network: no subclass, and nothing was changed."""
        return type(self) is CNN and is_as_made(self)


def _is_width(value: object) -> bool:
    return isinstance(value, Integral) and int(value) >= 1


def _check_arguments(
    filters: Sequence[Sequence[int]], dense: Sequence[int], *dropouts: float
) -> None:
    listed = isinstance(filters, Sequence) and len(filters) > 0
    if not listed or not all(isinstance(block, Sequence) and len(block) > 0 for block in filters):
        raise UsageError(
            f"model.filters must be a list of blocks such as [[32,32],[64,64]], not {filters}"
        )
    if not all(map(_is_width, chain(*filters))):
        raise UsageError(f"model.filters must be positive whole numbers, not {filters}")
    if not isinstance(dense, Sequence) or not all(map(_is_width, dense)):
        raise UsageError(
            f"model.dense must be a list of positive whole numbers such as [512], not {dense}"
        )
    for name, dropout in zip(("block", "dense"), dropouts, strict=True):
        require_within(f"model.{name}_dropout", dropout, "[0, 1)")


def _choose_padding(
    padding: int | str, filters: Sequence[Sequence[int]], height: int, width: int
) -> int:
    choices = (0, 1) if padding == "auto" else (padding,)
    if not set(choices) <= {0, 1}:
        raise UsageError(f'model.padding must be 0, 1 or "auto", not {padding!r}')
    side = min(height, width)
    for pixels in choices:
        if isinstance(pixels, int) and _map_size(filters, pixels, side) >= 1:
            return pixels
    advice = "" if padding == "auto" else ", or model.padding=auto"
    raise UsageError(
        f"Images of {height} x {width} are too small for model.filters={filters} with padding "
        f"{choices[-1]}: its convolutions and poolings leave no pixel. Take fewer layers or larger "
        f"images{advice}"
    )


def _map_size(filters: Sequence[Sequence[int]], padding: int, side: int) -> int:
    """Return the side of the last feature maps; below 1 where the image does not suffice."""
    for index, block in enumerate(filters):
        side -= len(block) * (_KERNEL - 1 - 2 * padding)
        if index < len(filters) - 1 and side > 0:
            side //= _POOL
        if side < 1:
            return 0
    return side
