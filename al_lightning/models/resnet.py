"""A residual network for small images, from scratch."""

from torch import nn

from al_lightning.models.halves import Halves
from al_lightning.utils.checks import require_within


class ResNet18Small(Halves):
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
        from torchvision.models import resnet18  # noqa: PLC0415  # slow to import

        require_within("model.dropout", dropout, "[0, 1)")
        network = resnet18(weights=None)
        network.conv1 = nn.Conv2d(image_shape[0], 64, 3, padding=1, bias=False)
        nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
        network.maxpool = nn.Identity()
        features = network.fc.in_features
        network.fc = nn.Identity()
        super().__init__(
            network, nn.Sequential(nn.Dropout(dropout), nn.Linear(features, num_classes))
        )
