"""What a fit depends on, as a digest: equal digests, equal fits."""

from dataclasses import dataclass
from typing import Any

import lightning as L
from torch import Tensor

from al_lightning.run.pool import Pool
from al_lightning.run.provenance import code_digest, config_hash, hardware
from al_lightning.run.record import RunRecord
from al_lightning.run.state import Event
from al_lightning.utils.digests import tensors_digest
from al_lightning.utils.nested import without


@dataclass(frozen=True)
class FitIdentity:
    """Identifies the fits of a run.

    Attributes:
        start: The start event of the run's journal.
        record: Which keys of the configuration decide a fit.
        seed: Decides weights and batches.
        contents: In a project whose images may change: a digest of each image, (N, D) uint8. A fit
            depends on the labeled ones alone, unless it learns from unlabeled ones.
        unlabeled: Whether a fit learns from unlabeled images, too.
    """

    start: Event
    record: RunRecord
    seed: int
    contents: Tensor | None = None
    unlabeled: bool = False

    def of(self, index: int, pool: Pool) -> str:
        """Return a digest of all that a round's fit depends on, but for the machine."""
        start = self.start
        basis: dict[str, Any] = {key: start.get(key) for key in ("data", "versions")}
        if start.get("project"):
            basis["classes"] = start.get("classes")
        if self.contents is not None:
            basis["data"] = self.contents[pool.labeled_ids].tolist()
        if self.unlabeled:
            seen = {"ids": pool.unlabeled_ids}
            if self.contents is not None:
                seen["data"] = self.contents[pool.unlabeled_ids]
            basis["unlabeled"] = tensors_digest(seen)
        if (weights := start.get("model", {}).get("weights")) is not None:
            basis["weights"] = weights  # the configuration may have no more than their path
        skipped = {*self.record.irrelevant, *self.record.irrelevant_to_fits}
        return config_hash(
            {
                **basis,
                "config": without(start.get("config", {}), skipped),
                "code": start.get("code", {}).get("fits"),
                "seed": self.seed,
                "round": index,
                "labels": [pool.labeled_ids.tolist(), pool.labels.tolist()],
            }
        )

    def of_bits(self, index: int, pool: Pool, classifier: L.LightningModule) -> str:
        """Return a digest of all that the very bits of a round's fit depend on."""
        return config_hash(
            {
                "fit": self.of(index, pool),
                "trainer": self.start.get("trainer"),
                "hardware": hardware(),
                "code": code_digest(classifier),
            }
        )
