"""What a data module serves to a classifier: images, normalised as it wants them, or embeddings."""

import lightning as L

from al_lightning.data.datamodule import PoolDataModule
from al_lightning.models.backbone import backbone_of
from al_lightning.training.embedding_cache import EmbeddingCache
from al_lightning.training.learner_facts import learns_from_unlabeled


def serve_inputs(
    datamodule: PoolDataModule,
    classifier: L.LightningModule,
    trainer: L.Trainer,
    embeddings: EmbeddingCache | None,
) -> float | None:
    """Let a data module serve what a classifier takes.

    Args:
        datamodule: Serves it from now on.
        classifier: Untrained.
        trainer: Embeds the images of a frozen network, where no earlier run has.
        embeddings: The cache of the embeddings; None lets the network see the images in every pass.

    Returns:
        The seconds that the embeddings took, in whatever run; None where there are none.
    """
    backbone = backbone_of(classifier)
    wanted = None if backbone is None else backbone.normalization
    if backbone is None or not backbone.frozen or learns_from_unlabeled(classifier):
        if wanted is not None:
            datamodule.serve(wanted)
        return None
    # What is computed once cannot be normalised by labels that are yet to come.
    wanted = wanted or datamodule.constants()
    datamodule.serve(wanted)
    if embeddings is None:
        return None
    found = embeddings.fetch(trainer, classifier, backbone, datamodule)
    datamodule.serve(wanted, found)
    return found.seconds
