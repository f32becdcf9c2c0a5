"""Networks, and the LightningModule that trains them."""

from al_lightning.models.backbone import Backbone, Embedder, require_embedder
from al_lightning.models.classifier import ImageClassifier
from al_lightning.models.cnn import CNN
from al_lightning.models.halves import Halves
from al_lightning.models.pretrained.efficientnet_lite import EfficientNetLite0
from al_lightning.models.pretrained.modes import PretrainedBackbone
from al_lightning.models.pretrained.timm_backbone import TimmBackbone
from al_lightning.models.pretrained.torchvision_backbone import TorchvisionBackbone
from al_lightning.models.resnet import ResNet18Small

__all__ = [
    "CNN",
    "Backbone",
    "EfficientNetLite0",
    "Embedder",
    "Halves",
    "ImageClassifier",
    "PretrainedBackbone",
    "ResNet18Small",
    "TimmBackbone",
    "TorchvisionBackbone",
    "require_embedder",
]
