import re
import warnings
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import torch
from torchvision.models import MobileNet_V3_Small_Weights, get_model

import al_lightning.models.pretrained.weights as weights_module
from al_lightning.data.source import Normalization
from al_lightning.models import TorchvisionBackbone
from al_lightning.utils.errors import UsageError

NAME = "mobilenet_v3_small"
IMAGENET = Normalization((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def make(name: str = NAME, **options: Any) -> TorchvisionBackbone:
    return TorchvisionBackbone((1, 8, 8), 3, name, **{"image_size": 32, **options})


def offline(*_: object, **__: object) -> None:
    raise URLError("no internet")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where torchvision's files are; nothing is downloaded."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    return tmp_path / "hub" / "checkpoints"


def test_random_weights_need_no_file() -> None:
    backbone = make(weights=None).eval()
    assert backbone.embed(torch.rand(2, 1, 8, 8)).shape == (2, 1024)
    assert backbone(torch.rand(2, 3, 8, 8)).shape == (2, 3)
    assert backbone.dropout.p == 0.2
    assert backbone.normalization is None
    assert backbone.pretrained_digest() is None


def test_published_weights_are_loaded_with_their_normalisation(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = get_model(NAME, weights=None)
    path = cache / Path(MobileNet_V3_Small_Weights.DEFAULT.url).name
    path.parent.mkdir(parents=True)
    torch.save(published.state_dict(), path)
    with pytest.raises(UsageError, match=rf"{path.name} is damaged: its SHA-256"):
        make(weights="IMAGENET1K_V1")
    monkeypatch.setattr(weights_module, "require_whole", lambda *_: None)
    backbone = make().eval()
    assert backbone.normalization == IMAGENET
    images = torch.rand(2, 3, 32, 32)
    published.classifier[3] = torch.nn.Identity()
    torch.testing.assert_close(backbone.embed(images), published.eval()(images))


def test_without_internet_the_message_says_what_to_do() -> None:
    with pytest.raises(
        UsageError, match=r"model.weights=DEFAULT of resnet18 are not available"
    ) as caught:
        make("resnet18")
    assert "resnet18-f37072fd.pth" in str(caught.value)
    assert "no internet" in str(caught.value)


def test_weights_of_a_file_may_be_of_other_classes(tmp_path: Path) -> None:
    own = get_model(NAME, weights=None, num_classes=7)
    torch.save(own.state_dict(), tmp_path / "own.pth")
    backbone = make(weights=str(tmp_path / "own.pth"))
    assert backbone.normalization == IMAGENET
    trunk: Any = backbone.trunk
    assert torch.equal(trunk.features[0][0].weight, own.features[0][0].weight)
    digest = backbone.pretrained_digest()
    with torch.no_grad():
        own.features[0][0].weight[0] += 1
    torch.save(own.state_dict(), tmp_path / "own.pth")
    assert make(weights=str(tmp_path / "own.pth")).pretrained_digest() != digest


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    torch.save(get_model("squeezenet1_1", weights=None).state_dict(), tmp_path / "own.pth")
    with pytest.raises(UsageError, match=r"own\.pth holds the weights of another network: "):
        make(weights=str(tmp_path / "own.pth"))


def test_unknown_names_are_refused_with_what_may_be_meant() -> None:
    with pytest.raises(UsageError, match="is no classifier of torchvision; did you mean resnet18"):
        make("resnet_18")
    with pytest.raises(
        UsageError, match=r"model.weights=IMAGENET is unknown .* expected one of .*IMAGENET1K_V1"
    ):
        make(weights="IMAGENET")


def test_second_heads_are_left_out() -> None:
    with torch.device("meta"):
        backbone = make("googlenet", weights=None, image_size=64)
        assert backbone.train()(torch.empty(2, 3, 8, 8)).shape == (2, 3)
    assert not [name for name, _ in backbone.named_parameters() if "aux" in name]


def test_published_files_of_densenets_and_googlenets_are_what_their_names_are(
    tmp_path: Path,
) -> None:
    own = get_model("densenet121", weights=None)
    first = own.features.denseblock1.denselayer1.norm1.weight.detach()
    named = {
        re.sub(r"(denselayer\d+\.(?:norm|relu|conv))([12]\.)", r"\1.\2", name): tensor
        for name, tensor in own.state_dict().items()
    }
    assert "features.denseblock1.denselayer1.norm.1.weight" in named  # as of 2017
    torch.save(named, tmp_path / "dense.pth")
    trunk: Any = make("densenet121", weights=str(tmp_path / "dense.pth")).trunk
    assert torch.equal(trunk.features.denseblock1.denselayer1.norm1.weight, first)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of torchvision, on initial weights
        google = get_model("googlenet", weights=None, init_weights=False)
    torch.save(google.state_dict(), tmp_path / "google.pth")
    network: Any = make("googlenet", weights=str(tmp_path / "google.pth")).trunk
    assert network.transform_input
