import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from al_lightning.models import TimmBackbone
from al_lightning.utils.errors import UsageError

NAME = "test_resnet"  # timm's own small network for tests


def make(name: str = NAME, **options: Any) -> TimmBackbone:
    return TimmBackbone((1, 8, 8), 3, name, **{"image_size": 32, **options})


def test_a_missing_timm_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(UsageError, match=r'pip install "al-lightning\[timm\]"'):
        make()


def test_random_weights_need_no_file() -> None:
    pytest.importorskip("timm")
    backbone = make(weights=None).eval()
    embeddings = backbone.embed(torch.rand(2, 1, 8, 8))
    assert embeddings.shape == (2, backbone.head.in_features)
    assert backbone(torch.rand(2, 3, 8, 8)).shape == (2, 3)
    assert backbone.normalization is None


def test_weights_of_a_file_may_be_of_other_classes(tmp_path: Path) -> None:
    timm = pytest.importorskip("timm")
    own = timm.create_model(NAME, num_classes=7)
    torch.save(own.state_dict(), tmp_path / "own.pth")
    backbone = make(weights=str(tmp_path / "own.pth")).eval()
    assert backbone.normalization is not None
    images = torch.rand(2, 3, 32, 32)
    expected = own.eval().forward_head(own.forward_features(images), pre_logits=True)
    torch.testing.assert_close(backbone.embed(images), expected)


def test_published_weights_that_cannot_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    timm = pytest.importorskip("timm")
    create = timm.create_model

    def offline(name: str, pretrained: bool, **options: Any) -> Any:
        if pretrained:
            raise ConnectionError("no internet")
        return create(name, pretrained=pretrained, **options)

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(
        UsageError, match=f"weights of {NAME} are not available: .*no internet.*model=cnn"
    ):
        make()


def test_unknown_names_are_refused() -> None:
    pytest.importorskip("timm")
    with pytest.raises(
        UsageError, match="test_resnett is no network of timm; did you mean test_resnet"
    ):
        make("test_resnett")
    with pytest.raises(UsageError, match="expected one of DEFAULT, r160_in1k, null"):
        make(weights="r160")
