import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d, relu

from al_lightning.models import ResNet18Small
from al_lightning.utils.errors import UsageError


def test_it_has_the_published_size_and_maps() -> None:
    network = ResNet18Small((3, 32, 32), 10).eval()
    assert sum(weight.numel() for weight in network.parameters()) == 11_173_962
    sizes = []
    for part in ("conv1", "layer1", "layer2", "layer3", "layer4"):
        network.features.get_submodule(part).register_forward_hook(
            lambda _, __, output: sizes.append(tuple(output.shape[1:]))
        )
    with torch.no_grad():
        logits = network(torch.zeros(2, 3, 32, 32))
    assert sizes == [(64, 32, 32), (64, 32, 32), (128, 16, 16), (256, 8, 8), (512, 4, 4)]
    assert logits.shape == (2, 10)


def test_the_stem_has_stride_one_and_no_pooling() -> None:
    network = ResNet18Small((1, 9, 9), 3).eval()
    seen = []
    layer1, stem, norm = (network.features.get_submodule(n) for n in ("layer1", "conv1", "bn1"))
    layer1.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    assert isinstance(stem, nn.Conv2d)
    images = torch.rand(2, 1, 9, 9)
    with torch.no_grad():
        network.embed(images)
        expected = relu(norm(conv2d(images, stem.weight, padding=1)))
    torch.testing.assert_close(seen[0], expected)


def test_dropout_lies_between_embeddings_and_logits() -> None:
    network = ResNet18Small((1, 9, 9), 3, dropout=0.5).train()
    embeddings = torch.ones(4, 512)
    assert not torch.equal(network.classify(embeddings), network.classify(embeddings))
    with pytest.raises(UsageError, match=r"model\.dropout must be in \[0, 1\)"):
        ResNet18Small((1, 9, 9), 3, dropout=1.0)
