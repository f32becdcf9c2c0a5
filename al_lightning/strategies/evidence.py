"""Evidence: the quantities of one pass over a set of images that query strategies use."""

from dataclasses import dataclass
from enum import StrEnum

import torch
from torch import Tensor

from al_lightning.utils.errors import UndeclaredNeedError


class Need(StrEnum):
    """A quantity that a strategy can need; the value is the name of the Evidence field.

    >>> from al_lightning import Need
    >>> [need.value for need in Need]
    ['probabilities', 'embeddings', 'mc_probabilities', 'calibrated_probabilities', 'dropped_features']
    """

    PROBABILITIES = "probabilities"
    EMBEDDINGS = "embeddings"
    MC_PROBABILITIES = "mc_probabilities"
    CALIBRATED_PROBABILITIES = "calibrated_probabilities"
    DROPPED_FEATURES = "dropped_features"

    def row_shape(self, classes: int, embedding: int, samples: int) -> tuple[int, ...]:
        """Return the shape of the quantity of one image.

        Args:
            classes: C.
            embedding: D.
            samples: K.
        """
        if self is Need.EMBEDDINGS:
            return (embedding,)
        return (samples, classes) if self in SAMPLED else (classes,)


#: What takes samples of the network.
SAMPLED = frozenset({Need.MC_PROBABILITIES, Need.DROPPED_FEATURES})

_BLOCK = 65_536  # rows that are checked at a time


@dataclass(frozen=True)
class Evidence:
    """Quantities of N images, row for row; quantities that were not requested are None.

    >>> import torch
    >>> from al_lightning import Evidence, Need
    >>> pool = Evidence(torch.tensor([4, 7]), probabilities=torch.tensor([[0.8, 0.2], [0.5, 0.5]]))
    >>> pool.require(Need.PROBABILITIES).amax(1)
    tensor([0.8000, 0.5000])

    Attributes:
        ids: Dataset ids, (N,) int64, distinct.
        probabilities: Class probabilities, (N, C) float32; rows sum to 1.
        embeddings: Outputs of the penultimate layer, (N, D) float32; float16 on the disk where they do
            not fit in memory.
        mc_probabilities: Class probabilities under K dropout masks, (N, K, C) float32.
        calibrated_probabilities: Class probabilities at the learner's temperature, (N, C) float32.
        dropped_features: Class probabilities of K passes in which most numbers of the embedding are
            dropped, others for each image and pass, (N, K, C) float32.
        weights: Weight of each image, (N,) float32, at least 0, if one strategy passes images to
            another (see :class:`~al_lightning.strategies.Shortlist`); None: equal weights.

    Raises:
        ValueError: On a wrong number of dimensions or rows, or on ids that are not int64.
    """

    ids: Tensor
    probabilities: Tensor | None = None
    embeddings: Tensor | None = None
    mc_probabilities: Tensor | None = None
    calibrated_probabilities: Tensor | None = None
    dropped_features: Tensor | None = None
    weights: Tensor | None = None

    def __post_init__(self) -> None:
        """Check the shapes against each other."""
        if self.ids.ndim != 1 or self.ids.dtype != torch.int64:
            raise ValueError(
                f"Evidence.ids must be (N,) int64, not {tuple(self.ids.shape)} {self.ids.dtype}"
            )
        if self.weights is not None and self.weights.shape != self.ids.shape:
            raise ValueError(
                f"Evidence.weights must have shape ({len(self)},), not {tuple(self.weights.shape)}"
            )
        for need, values in self.quantities().items():
            if values.dtype == torch.float64:  # as NumPy has it
                object.__setattr__(self, need.value, values.float())
            dimensions = 1 + len(need.row_shape(classes=1, embedding=1, samples=1))
            if values.ndim != dimensions or len(values) != len(self):
                raise ValueError(
                    f"Evidence.{need} must have {dimensions} dimensions and one row for each "
                    f"of the {len(self)} ids, not shape {tuple(values.shape)}"
                )

    def __len__(self) -> int:
        return len(self.ids)

    def quantities(self) -> dict[Need, Tensor]:
        """Return the quantities that are present."""
        present = {need: getattr(self, need.value) for need in Need}
        return {need: values for need, values in present.items() if values is not None}

    def require(self, need: Need) -> Tensor:
        """Return one quantity.

        Raises:
            UndeclaredNeedError: If it is absent, i.e. the strategy did not declare it.
        """
        values = self.quantities().get(need)
        if values is None:
            raise UndeclaredNeedError(
                f"This evidence holds no {need}; a strategy must declare Need.{need.name} "
                "in `needs` (of the pool) or `labeled_needs` (of the labeled set)"
            )
        return values

    def rows(self, index: Tensor) -> "Evidence":
        """Return the rows at these positions, (M,) int64, in this order."""
        quantities = self.quantities().items()
        return Evidence(
            self.ids[index],
            **{need.value: values[index] for need, values in quantities},
            weights=None if self.weights is None else self.weights[index],
        )

    def non_finite_ids(self) -> Tensor:
        """Return the ids of rows that hold a NaN or an infinity, (M,) int64."""
        bad = torch.zeros(len(self), dtype=torch.bool)
        for values in self.quantities().values():
            for rows, found in zip(*(torch.split(x, _BLOCK) for x in (values, bad)), strict=True):
                # A sum is finite only if every term is, and costs no mask of the size of the values;
                # only rows whose sum overflows are checked one by one.
                sums = rows.flatten(1).sum(1, dtype=torch.float32)
                suspects = (~sums.isfinite()).nonzero().squeeze(1)
                found[suspects] |= ~rows[suspects].flatten(1).isfinite().all(1)
        return self.ids[bad]
