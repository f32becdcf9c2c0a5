import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir

from al_lightning.models import TimmBackbone
from al_lightning.utils.errors import UsageError

CONF = Path(__file__).parents[3] / "conf"
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


def test_a_transformer_of_one_size_takes_another(tmp_path: Path) -> None:
    """Weights are of its own size; position embeddings are interpolated as timm itself does it."""
    timm = pytest.importorskip("timm")
    own = timm.create_model("test_vit", num_classes=7)
    torch.nn.init.normal_(own.pos_embed)
    torch.save(own.state_dict(), tmp_path / "own.pth")
    backbone = make("test_vit", weights=str(tmp_path / "own.pth"), image_size=48).eval()
    smaller = timm.create_model("test_vit", num_classes=0, img_size=48).eval()
    convert = timm.models.vision_transformer.checkpoint_filter_fn
    smaller.load_state_dict(convert(own.state_dict(), smaller), strict=False)
    images = torch.rand(2, 3, 48, 48)
    torch.testing.assert_close(backbone.embed(images), smaller(images), rtol=1e-4, atol=1e-5)


def test_a_size_of_no_whole_patches_is_refused() -> None:
    pytest.importorskip("timm")
    with pytest.raises(UsageError, match=r"image_size=50 is no multiple of the 16 .*: take 48"):
        make("test_vit", weights=None, image_size=50)


@pytest.mark.parametrize(
    ("name", "features"),
    [
        ("dinov2_small", 384),
        ("dinov2_base", 768),
        ("dinov3_small", 384),
        ("clip_vit_b32", 768),
        ("siglip_base", 768),
    ],
)
def test_the_foundation_models_are_frozen_at_224_pixels(name: str, features: int) -> None:
    timm = pytest.importorskip("timm")
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("config", overrides=[f"model={name}"])
    model = config.model
    assert (model.mode, model.image_size, config.recipe.epochs) == ("linear", 224, 15)
    tag = "" if model.weights == "DEFAULT" else f".{model.weights}"
    known = timm.get_pretrained_cfg(f"{model.name}{tag}")
    assert known.hf_hub_id  # so that it can be had
    with torch.device("meta"):
        network = timm.create_model(model.name, num_classes=0)
    assert network.num_features == features
    assert str(features) in (CONF / "model" / f"{name}.yaml").read_text().splitlines()[0]
