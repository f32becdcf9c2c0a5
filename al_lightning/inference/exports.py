"""A trained run as one file that needs no al_lightning: ONNX, or torch's own ``.pt2``."""

import io
import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn

from al_lightning.inference.model_inputs import describe_decoding
from al_lightning.inference.trained import TrainedRun
from al_lightning.utils.errors import UsageError
from al_lightning.utils.files import replacing

PRECISION = "32-true"  #: What an exported graph computes in, whatever the run did.
_INPUT, _OUTPUT = "images", "probabilities"
_TRACED = 2  # images: with one, the tracer would take their number for a constant
_CHECKED = (1, 8)  # images a batch
_TOLERANCE = 1e-4  # of a probability; kernels that sum in another order differ by some 1e-6

Model = Callable[[Tensor], Tensor]


def export_run(run: TrainedRun, path: Path, kind: str) -> float | None:
    """Write a trained run as a graph in float32, and check the file against the run's network.

    The graph takes ``images``, (B, C, H, W) float32 in [0, 1] with any number of images, and gives
    ``probabilities``, (B, classes) float32: the normalisation before the classifier and the softmax
    behind it are inside, and the temperature of the run's calibration, if it has one. What
    :func:`metadata` says stands in the file: in ONNX's ``metadata_props``, or as extra files of the
    ``.pt2``.

    Args:
        run: What to export; it stays as it is.
        path: The file; it is only put into place after the check.
        kind: "onnx", which needs the extra ``onnx``, or "pt2", which needs nothing and is read by
            :func:`torch.export.load`.

    Returns:
        The largest difference of a probability between the file and the run on random images; None
        where onnxruntime, which takes the check of ONNX, is not installed.

    Raises:
        UsageError: If the packages of the format are missing, the network cannot be exported, the
            file cannot be written, or what it says differs from what the run says on the CPU.
    """
    write, read = {"onnx": (_write_onnx, _read_onnx), "pt2": (_write_pt2, _read_pt2)}[kind]
    if kind == "onnx":
        _require_onnx()
    # Plain strides: torch.export.save takes channels-last weights for incomplete ones, and warns.
    network = deepcopy(run.network).cpu().to(memory_format=torch.contiguous_format)
    here = replace(run, network=network, precision=PRECISION)
    with replacing(path) as partial:
        try:
            write(network, _random(run, _TRACED), metadata(run), partial)
            model = read(partial)
            difference = None if model is None else _difference(here, model)
        except OSError:
            raise
        except Exception as error:  # tracing a network of any kind raises errors of all kinds
            name = type(
                getattr(run.network.classifier, "backbone", run.network.classifier)
            ).__name__
            raise UsageError(f"{name} cannot be exported to {kind}: {error}") from error
        if difference is not None and not difference <= _TOLERANCE:  # so that NaN is refused too
            raise UsageError(
                f"The export differs from the run by {difference:.2g} in a probability, and was not "
                "kept: the network computes something that cannot be exported"
            )
    return difference


def metadata(run: TrainedRun) -> dict[str, str]:
    """Return the metadata of the graph, by name; JSON but for the two sentences.

    ``decoding`` says how image files become its input: the graph begins behind that. ``calibration``
    has the temperature that the graph divides its logits by, and what it was fitted on; null for none.
    """
    color = {1: " gray", 3: " RGB"}.get(run.image_shape[0], "")
    shape = ", ".join(map(str, run.image_shape))
    normalization = {"mean": run.normalization.mean, "std": run.normalization.std}
    calibration = None if run.calibration is None else run.calibration.as_event()
    return {
        "classes": json.dumps(run.classes),
        "image_shape": json.dumps(run.image_shape),
        "normalization": json.dumps(normalization),
        "calibration": json.dumps(calibration),
        "decoding": describe_decoding(run.image_shape, run.value_range),
        "input": f"{_INPUT}: (batch, {shape}) float32{color}, 0 black to 1 white; the normalization is "
        "inside",
        "output": f"{_OUTPUT}: (batch, {len(run.classes)}) float32, by class; rows sum to 1",
    }


def _require_onnx() -> None:
    if missing := [name for name in ("onnx", "onnxscript") if find_spec(name) is None]:
        raise UsageError(
            f'ONNX needs {" and ".join(missing)}: pip install "al-lightning[onnx]". --format pt2 needs '
            "nothing else"
        )


def _write_onnx(network: nn.Module, images: Tensor, facts: dict[str, str], path: Path) -> None:
    program = torch.onnx.export(
        network,
        (images,),
        input_names=[_INPUT],
        output_names=[_OUTPUT],
        dynamic_shapes=_any_number(),
        dynamo=True,
        verbose=False,
    )
    assert program is not None  # as documented of dynamo=True
    program.model.metadata_props.update(facts)
    program.save(path)


def _read_onnx(path: Path) -> Model | None:
    if find_spec("onnxruntime") is None:
        return None
    runtime = import_module("onnxruntime")
    session = runtime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    return lambda images: torch.from_numpy(session.run([_OUTPUT], {_INPUT: images.numpy()})[0])


def _write_pt2(network: nn.Module, images: Tensor, facts: dict[str, str], path: Path) -> None:
    program = torch.export.export(network, (images,), dynamic_shapes=_any_number())
    buffer = io.BytesIO()  # on a full disk, torch's own writer would end the process
    torch.export.save(program, buffer, extra_files=facts)
    path.write_bytes(buffer.getbuffer())


def _read_pt2(path: Path) -> Model:
    with path.open("rb") as file:
        module: nn.Module = torch.export.load(file).module()
    return module


def _difference(run: TrainedRun, model: Model) -> float:
    """Return the largest difference of a probability on random images."""
    differences = []
    with torch.inference_mode():
        for count in _CHECKED:
            images = _random(run, count)
            differences.append((model(images) - run.predict(images)).abs().max())
    return float(torch.stack(differences).max())


def _random(run: TrainedRun, count: int) -> Tensor:
    generator = torch.Generator().manual_seed(count)
    return torch.rand(count, *run.image_shape, generator=generator)


def _any_number() -> tuple[dict[int, object]]:
    return ({0: torch.export.Dim("batch", min=1)},)
