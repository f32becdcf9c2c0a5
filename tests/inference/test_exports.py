import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from al_lightning.inference import exports
from al_lightning.inference.exports import export_run, metadata
from al_lightning.inference.trained import Predictor, TrainedRun, load_trained
from al_lightning.models import ImageClassifier
from al_lightning.utils.errors import UsageError
from tests.helpers import NORMALIZATION, Linear, same_weights, tiny_images
from tests.inference.trained_runs import CALIBRATION, write_trained
from tests.loop.test_loop import TinyModel, make_loop

IMAGES = tiny_images(5).pixels[:].float() / 255


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    return load_trained(write_trained(tmp_path_factory.mktemp("run"), calibration=CALIBRATION))


@pytest.mark.filterwarnings("error")
def test_pt2_gives_the_probabilities_of_any_number_of_images(
    run: TrainedRun, tmp_path: Path
) -> None:
    difference = export_run(run, tmp_path / "model.pt2", "pt2")
    assert difference is not None
    assert difference < 1e-6
    names = dict.fromkeys(metadata(run), "")
    module = torch.export.load(tmp_path / "model.pt2", extra_files=names).module()
    for count in (1, 2, 5):
        expected = run.predict(IMAGES[:count])
        torch.testing.assert_close(module(IMAGES[:count]), expected, rtol=0, atol=1e-6)
    assert names == metadata(run)


def test_onnx_gives_the_probabilities_of_any_number_of_images(
    run: TrainedRun, tmp_path: Path
) -> None:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")
    path = tmp_path / "model.onnx"
    difference = export_run(run, path, "onnx")
    assert difference is not None
    assert difference < 1e-6
    onnx.checker.check_model(onnx.load(path))
    session = runtime.InferenceSession(path)
    assert [(i.name, i.shape) for i in session.get_inputs()] == [("images", ["batch", 1, 8, 8])]
    assert [(o.name, o.shape) for o in session.get_outputs()] == [("probabilities", ["batch", 3])]
    for count in (1, 2, 5):
        (found,) = session.run(None, {"images": IMAGES[:count].numpy()})
        expected = run.predict(IMAGES[:count])
        torch.testing.assert_close(torch.from_numpy(found), expected, rtol=0, atol=1e-6)
    assert session.get_modelmeta().custom_metadata_map == metadata(run)
    assert [file.name for file in tmp_path.iterdir()] == ["model.onnx"]


def test_without_a_runtime_onnx_is_not_checked(
    run: TrainedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "find_spec", lambda name: None if "runtime" in name else object())
    monkeypatch.setattr(exports, "_write_onnx", lambda *given: given[-1].write_bytes(b"graph"))
    assert export_run(run, tmp_path / "model.onnx", "onnx") is None
    assert (tmp_path / "model.onnx").read_bytes() == b"graph"


def test_metadata_say_how_to_use_it(run: TrainedRun) -> None:
    said = metadata(run)
    assert json.loads(said["classes"]) == ["top", "middle", "bottom"]
    assert json.loads(said["image_shape"]) == [1, 8, 8]
    assert json.loads(said["normalization"]) == {"mean": [0.3], "std": [0.25]}
    assert json.loads(said["calibration"]) == CALIBRATION
    assert json.loads(metadata(replace(run, calibration=None))["calibration"]) is None
    decoding = json.loads(said["decoding"])
    assert (decoding["crop"], decoding["size"], decoding["scale"]) == (
        "centre",
        [8, 8],
        "bytes / 255",
    )
    assert decoding["interpolation"].startswith("bicubic, antialiased")
    assert said["input"].startswith("images: (batch, 1, 8, 8) float32 gray, 0 black to 1 white")
    assert said["output"].startswith("probabilities: (batch, 3) float32")
    assert "RGB" in metadata(replace(run, image_shape=(3, 8, 8)))["input"]


def test_the_run_stays_as_it_is(run: TrainedRun, tmp_path: Path) -> None:
    layouts = [value.stride() for value in run.network.state_dict().values()]
    before = load_trained(run.folder).network
    export_run(run, tmp_path / "model.pt2", "pt2")
    assert same_weights(run.network, before)
    assert [value.stride() for value in run.network.state_dict().values()] == layouts


def test_missing_packages_are_named(
    run: TrainedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"onnx and onnxscript: pip install.*--format pt2"):
        export_run(run, tmp_path / "model.onnx", "onnx")
    assert not list(tmp_path.iterdir())


class Fickle(Linear):
    """A network that looks at values to decide what to compute."""

    def embed(self, images: Tensor) -> Tensor:
        return images.flatten(1) if bool(images.sum() > 0) else -images.flatten(1)


def test_a_network_that_cannot_be_exported_is_named(run: TrainedRun, tmp_path: Path) -> None:
    network = Predictor(ImageClassifier(Fickle(), 3), NORMALIZATION).eval()
    with pytest.raises(UsageError, match="Fickle cannot be exported to pt2: "):
        export_run(replace(run, network=network), tmp_path / "model.pt2", "pt2")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("wrong", [0.5, float("nan")])
def test_an_export_that_differs_is_not_kept(
    run: TrainedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: float
) -> None:
    def other(path: Path) -> Any:
        return lambda images: run.predict(images) + wrong

    (tmp_path / "model.pt2").write_text("old")
    monkeypatch.setattr(exports, "_read_pt2", other)
    with pytest.raises(UsageError, match=r"differs from the run by (0\.5|nan)"):
        export_run(run, tmp_path / "model.pt2", "pt2")
    assert [file.name for file in tmp_path.iterdir()] == ["model.pt2"]
    assert (tmp_path / "model.pt2").read_text() == "old"


def test_a_full_disk_is_not_taken_for_a_bad_network(
    run: TrainedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(exports, "_write_pt2", fail)
    with pytest.raises(UsageError, match=r"model\.pt2 cannot be written: disk full"):
        export_run(run, tmp_path / "model.pt2", "pt2")


def test_a_run_of_the_library_exports_itself(tmp_path: Path) -> None:
    make_loop(tmp_path).run()
    run = load_trained(tmp_path, TinyModel())
    difference = run.export(tmp_path / "model.pt2")
    assert difference is not None
    assert difference < 1e-5
    images = torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    exported = torch.export.load(str(tmp_path / "model.pt2")).module()
    torch.testing.assert_close(exported(images), run.predict(images))
    with pytest.raises(UsageError, match=r"must end in \.onnx or \.pt2"):
        run.export(tmp_path / "model.bin")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
def test_a_full_disk_is_an_error_and_not_the_end_of_the_process(run: TrainedRun) -> None:
    """torch's own writer would abort."""
    with pytest.raises(OSError, match="No space left"):
        exports._write_pt2(run.network, torch.rand(2, 1, 8, 8), {}, Path("/dev/full"))
