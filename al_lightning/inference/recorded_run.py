"""A run made again from its folder: its images, and the learner that trains on them."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import lightning as L

from al_lightning.data.source import ImageData
from al_lightning.inference.last_weights import read_last_weights
from al_lightning.inference.present_pool import present
from al_lightning.inference.rebuild import rebuild
from al_lightning.inference.recorded_places import resolved
from al_lightning.inference.run_data import load_run_data
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
_ONE_DEVICE = {
    "accelerator": "auto",
    "devices": 1,
    "num_nodes": 1,
    "strategy": "auto",
    "enable_progress_bar": False,
}


@dataclass(frozen=True)
class _Loaded:
    """A source of images that were read before."""

    images: ImageData

    def load(self) -> ImageData:
        """Return them."""
        return self.images


@dataclass(frozen=True)
class RecordedRun:
    """A run with its images.

    Attributes:
        journal: Of the run.
        make_learner: Makes what trains on some images as the run did, on one device.
        learner: On the run's images.
        round: The round of the last weights.
        identity: Digest of all that their fit depended on.
    """

    journal: Journal
    make_learner: Callable[[ImageData], Learner]
    learner: Learner
    round: int
    identity: str

    @property
    def pool(self) -> Pool:
        """The labels as they are now, corrections included, of images that have a file today."""
        return present(self.journal.pool, self.learner.data.absent)

    @property
    def unknown_images(self) -> int:
        """How many images have come, or come back, since the project was last started."""
        update = self.learner.data.update
        return 0 if update is None else update.change.new + len(update.change.back)

    @property
    def labeled_pixels(self) -> str:
        """Digest of the pixels of the labeled images; "" where these cannot change."""
        digests = self.learner.data.train.digests
        if digests is None:
            return ""
        return hashlib.sha256(digests[self.pool.labeled_ids].numpy().tobytes()).hexdigest()

    def fitted(self, run: TrainedRun) -> Fitted:
        """Return the last weights with the means to let them see the run's images.

        They are normalised as in the fit, though some that it was measured on may have gone since.

        Args:
            run: The same run, loaded.
        """
        learner = self.make_learner(replace(self.learner.data, normalization=run.normalization))
        learner.serve()
        pool = self.journal.pool_in(self.round)
        return learner.fitted(run.network.classifier, self.round, pool)


def load_recorded(
    journal: Journal,
    *,
    trust: bool = False,
    place: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> RecordedRun:
    """Make the images and the learner of a run from what its folder says.

    Args:
        journal: Of the run, which the command line has made.
        trust: Whether to make other classes than those of al_lightning; only for runs that you trust.
        place: Where the images are now; None if they are where they were.
        say: Called with messages on slow work.

    Raises:
        UsageError: If the run does not say what it is made of, it has no weights, or the images are
            others.
        DataError: If the images cannot be read.
    """
    quiet_lightning()
    saved = read_last_weights(journal)
    config = journal.config_in(saved.facts["round"])  # a project may have another one by now
    _require_groups(journal)
    images = load_run_data(journal, trust=trust, place=place)
    recipe: Recipe = rebuild(config["recipe"], "recipe", trust=trust)
    make_backbone = rebuild(config["model"], "model", trust=trust)
    trainer = {**config["trainer"], **_ONE_DEVICE, "_partial_": True}
    make_trainer: partial[L.Trainer] = rebuild(trainer, "trainer", trust=trust)

    def classifier() -> ImageClassifier:
        backbone = make_backbone(images.image_shape, len(images.classes))
        return recipe.classifier(backbone, len(images.classes))

    def make_learner(images: ImageData) -> Learner:
        return Learner(
            recipe.datamodule(_Loaded(images)),
            classifier,
            RoundTrainers(make_trainer, recipe),
            seed=config["seed"],
            fall_back=recipe.fall_back if recipe.on_divergence == "retry" else None,
            embeddings=EmbeddingCache(_embeddings(journal), say),
        )

    learner = make_learner(images)
    return RecordedRun(journal, make_learner, learner, saved.facts["round"], saved.identity)


def _require_groups(journal: Journal) -> None:
    for group in _GROUPS:
        node = journal.config.get(group)
        if not isinstance(node, Mapping) or "_target_" not in node:
            raise UsageError(
                f"{journal.path} does not say what the run is made of: it has no config.{group}, since "
                "the run was made without the command line. In Python, take "
                "al_lightning.out_of_fold(loop.learner, loop.journal.pool)"
            )


def _embeddings(journal: Journal) -> Path:
    """Return the folder of the embeddings that the run has used, or would use."""
    below = Path(".cache") / "embeddings"
    for parent in journal.path.absolute().parents:
        if (parent / below).is_dir():
            return parent / below
    root = journal.config.get("output_root", "outputs")
    return Path(resolved(root, journal.config, "output_root")) / below
