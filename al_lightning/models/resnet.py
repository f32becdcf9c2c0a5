"""A residual network for small images, from scratch."""

from torch import Tensor, nn

from al_lightning.models.backbone import Backbone
from al_lightning.utils.checks import require_within


class ResNet18Small(Backbone):
    """ResNet-18 in its form for small images: a 3x3 first convolution of stride 1, no max pooling.

    He, Zhang, Ren & Sun, "Deep residual learning for image recognition", CVPR 2016; the form for images
    of 32 pixels is that of SimCLR (Chen et al. 2020, appendix B.9) and of most work on CIFAR. It has
    11,173,962 parameters on 3 channels and 10 classes, and embeddings of 512. It starts from random
    weights, and takes images of any size.

    >>> from al_lightning.models import ResNet18Small
    >>> network = ResNet18Small((3, 32, 32), num_classes=10)
    >>> sum(weight.numel() for weight in network.parameters())
    11173962

    Args:
        image_shape: Channels, height, width.
        num_classes: C, the number of logits.
        dropout: Dropout probability between embeddings and logits, in [0, 1); the published network has
            none. The embeddings are taken before it.

    Raises:
        UsageError: If the dropout is out of range.
    """

    def __init__(
        self, image_shape: tuple[int, int, int], num_classes: int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        from torchvision.models import resnet18  # noqa: PLC0415  # slow to import

        require_within("model.dropout", dropout, "[0, 1)")
        network = resnet18(weights=None)
        network.conv1 = nn.Conv2d(image_shape[0], 64, 3, padding=1, bias=False)
        nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
        network.maxpool = nn.Identity()
        features = network.fc.in_features
        network.fc = nn.Identity()
        self.features = network
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(features, num_classes)

    def embed(self, images: Tensor) -> Tensor:
        """Return the means of the last feature maps, (B, 512)."""
        embeddings: Tensor = self.features(images)
        return embeddings

    def classify(self, embeddings: Tensor) -> Tensor:
        """Return the logits, (B, C)."""
        logits: Tensor = self.output(self.dropout(embeddings))
        return logits
