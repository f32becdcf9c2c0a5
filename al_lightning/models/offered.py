"""What networks offer to passes over images: equivalents that are faster, or divided."""

from torch import Tensor, nn

from al_lightning.models.halves import Halves


class Stemmed(Halves):
    """Two modules in a row, the first of which begins with what no dropout changes.

    Args:
        stem: Maps images to what ``features`` takes; without dropout.
        features: Maps that to embeddings.
        head: Maps embeddings to logits.
    """

    def __init__(self, stem: nn.Module, features: nn.Module, head: nn.Module) -> None:
        super().__init__(features, head)
        self.stem = stem

    def embed(self, images: Tensor) -> Tensor:
        """Return the embeddings of images, (B, D)."""
        return self.embed_maps(self.stem(images))

    def embed_maps(self, maps: Tensor) -> Tensor:
        """Return the embeddings, (B, D), of what the stem has made of images; may work in place."""
        return super().embed(maps)


def for_evaluation(classifier: nn.Module) -> nn.Module:
    """Return a classifier's equivalent for passes without dropout; itself where it has none."""
    return _offered(classifier, "for_evaluation")


def for_sampling(classifier: nn.Module) -> nn.Module:
    """Return a classifier's equivalent for passes with dropout samples; itself where it has none."""
    return _offered(classifier, "for_sampling")


def _offered(classifier: nn.Module, name: str) -> nn.Module:
    offer = getattr(classifier, name, None)
    offered: nn.Module = offer() if callable(offer) else classifier
    return offered
