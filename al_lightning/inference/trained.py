"""A run's classifier, to be used: from pixels to probabilities."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import lightning as L
import torch
from lightning.pytorch.utilities.seed import isolate_rng
from torch import Tensor, nn

from al_lightning.data.source import Normalization
from al_lightning.data.transforms import Normalize
from al_lightning.inference.kept_folds import kept_calibration
from al_lightning.inference.last_weights import read_journal, read_last_weights, weights_path
from al_lightning.inference.model_inputs import Inputs, batches, checked
from al_lightning.inference.rebuild import rebuild
from al_lightning.models.backbone import Embedder, describe_model, require_embedder
from al_lightning.models.offered import for_evaluation
from al_lightning.run.journal import Journal
from al_lightning.training.calibration import Calibration, tempered
from al_lightning.training.checkpoint import Saved
from al_lightning.training.recipe import Recipe
from al_lightning.utils.errors import UsageError

_FACTS = ("round", "image_shape", "normalization", "pretrained", "precision")
_MIXED = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}


class Predictor(nn.Module):
    """A classifier between normalisation and softmax.

    It computes in the same way as the run's test, with the classifier's current weights, see
    :meth:`al_lightning.Backbone.for_evaluation`.

    Args:
        classifier: Offers ``embed`` and ``classify``, see :class:`al_lightning.Embedder`.
        normalization: What it was trained with.
        temperature: Divides the logits, see :mod:`al_lightning.training.calibration`.
    """

    def __init__(
        self,
        classifier: L.LightningModule,
        normalization: Normalization,
        temperature: float = 1.0,
    ) -> None:
        super().__init__()
        require_embedder(classifier)
        self.normalize = Normalize(normalization)
        self.temperature = temperature
        self.classifier = classifier
        self._halves = cast("Embedder", for_evaluation(classifier.eval()))

    def forward(self, images: Tensor) -> Tensor:
        """Map (B, C, H, W) uint8, or float32 in [0, 1], to probabilities, (B, classes) float32."""
        return tempered(self.logits(images), self.temperature)

    def logits(self, images: Tensor) -> Tensor:
        """Map (B, C, H, W) uint8, or float32 in [0, 1], to logits, (B, classes)."""
        return self._halves.classify(self._halves.embed(self.normalize(images)))


@dataclass(frozen=True)
class TrainedRun:
    """A run's classifier with its last weights.

    >>> from pathlib import Path
    >>> import torch
    >>> from al_lightning import CNN, ImageClassifier, TrainedRun
    >>> from al_lightning.data import Normalization
    >>> from al_lightning.inference.trained import Predictor
    >>> constants = Normalization(mean=(0.5,), std=(0.25,))
    >>> network = Predictor(ImageClassifier(CNN((1, 8, 8), 2), 2), constants).eval()
    >>> run = TrainedRun(Path("run"), network, ("cat", "dog"), (1, 8, 8), constants)
    >>> run.predict(torch.zeros(3, 1, 8, 8)).shape
    torch.Size([3, 2])

    Attributes:
        folder: The run's folder.
        network: Maps images to probabilities; in evaluation mode.
        classes: The names of the classes, by label.
        image_shape: Channels, height, width.
        normalization: What the weights were trained with; a part of the network.
        value_range: Which values were black and white in image files of more than 8 bits a pixel; None
            where there were no such files.
        precision: What the run computed in: "32-true", "bf16-mixed", "16-mixed".
        calibration: The temperature of the network; None if confidences are not calibrated.
    """

    folder: Path
    network: Predictor
    classes: tuple[str, ...]
    image_shape: tuple[int, int, int]
    normalization: Normalization
    value_range: tuple[float, float] | None = None
    precision: str = "32-true"
    calibration: Calibration | None = None

    @torch.inference_mode()
    def predict(self, images: Tensor | Inputs, *, calibrated: bool = True) -> Tensor:
        """Predict in evaluation mode and the precision of the run, without augmentation.

        Args:
            images: (B, C, H, W) uint8, or float in [0, 1], not normalised, on any device. Or such an
                array, or one or more image files of any size, decoded like the run's images.
            calibrated: Whether logits are divided by the temperature of ``calibration``, if there is
                one. The predicted class is the same.

        Returns:
            Probabilities, (B, classes) float32 on the CPU; rows sum to 1.

        Raises:
            UsageError: If the images have another shape, type or range.
            DataError: If files cannot be read; names them.
        """
        if not isinstance(images, Tensor):
            parts = [
                self.predict(batch, calibrated=calibrated)
                for batch in batches(images, self.image_shape, self.value_range)
            ]
            return torch.cat(parts)
        images = checked(images, self.image_shape)
        device = self.network.normalize.mean.device
        moved = images.to(device).contiguous(memory_format=torch.channels_last)
        with self._autocast(device.type):
            logits = self.network.logits(moved)
        return tempered(logits, self.network.temperature if calibrated else 1.0).cpu()

    def calibrated_by(self, calibration: Calibration | None) -> "TrainedRun":
        """Return the run with a temperature, or without; both have the same weights."""
        network = copy(self.network)
        network.temperature = 1.0 if calibration is None else calibration.temperature
        return replace(self, network=network, calibration=calibration)

    def export(self, path: Path | str) -> float | None:
        """Write the network as one file that needs no al_lightning, and check it against this run.

        Args:
            path: Ends in ``.onnx``, which needs the extra ``onnx``, or in ``.pt2``.

        Returns:
            The largest difference of a probability; see
            :func:`~al_lightning.inference.exports.export_run`.

        Raises:
            UsageError: On another ending, or where the network cannot be exported.
        """
        from al_lightning.inference.exports import export_run  # noqa: PLC0415 - which imports this

        kind = Path(path).suffix.removeprefix(".")
        if kind not in ("onnx", "pt2"):
            raise UsageError(f"{path} must end in .onnx or .pt2, which names the format")
        return export_run(self, Path(path), kind)

    def _autocast(self, device: str) -> AbstractContextManager[object]:
        """Return a context in which torch computes in the precision of the run, as Lightning does."""
        if (dtype := _MIXED.get(self.precision)) is None:
            return nullcontext()
        return torch.autocast(device, dtype=dtype, cache_enabled=False)


def load_trained(
    folder: Path | str, classifier: L.LightningModule | None = None, *, trust: bool = False
) -> TrainedRun:
    """Load the weights of a run's last round into its classifier.

    If no classifier is given, it is built from the configuration that the command line recorded, with
    networks of al_lightning, and optimisers and losses of torch. Other classes are refused, because
    building them would execute their code.

    Confidences are calibrated if the run has validation labels, or if its folder has the out-of-fold
    predictions by which ``python -m al_lightning.predict`` has calibrated them.

    >>> from al_lightning import UsageError, load_trained
    >>> try:
    ...     load_trained("no_such_folder")  # such as outputs/digits/cnn/margin/seed=0
    ... except UsageError as error:
    ...     print(error)
    no_such_folder is no folder: expected a run's folder, such as outputs/digits/cnn/margin/seed=0

    Args:
        folder: The run's folder, with ``journal.jsonl`` and ``checkpoints/last.ckpt``.
        classifier: An untrained classifier of the same kind, for runs of the loop as a library; it
            gets the weights, and is set to evaluation mode.
        trust: Whether to load other classes of the configuration; only for runs that you trust.

    Raises:
        UsageError: If there is no run, its weights are unusable or belong to another round than its
            last or to another classifier, or the configuration names a class that is refused.
        JournalError: If the journal is damaged.
    """
    journal = read_journal(Path(folder))
    saved = _saved_weights(journal)
    config = journal.config_in(saved.facts["round"])  # a project may have another one by now
    classes, shape = tuple(saved.facts["classes"]), tuple(saved.facts["image_shape"])
    if classifier is None:
        classifier = _recorded_classifier(journal.path, config, shape, len(classes), trust)
    _load(saved, classifier, journal)
    normalization = Normalization(**{k: tuple(v) for k, v in saved.facts["normalization"].items()})
    dataset = config.get("dataset")
    value_range = dataset.get("value_range") if isinstance(dataset, Mapping) else None
    run = TrainedRun(
        Path(folder),
        Predictor(classifier, normalization).eval(),
        classes,
        shape,
        normalization,
        None if value_range is None else (*value_range,),
        saved.facts["precision"],
    )
    return run.calibrated_by(kept_calibration(journal, saved.identity))


def _saved_weights(journal: Journal) -> Saved:
    """Read the last weights; refuse those that another version has saved, with other facts."""
    saved = read_last_weights(journal)
    if missing := [name for name in _FACTS if name not in saved.facts]:
        raise UsageError(
            f"{weights_path(journal)} was saved by another version of al_lightning: it does not say "
            f"{', '.join(missing)}. Run the same command again, which fits the last round again"
        )
    return saved


def _load(saved: Saved, classifier: L.LightningModule, journal: Journal) -> None:
    """Give a classifier a run's weights, if it is the run's and pretrained as the run's was."""
    recorded = saved.facts["pretrained"]
    if recorded is not None and describe_model(classifier).get("weights") != recorded:
        raise UsageError(
            f"The run in {journal.path.parent} has trained on pretrained weights that are no longer "
            "those in its configuration: restore them, or repeat the run"
        )
    try:
        saved.load_into(classifier)
    except ValueError as error:
        raise UsageError(
            f"{weights_path(journal)} does not fit the run's classifier, {type(classifier).__name__}: "
            f"{error}. Restore it from a copy, or use the code that the run was made with"
        ) from error


def _recorded_classifier(
    path: Path,
    config: Mapping[str, Any],
    shape: tuple[int, int, int],
    num_classes: int,
    trust: bool,
) -> L.LightningModule:
    """Make the classifier that the command line recorded."""
    for group in ("model", "recipe"):
        recorded = config.get(group)
        if not isinstance(recorded, Mapping) or "_target_" not in recorded:
            raise UsageError(
                f"{path} does not say what the classifier is made of: it has no config.{group}, since "
                "the run was made without the command line. Make the classifier in Python, and pass "
                "it: al_lightning.load_trained(folder, classifier)"
            )
    try:
        with isolate_rng():
            make_backbone = rebuild(config["model"], "model", trust=trust)
            recipe: Recipe = rebuild(config["recipe"], "recipe", trust=trust)
            return recipe.classifier(make_backbone(shape, num_classes), num_classes)
    except TypeError as error:
        raise UsageError(
            f"The classifier that {path} names cannot be made: model cannot be made: {error}"
        ) from error
    except UsageError as error:
        raise UsageError(f"The classifier that {path} names cannot be made: {error}") from error


def prediction_device() -> torch.device:
    """Return where to compute: the accelerator where there is one, else the CPU."""
    accelerator = (
        torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    )
    return accelerator or torch.device("cpu")
