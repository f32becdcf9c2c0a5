"""A network of two modules in a row."""

from torch import Tensor, nn

from al_lightning.models.backbone import Backbone


class Halves(Backbone):
    """Two modules in a row.

    >>> import torch
    >>> from torch import nn
    >>> from al_lightning.models import Halves
    >>> network = Halves(nn.Flatten(), nn.Linear(64, 10))
    >>> network(torch.zeros(2, 1, 8, 8)).shape, network.embed(torch.zeros(2, 1, 8, 8)).shape
    (torch.Size([2, 10]), torch.Size([2, 64]))

    Args:
        features: Maps images to embeddings.
        head: Maps embeddings to logits.
    """

    def __init__(self, features: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.features = features
        self.head = head

    def embed(self, images: Tensor) -> Tensor:
        """Return the first half's embeddings of images, (B, D)."""
        embeddings: Tensor = self.features(images)
        return embeddings

    def classify(self, embeddings: Tensor) -> Tensor:
        """Return the second half's logits of embeddings, (B, classes)."""
        logits: Tensor = self.head(embeddings)
        return logits
