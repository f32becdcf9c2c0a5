"""ProbCover: as many images as possible in balls around the labeled ones, for small budgets."""

import torch
from torch import Tensor

from al_lightning.strategies.all_images import all_embeddings
from al_lightning.strategies.evidence import Evidence, Need
from al_lightning.strategies.functional.balls import Balls, balls_bytes
from al_lightning.strategies.functional.cap import Cap
from al_lightning.strategies.functional.clusters import cluster
from al_lightning.strategies.functional.coverage import Coverage
from al_lightning.strategies.functional.rows import squared_distances
from al_lightning.strategies.selection import Selection, top_up_at_random
from al_lightning.strategies.sizes import Sizes
from al_lightning.strategies.strategy import Strategy
from al_lightning.utils.checks import require_within, whole_number
from al_lightning.utils.digests import tensors_digest

_SAMPLE = 1_000  # balls that the radius is estimated on
_CLUSTERED = 20_000  # images that are clustered for that, at most
_SEED = 0  # of the balls and images for that: the radius is a property of the embeddings
_DISTANCES = 2**22  # distances at a time, in float64


class ProbCover(Strategy):
    """Picks the image whose ball covers the most images that no labeled image's ball covers.

    Balls have radius delta, in embeddings of unit length. Yehuda, Dekel, Hacohen & Weinshall,
    "Active learning through a covering lens", NeurIPS 2022, algorithm 1: greedy maximum coverage. The
    result equals that of the plain greedy algorithm, see
    :class:`~al_lightning.strategies.functional.coverage.Coverage`. No graph is stored, but all N^2
    pairs are counted once for the same embeddings: set ``pool_subset`` for a very large pool.
    Distances are those of centred embeddings, in float64 where it matters, so that small radii are as
    exact as large ones; ties are broken at random.

    An embedding of zeros has no direction: it lies in no ball, and covers nothing. When everything
    else is covered, the rest is drawn uniformly. A score is the share of the pool that the image newly
    covers.

    >>> import torch
    >>> from al_lightning import Evidence
    >>> from al_lightning.strategies import ProbCover
    >>> angles = torch.tensor([0.0, 0.1, 0.2, 3.0])
    >>> pool = Evidence(torch.arange(4), embeddings=torch.stack([angles.cos(), angles.sin()], 1))
    >>> ProbCover(delta=0.15).select(pool, None, 2, torch.Generator())
    Selection(ids=tensor([1, 3]), scores=tensor([0.7500, 0.2500]))

    Args:
        delta: The radius, in (0, 2]; None estimates it by :func:`pure_radius`, from 1,000 balls among
            all images, labeled or not: as long as embeddings are the same, so is the radius. At most
            20,000 images are clustered; the others belong to the nearest center.
        clusters: Expected number of classes, for that estimate; at least 2.
        purity: Share of balls that should lie in one cluster, in (0, 1]; published as 0.95.
        pool_subset: See :class:`~al_lightning.strategies.Strategy`.

    Raises:
        UsageError: On arguments out of range; names the key.
    """

    needs = labeled_needs = frozenset({Need.EMBEDDINGS})

    def __init__(
        self,
        delta: float | None = None,
        clusters: int = 10,
        purity: float = 0.95,
        *,
        pool_subset: int | None = None,
    ) -> None:
        super().__init__(pool_subset=pool_subset)
        whole_number("strategy.clusters", clusters, least=2)
        if delta is not None:
            require_within("strategy.delta", delta, "(0, 2]")  # unit vectors are no farther apart
        require_within("strategy.purity", purity, "(0, 1]")
        self.delta = delta
        self.clusters = clusters
        self.purity = purity
        self._kept: tuple[str, Tensor, Balls] | None = None

    def choose(
        self, pool: Evidence, labeled: Evidence, count: int, generator: torch.Generator
    ) -> Selection:
        """Choose ``count`` images by greedy coverage."""
        rows, order = all_embeddings(pool, labeled)
        point_of, balls = self._balls(rows)
        coverage = Coverage(balls, torch.randperm(len(balls), generator=generator))
        known = point_of[order >= len(pool)]
        coverage.cover(known[known >= 0].tolist())
        points, covered = coverage.run(count)
        image_of = order[point_of >= 0]  # of each point: the row of the pool
        return top_up_at_random(pool, image_of[points], covered / len(pool), count, generator)

    def _balls(self, rows: Tensor) -> tuple[Tensor, Balls]:
        """Return the point of each image, (N,) int64, -1 without a direction, and balls around points.

        They follow from the embeddings alone, and are kept while these are the same.
        """
        key = tensors_digest({"rows": rows})
        if self._kept is None or self._kept[0] != key:
            directed = rows.any(1)
            point_of = torch.where(directed, directed.cumsum(0) - 1, -1)
            self._kept = (key, point_of, self._balls_around(rows[directed]))
        return self._kept[1:]

    def _balls_around(self, rows: Tensor) -> Balls:
        if len(rows) == 0:
            return Balls(rows, 0.0)
        cap = Cap(rows)
        points = cap.place(rows)
        return Balls(points, self._radius(points) if self.delta is None else self.delta / cap.scale)

    def _radius(self, rows: Tensor) -> float:
        generator = torch.Generator().manual_seed(_SEED)
        order = torch.randperm(len(rows), generator=generator)
        some = rows[order[:_CLUSTERED]]
        found = cluster(some, min(self.clusters, len(some)), generator).labels
        labels = nearest_center(rows, some, found)
        return pure_radius(rows, labels, self.purity, order[:_SAMPLE])

    def working_bytes(self, sizes: Sizes) -> int:
        """Return two copies of all embeddings, balls, and blocks of distances."""
        row = sizes.row_bytes(self.needs)
        images = sizes.pool + sizes.labeled
        return 2 * images * row + balls_bytes(images, row) + 24 * _DISTANCES


def nearest_center(rows: Tensor, some: Tensor, labels: Tensor) -> Tensor:
    """Return the cluster of each row by the nearest mean of some rows of which it is known.

    Args:
        rows: (N, D) float32.
        some: (n, D) float32.
        labels: Their clusters, (n,) int64.

    Returns:
        (N,) int64, positions in the ascending list of the clusters that have rows.
    """
    means = torch.stack([some[labels == label].double().mean(0) for label in torch.unique(labels)])
    blocks = torch.split(rows, max(1, _DISTANCES // means.numel()))
    return torch.cat([squared_distances(block, means).argmin(1) for block in blocks])


def pure_radius(rows: Tensor, labels: Tensor, purity: float, balls: Tensor) -> float:
    """Return the largest radius at which enough balls hold images of one cluster alone.

    The ball of an image is pure at every radius below its distance to the nearest image of another
    cluster, so the radius is a quantile of these distances. Yehuda et al. 2022, section 3.2. All images
    count in a ball: among fewer images balls would be purer than they are, and the radius too large.

    Args:
        rows: (N, D) float32.
        labels: Their clusters, (N,) int64.
        purity: Least share of pure balls, in (0, 1].
        balls: Positions of the images whose balls are counted, (n,) int64.

    Returns:
        A radius; where there is only one cluster, one that covers everything.
    """
    centers = rows[balls]
    nearest = torch.full((len(balls),), torch.inf, dtype=torch.float64)
    largest = 0.0
    # In blocks of all images, so that each is turned into float64 once.
    size = max(1, _DISTANCES // max(len(balls), rows.shape[1]))
    for block, own in zip(torch.split(rows, size), torch.split(labels, size), strict=True):
        squared = squared_distances(centers, block)
        largest = max(largest, float(squared.max()) ** 0.5)
        squared.masked_fill_(labels[balls, None] == own, torch.inf)
        nearest = torch.minimum(nearest, squared.amin(1))
    radii = nearest.sqrt_().sort().values
    bound = float(radii[int((1 - purity) * len(balls) + 1e-9)])  # where .05 * 20 is below 1
    # No two images are farther apart than that, by the triangle inequality.
    return 2 * largest if bound == torch.inf else bound * (1 - 1e-6)
