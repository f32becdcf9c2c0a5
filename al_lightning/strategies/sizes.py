"""How large a query is, in images, classes and dimensions."""

from collections.abc import Collection
from dataclasses import dataclass
from math import prod

from al_lightning.strategies.evidence import Need

_FLOAT = 4  # bytes; evidence is float32


@dataclass(frozen=True)
class Sizes:
    """What the memory that a query takes depends on.

    Attributes:
        pool: Unlabeled images that are scored.
        labeled: Labeled images.
        classes: C, the number of classes.
        embedding: D, the size of an embedding.
        samples: K, the number of dropout samples, or of passes with dropped features.
        count: How many images are selected.
    """

    pool: int
    labeled: int
    classes: int
    embedding: int
    samples: int
    count: int

    def row_bytes(self, needs: Collection[Need]) -> int:
        """Return the bytes that evidence on one image takes."""
        shapes = (need.row_shape(self.classes, self.embedding, self.samples) for need in needs)
        return _FLOAT * sum(map(prod, shapes))
