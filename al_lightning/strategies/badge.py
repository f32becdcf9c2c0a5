"""BADGE: a batch of diverse gradients, by k-means++ without the gradients."""

import torch
from torch import Tensor

from al_lightning.strategies.evidence import Evidence, Need
from al_lightning.strategies.functional.gradients import Gradients
from al_lightning.strategies.selection import Selection
from al_lightning.strategies.sizes import Sizes
from al_lightning.strategies.strategy import Strategy
from al_lightning.utils.checks import whole_number

_LEAST_ACCEPTED = 0.05  # share of proposals below which all distances are brought up to date
_FRESH = 4  # blocks' worth of proposals before that share is checked


class Badge(Strategy):
    """Picks images whose loss gradients are large and far from each other.

    The gradient of the cross-entropy with respect to the last layer's weights, for the predicted
    class as the label, is g = (p - onehot(argmax p)) outer h, of C x D numbers. BADGE picks by
    k-means++ on g: the first image uniformly, each further one with a probability proportional to the
    squared distance of its g to the nearest g picked before. Ash, Zhang, Krishnamurthy, Langford &
    Agarwal, "Deep batch active learning by diverse, uncertain gradient lower bounds", ICLR 2020,
    algorithm 1; k-means++: Arthur & Vassilvitskii, SODA 2007. (The authors' code and
    scikit-activeml start with the largest gradient, or draw the first image by the length of its
    gradient; the paper uses k-means++ as published, whose first center is uniform.)

    g is never computed: ``|g_i - g_j|^2`` follows from inner products of its two factors, in memory
    that grows with C + D instead of C x D. Distances are not all updated after every pick: an image is
    proposed by its old distance, and accepted with probability new / old distance. Distances only fall
    as images are picked, so old distances are upper bounds, and this rejection sampling draws from the
    exact distribution.

    A score is the squared distance of the gradient to the nearest previous pick; the score of the first
    image is its own squared length.

    >>> import torch
    >>> from al_lightning import Evidence
    >>> from al_lightning.strategies import Badge
    >>> embeddings = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> pool = Evidence(torch.arange(3), torch.full((3, 2), 0.5), embeddings)
    >>> 2 in Badge().select(pool, None, 2, torch.Generator()).ids  # not both copies
    True

    Args:
        block_size: Images that are proposed at a time. Trades memory for speed; it affects the draws,
            but not their distribution.
        pool_subset: See :class:`~al_lightning.strategies.Strategy`.

    Raises:
        UsageError: If ``block_size`` is no whole number of at least 1.
    """

    needs = frozenset({Need.PROBABILITIES, Need.EMBEDDINGS})

    def __init__(self, block_size: int = 512, *, pool_subset: int | None = None) -> None:
        super().__init__(pool_subset=pool_subset)
        self.block_size = whole_number("strategy.block_size", block_size, least=1)

    def choose(
        self,
        pool: Evidence,
        labeled: Evidence,  # noqa: ARG002 - the published batch depends on the pool alone
        count: int,
        generator: torch.Generator,
    ) -> Selection:
        """Choose ``count`` images by k-means++."""
        gradients = Gradients(pool.require(Need.PROBABILITIES), pool.require(Need.EMBEDDINGS))
        sampler = _PlusPlus(gradients, count, self.block_size, generator)
        picks, distances = sampler.run()
        largest = torch.finfo(torch.float32).max
        return Selection(pool.ids[picks], distances.clamp(max=largest).float())

    def working_bytes(self, sizes: Sizes) -> int:
        """Return the distances, and a few blocks in float64 with their centers."""
        numbers = sizes.classes + sizes.embedding + 3 * max(self.block_size, sizes.count)
        return 64 * sizes.pool + 8 * sizes.pool * sizes.classes + 8 * 8 * self.block_size * numbers


class _PlusPlus:
    """One run of k-means++ by proposals from stale distances.

    Attributes:
        bounds: Bounds from above of squared distances to the nearest of the first ``seen`` picks, (N,)
            float64; those of picked images are 0.
        seen: How many picks each bound knows, (N,) int64.
    """

    def __init__(
        self, gradients: Gradients, count: int, block_size: int, generator: torch.Generator
    ) -> None:
        self.gradients = gradients
        self.block_size = block_size
        self.generator = generator
        size = len(gradients)
        self.seen = torch.zeros(size, dtype=torch.int64)
        self.taken = torch.zeros(size, dtype=torch.bool)
        self.picks = torch.empty(count, dtype=torch.int64)
        self.distances = torch.empty(count, dtype=torch.float64)
        self.picked = 0

    def run(self) -> tuple[Tensor, Tensor]:
        """Return positions, (count,) int64, and squared distances, (count,) float64."""
        first = torch.randint(len(self.gradients), (1,), generator=self.generator)
        lengths = self.gradients.squares.sqrt()
        self._pick(int(first), float(self.gradients.squares[first]))
        self.bounds = (lengths + lengths[first]).square_()  # by the triangle inequality
        self.bounds[first] = 0
        proposed = accepted = 0
        while self.picked < len(self.picks):
            if not bool(self.bounds.max() > 0):
                self._fill()
                break
            news = self._propose()
            proposed, accepted = proposed + self.block_size, accepted + news
            enough = proposed >= _FRESH * self.block_size
            if enough and accepted < _LEAST_ACCEPTED * proposed:
                self._refresh()
                proposed = accepted = 0
        return self.picks, self.distances

    def _propose(self) -> int:
        """Propose a block of images by their bounds; return how many were accepted.

        The proposals are independent draws from the bounds as they are now. Each is accepted with
        the share that its distance to all picks, those of this very block among them, has of its
        bound. Hence each accepted one is a draw from the distances at that moment.
        """
        drawn = self._draw(self.bounds, self.block_size)
        block, place = torch.unique(drawn, return_inverse=True)
        before = self.bounds[block]
        self._update(block)
        current = self.bounds[block]
        chances = torch.rand(len(drawn), generator=self.generator, dtype=torch.float64)
        thresholds = chances * before[place]
        start, most = self.picked, len(self.picks)
        # Only what passes as things stand can pass later: distances fall.
        passing = (thresholds < current[place]).nonzero().squeeze(1)
        distances = self.gradients.between(block[place[passing]], block)
        for threshold, row, nearest in zip(
            thresholds[passing].tolist(), place[passing].tolist(), distances, strict=True
        ):
            if self.picked < most and threshold < current[row]:
                self._pick(int(block[row]), float(current[row]))
                current = torch.minimum(current, nearest)
                current[row] = 0
        self.bounds[block] = current
        self.seen[block] = self.picked
        return self.picked - start

    def _draw(self, weights: Tensor, count: int) -> Tensor:
        """Draw positions with replacement, in proportion to weights, (N,) float64; (count,) int64."""
        # Divided by the largest first: a sum of squares of large float32 numbers may overflow.
        sums = (weights / weights.max()).cumsum(0)
        points = torch.rand(count, generator=self.generator, dtype=torch.float64) * sums[-1]
        # `right`: a point on a boundary belongs to the next weight, so that none of 0 is drawn.
        return torch.searchsorted(sums, points, right=True).clamp(max=len(weights) - 1)

    def _fill(self) -> None:
        """Pick uniformly where every image equals a pick, so that all distances are 0."""
        free = (~self.taken).nonzero().squeeze(1)
        order = torch.randperm(len(free), generator=self.generator)
        for position in free[order[: len(self.picks) - self.picked]].tolist():
            self._pick(position, 0.0)

    def _pick(self, position: int, distance: float) -> None:
        self.picks[self.picked] = position
        self.distances[self.picked] = distance
        self.picked += 1
        self.taken[position] = True

    def _refresh(self) -> None:
        """Bring all distances up to date."""
        for block in torch.split(torch.arange(len(self.gradients)), self.block_size):
            self._update(block)

    def _update(self, block: Tensor) -> None:
        """Lower the bounds of a block to the distances to all picks."""
        start = int(self.seen[block].min())
        if start < self.picked:
            nearest = self.gradients.between(block, self.picks[start : self.picked]).amin(1)
            self.bounds[block] = torch.minimum(self.bounds[block], nearest)
            self.bounds[block[self.taken[block]]] = 0  # exactly, whatever rounding says
            self.seen[block] = self.picked
