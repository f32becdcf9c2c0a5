"""Flattening without a copy of feature maps in channels-last memory."""

from torch import Tensor, nn


class PixelFlatten(nn.Module):
    """Flattens feature maps pixel by pixel, (B, C, H, W) to (B, H * W * C).

    torch's own goes channel by channel, so that maps in channels-last memory are copied on the way, and
    their gradients come back in another layout than the maps: batch normalisation behind the last
    convolution then took ten times as long, a sixth of a training step of the CNN. The order is of
    no meaning to a dense layer.
    """

    def forward(self, maps: Tensor) -> Tensor:
        """Return the features of each pixel in a row; a view if the maps are channels-last."""
        return maps.permute(0, 2, 3, 1).flatten(1)
