"""The weights of the last fitted round."""

import hashlib
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import lightning as L
import torch

from al_lightning.models.backbone import pretrained_names
from al_lightning.utils.digests import tensors_digest
from al_lightning.utils.errors import UsageError
from al_lightning.utils.files import replacing, require_file

_OURS = "al_lightning"  # key of our facts beside Lightning's in the file
_LAYERS = "layers"  # the fact that says which classes of layers the weights are of


class Checkpoint:
    """One file that holds a fitted classifier, and the identity of its fit.

    The file saves time and nothing else: what does not fit is not trusted, and the fit is repeated.
    It is a Lightning checkpoint, so that ``ImageClassifier.load_from_checkpoint`` reads it too.

    Args:
        path: The file; replaced as a whole at every save, so that it is never half-written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def save(self, classifier: L.LightningModule, identity: str, facts: Mapping[str, Any]) -> None:
        """Write a classifier down.

        Args:
            classifier: Fitted.
            identity: Digest of all that the fit depended on.
            facts: Plain values to keep with it.

        Pretrained weights that nothing has trained are left out: making the classifier gives them
        again. A disk that is full or cannot be written is warned of: the run can do without.
        """
        weights, recorded = trained_state(classifier), {**facts, _LAYERS: _layers(classifier)}
        content = {
            "state_dict": weights,
            "pytorch-lightning_version": L.__version__,
            _OURS: {
                "identity": identity,
                "facts": recorded,
                "digest": state_digest(weights, recorded),
            },
        }
        try:
            with replacing(self.path) as partial, partial.open("wb") as file:
                torch.save(content, file)
        except (UsageError, RuntimeError) as error:  # torch has an error of its own for a full disk
            warnings.warn(
                f"The weights could not be saved in {self.path} ({error.__cause__ or error}); a run "
                "that continues trains this round again",
                stacklevel=2,
            )

    def load(self, classifier: L.LightningModule, identity: str) -> dict[str, Any] | None:
        """Load the weights into a classifier, if they are those that are looked for.

        Returns:
            The facts kept with them; None if there is no file, or one of another identity, or a
            damaged one (which is warned of). The classifier is then as it was.
        """
        if not self.path.exists():
            return None
        try:
            saved = self._read()
            if saved.identity != identity:
                return None
            saved.load_into(classifier)
        except Exception as error:
            warnings.warn(
                f"{self.path} cannot be used ({type(error).__name__}); its round is fitted again",
                stacklevel=2,
            )
            return None
        return saved.facts

    def holds(self, identity: str) -> bool:
        """Return whether the file can be read, and has the weights that are looked for."""
        try:
            return self.path.exists() and self._read().identity == identity
        except Exception:
            return False

    def read(self) -> "Saved":
        """Read the file, whatever it was fitted on.

        Raises:
            UsageError: If it cannot be read, holds something else, or was damaged.
        """
        try:
            return self._read()
        except Exception as error:
            # Not torch's own words, which advise to run code that a file may hold.
            raise UsageError(
                f"{self.path} cannot be used: it is damaged, or no checkpoint of al_lightning "
                f"({type(error).__name__}). Restore it from a copy, or run the same command again, "
                "which fits its round again"
            ) from error

    def _read(self) -> "Saved":
        require_file(self.path)
        content = torch.load(self.path, map_location="cpu", weights_only=True)
        if not isinstance(content, dict) or not isinstance(content["state_dict"], dict):
            raise TypeError("not a checkpoint")
        ours, weights = content[_OURS], content["state_dict"]
        if ours["digest"] != state_digest(weights, ours["facts"]):
            raise ValueError("bits have flipped")
        facts = dict(ours["facts"])
        layers = facts.pop(_LAYERS)
        return Saved(ours["identity"], facts, weights, layers)


@dataclass(frozen=True)
class Saved:
    """What a checkpoint holds.

    Attributes:
        identity: Digest of all that the fit depended on.
        facts: Plain values that were kept with the weights.
        weights: The state of the classifier, but for pretrained weights that nothing has trained.
        layers: Digest of the layers that they are of.
    """

    identity: str
    facts: dict[str, Any]
    weights: dict[str, torch.Tensor]
    layers: str

    def load_into(self, classifier: L.LightningModule) -> None:
        """Give a classifier these weights.

        Raises:
            ValueError: If they are another model's. The classifier is then as it was.
        """
        shapes = {name: tensor.shape for name, tensor in self.weights.items()}
        # First of all: a `load_state_dict` that fails has loaded the rest already.
        if shapes != {name: value.shape for name, value in trained_state(classifier).items()}:
            raise ValueError("the weights are another model's")
        if self.layers != _layers(classifier):
            raise ValueError("the weights are of other layers")
        classifier.load_state_dict(self.weights, strict=False)


def trained_state(classifier: L.LightningModule) -> dict[str, torch.Tensor]:
    """Return the state of a classifier without what stays as it was pretrained."""
    names = pretrained_names(classifier)
    return {name: value for name, value in classifier.state_dict().items() if name not in names}


def _layers(classifier: L.LightningModule) -> str:
    """Return a digest of what computes: weights of equal shapes may be of other layers."""
    names = [f"{name} {type(part).__name__}" for name, part in classifier.named_modules()]
    return hashlib.sha256("\n".join(names).encode()).hexdigest()


def state_digest(
    weights: Mapping[str, torch.Tensor], facts: Mapping[str, Any] = MappingProxyType({})
) -> str:
    """Return a digest of weights and facts: torch does not notice a flipped bit."""
    return tensors_digest(weights, json.dumps(dict(facts), sort_keys=True).encode())
