from typing import Any

import pytest
import torch
from torch import nn
from torchvision.models import get_model

from al_lightning.models.pretrained.trunk import (
    batch_norms,
    head_name,
    last_block,
    remove_head,
    silence_dropout,
    weights_digest,
)
from al_lightning.utils.errors import UsageError
from tests.helpers import Linear
from tests.models.zoo import tiny_network

# Architecture: its head, the features the head sees, the dropout before it, the last block.
ZOO: dict[str, tuple[str, int, float, list[str]]] = {
    "resnet18": ("fc", 512, 0.0, ["layer4"]),
    "resnet50": ("fc", 2048, 0.0, ["layer4"]),
    "vgg16_bn": ("classifier.6", 4096, 0.5, ["classifier"]),
    "mobilenet_v3_small": (
        *("classifier.3", 1024, 0.2),
        ["features.11", "features.12", "classifier"],
    ),
    "efficientnet_b0": ("classifier.1", 1280, 0.2, ["features.7", "features.8"]),
    "vit_b_16": ("heads.head", 768, 0.0, ["encoder.layers.encoder_layer_11", "encoder.ln"]),
    "densenet121": ("classifier", 1024, 0.0, ["features.denseblock4", "features.norm5"]),
    "swin_t": ("head", 768, 0.0, ["features.7", "norm"]),
    "convnext_tiny": ("classifier.2", 768, 0.0, ["features.7", "classifier"]),
    "squeezenet1_1": ("classifier.1", 512, 0.5, ["features.12"]),
}


def on_paper(name: str) -> nn.Module:
    """A network without memory for its weights, which takes no time."""
    with torch.device("meta"):
        network: nn.Module = get_model(name, weights=None)
    return network


@pytest.mark.parametrize("name", ZOO)
def test_the_head_is_removed_whatever_it_is_called(name: str) -> None:
    network, (head, features, dropout, _) = on_paper(name), ZOO[name]
    assert head_name(network) == head
    assert remove_head(network) == (features, dropout)
    size = 224 if name == "vit_b_16" else 64
    network.eval()
    assert network(torch.empty(2, 3, size, size, device="meta")).shape == (2, features)


@pytest.mark.parametrize("name", ZOO)
def test_the_last_block_is_the_last_of_several_layers_and_what_follows(name: str) -> None:
    network = on_paper(name)
    remove_head(network)
    names = {id(part): name for name, part in network.named_modules()}
    assert [names[id(part)] for part in last_block(network)] == ZOO[name][3]


def test_a_trunk_without_blocks_ends_in_its_last_layer() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2), nn.ReLU())
    assert last_block(network) == [network[2]]


def test_a_network_without_layers_has_no_head() -> None:
    with pytest.raises(UsageError, match="ReLU has no linear layer"):
        head_name(nn.ReLU())


def test_a_dropout_elsewhere_stays() -> None:
    network = nn.Sequential(nn.Dropout(0.3), nn.ReLU(), nn.Linear(4, 2))
    assert remove_head(network) == (4, 0.0)
    assert isinstance(network[0], nn.Dropout)


def test_batch_norms_are_found_and_dropouts_silenced() -> None:
    network = tiny_network()
    assert len(batch_norms(network)) == 2
    silence_dropout(network)
    network.train()
    for part in batch_norms(network):
        part.eval()
    images = torch.rand(2, 3, 8, 8)
    assert torch.equal(network(images), network(images))


def test_the_digest_tells_weights_and_buffers_apart() -> None:
    one, again = tiny_network(0), tiny_network(0)
    assert weights_digest(one) == weights_digest(again)
    assert weights_digest(one) != weights_digest(tiny_network(1))
    assert weights_digest(one) == weights_digest(again.to(memory_format=torch.channels_last))
    statistics: Any = batch_norms(again)[0].running_mean
    statistics[0] += 1
    assert weights_digest(one) != weights_digest(again)


def test_other_names_make_another_digest() -> None:
    assert weights_digest(Linear(4).output) != weights_digest(Linear(4))
