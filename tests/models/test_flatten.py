import torch
from torch import nn

from al_lightning.models.flatten import PixelFlatten


def test_features_of_a_pixel_are_neighbours() -> None:
    maps = torch.tensor([[[[1.0, 2.0]], [[3.0, 4.0]], [[5.0, 6.0]]]])  # 3 channels of 1 x 2 pixels
    assert PixelFlatten()(maps).tolist() == [[1.0, 3.0, 5.0, 2.0, 4.0, 6.0]]


def test_a_dense_layer_is_the_same_up_to_the_order_of_its_weights() -> None:
    torch.manual_seed(0)
    maps, dense = torch.rand(4, 5, 3, 2), nn.Linear(30, 7)
    expected = dense(maps.flatten(1))
    weight = dense.weight.detach().view(7, 5, 3, 2).permute(0, 2, 3, 1).flatten(1)
    output = nn.functional.linear(PixelFlatten()(maps), weight, dense.bias)
    torch.testing.assert_close(output, expected)


def test_maps_in_channels_last_memory_are_not_copied() -> None:
    maps = torch.rand(4, 5, 3, 2).contiguous(memory_format=torch.channels_last)
    assert PixelFlatten()(maps).data_ptr() == maps.data_ptr()


def test_gradients_keep_the_layout_of_the_maps() -> None:
    maps = torch.rand(4, 5, 3, 2).contiguous(memory_format=torch.channels_last).requires_grad_()
    PixelFlatten()(maps).square().sum().backward()
    assert maps.grad is not None
    assert maps.grad.is_contiguous(memory_format=torch.channels_last)
