"""A run made again from its folder: its images, and the learner that trains on them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import lightning as L

from al_lightning.inference.last_weights import read_last_weights
from al_lightning.inference.places import Places
from al_lightning.inference.rebuild import rebuild
from al_lightning.inference.trained import TrainedRun
from al_lightning.models.classifier import ImageClassifier
from al_lightning.run.journal import Journal
from al_lightning.run.pool import Pool
from al_lightning.training.embedding_cache import EmbeddingCache
from al_lightning.training.fitted import Fitted
from al_lightning.training.learner import Learner
from al_lightning.training.quiet import quiet_lightning
from al_lightning.training.recipe import Recipe
from al_lightning.training.trainers import RoundTrainers
from al_lightning.utils.errors import UsageError

_GROUPS = ("dataset", "model", "recipe", "trainer")
_ONE_DEVICE = {"devices": 1, "num_nodes": 1, "strategy": "auto", "enable_progress_bar": False}


@dataclass(frozen=True)
class RecordedRun:
    """A run with its images.

    Attributes:
        journal: Of the run.
        learner: Trains as the run did, on one device.
        round: The round of the last weights.
        identity: Digest of all that their fit depended on.
    """

    journal: Journal
    learner: Learner
    round: int
    identity: str

    @property
    def pool(self) -> Pool:
        """The labels as they are now, corrections included."""
        return self.journal.pool

    def fitted(self, run: TrainedRun) -> Fitted:
        """Return the last weights with the means to let them see the run's images.

        Args:
            run: The same run, loaded.
        """
        self.learner.serve()
        pool = self.journal.pool_in(self.round)
        return self.learner.fitted(run.network.classifier, self.round, pool)


def load_recorded(
    journal: Journal,
    *,
    trust: bool = False,
    data: Path | str | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> RecordedRun:
    """Make the images and the learner of a run from what its folder says.

    Args:
        journal: Of the run, which the command line has made.
        trust: Whether to make other classes than those of al_lightning; only for runs that you trust.
        data: Where the images are now, if they are not where they were.
        say: Called with messages on slow work.

    Raises:
        UsageError: If the run does not say what it is made of, it has no weights, or the images are
            others.
        DataError: If the images cannot be read.
    """
    quiet_lightning()
    saved = read_last_weights(journal)
    config, places = journal.config, Places(journal.config, journal.path.parent)
    _require_groups(journal)
    source = rebuild(_placed(config["dataset"], places, data), "dataset", trust=trust)
    recipe: Recipe = rebuild(config["recipe"], "recipe", trust=trust)
    make_backbone = rebuild(config["model"], "model", trust=trust)
    trainer = {**config["trainer"], **_ONE_DEVICE, "_partial_": True}
    make_trainer: partial[L.Trainer] = rebuild(trainer, "trainer", trust=trust)
    datamodule = recipe.datamodule(source)
    images = datamodule.data
    _require_same_images(journal, images.fingerprint())

    def classifier() -> ImageClassifier:
        backbone = make_backbone(images.image_shape, len(images.classes))
        return recipe.classifier(backbone, len(images.classes))

    learner = Learner(
        datamodule,
        classifier,
        RoundTrainers(make_trainer, recipe),
        seed=config["seed"],
        fall_back=recipe.fall_back if recipe.on_divergence == "retry" else None,
        embeddings=EmbeddingCache(places.outputs / ".cache" / "embeddings", say),
    )
    return RecordedRun(journal, learner, saved.facts["round"], saved.identity)


def _require_groups(journal: Journal) -> None:
    for group in _GROUPS:
        node = journal.config.get(group)
        if not isinstance(node, Mapping) or "_target_" not in node:
            raise UsageError(
                f"{journal.path} does not say what the run is made of: it has no config.{group}, since "
                "the run was made without the command line. In Python, take "
                "al_lightning.out_of_fold(loop.learner, loop.journal.pool)"
            )


def _placed(dataset: Mapping[str, Any], places: Places, data: Path | str | None) -> dict[str, Any]:
    """Return the configuration of a data set with its places; ``data`` is where it is now."""
    place = next((key for key in ("path", "root") if key in dataset), None)
    if data is not None and place is None:
        raise UsageError("--data is not needed: the images of this run are in no folder")
    kept = dict(dataset) if data is None else {**dataset, str(place): str(Path(data).absolute())}
    found: dict[str, Any] = places.of("dataset", kept)
    return found


def _require_same_images(journal: Journal, fingerprint: str) -> None:
    recorded = (journal.start or {})["data"].get("fingerprint")
    if recorded != fingerprint:
        raise UsageError(
            f"These are other images than those of the run in {journal.path.parent}: restore them, or "
            "say where they are with --data"
        )
