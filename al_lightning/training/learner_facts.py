"""What the fits of a learner depend on."""

from dataclasses import dataclass
from typing import Any

import lightning as L

from al_lightning.run.state import Event


@dataclass(frozen=True)
class LearnerFacts:
    """What fits depend on, as plain values for the start event of a run.

    Attributes:
        embedding: The size of an embedding.
        model: Of the classifier: parameters, pretrained weights.
        settings: Of the classifier, beside its network: optimizer, hyperparameters that it has saved.
        trainer: Where, how and how long it is trained.
        reproducible: Whether the same run has the same bits.
        code: Digests of the user's own code.
        packages: Versions of the packages that this code uses.
        unlabeled: Whether fits see unlabeled images, too.
    """

    embedding: int
    model: dict[str, Any]
    settings: dict[str, Any]
    trainer: dict[str, Any]
    reproducible: dict[str, Any]
    code: dict[str, str]
    packages: dict[str, str]
    unlabeled: bool

    @property
    def of_weights(self) -> dict[str, Any]:
        """What it takes to use weights elsewhere: the precision, a digest of pretrained weights."""
        return {"precision": self.trainer["precision"], "pretrained": self.model.get("weights")}

    def within(self, start: Event) -> Event:
        """Return a start event as it would be with these facts."""
        return {**start, "model": self.model, "code": {**start["code"], "fits": self.code}}


def learns_from_unlabeled(classifier: L.LightningModule) -> bool:
    """Return whether the fit of a classifier sees unlabeled images, too."""
    return bool(getattr(classifier, "learns_from_unlabeled", False))
