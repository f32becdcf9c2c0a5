"""Networks, and the LightningModule that trains them."""

from al_lightning.models.backbone import Backbone, Embedder, require_embedder
from al_lightning.models.classifier import ImageClassifier
from al_lightning.models.cnn import CNN

__all__ = ["CNN", "Backbone", "Embedder", "ImageClassifier", "require_embedder"]
