"""BatchBALD: query the batch with the highest joint mutual information."""

import math

import torch
from torch import Tensor

from al_lightning.strategies.evidence import Evidence, Need
from al_lightning.strategies.functional.blocks import BLOCK_NUMBERS, block_bytes, by_blocks
from al_lightning.strategies.functional.disagreement import mutual_information
from al_lightning.strategies.selection import Selection
from al_lightning.strategies.sizes import Sizes
from al_lightning.strategies.strategy import Strategy
from al_lightning.utils.checks import require_within, whole_number

_TINY = 1e-300
_BYTES_AN_IMAGE = 64  # its bounds, and their order
# Candidates that are brought up to date at once: so many first, then twice as many, up to some blocks.
_FIRST, _MOST_BLOCKS = 16, 4


class BatchBALD(Strategy):
    """Greedily picks the batch of the highest joint mutual information of its labels and the network.

    Kirsch, van Amersfoort & Gal, "BatchBALD: efficient and diverse batch acquisition for deep Bayesian
    active learning", NeurIPS 2019. Unlike the sum of :class:`BALD` scores, it does not count twice
    the information that two images share. A score is the information that an image adds to the
    previous picks, in nats.

    The picks are exact while the C^b possible labelings of b picks are at most ``configurations``.
    After that, ``configurations`` labelings are sampled such that every sum over all labelings is
    estimated without bias: the labelings with the most remaining uncertainty about the network are
    always kept, with their own weight, others with a proportional probability and weight. (The paper
    samples labels from the predictions instead.)

    K samples hold at most ln K nats, which a few informative labels use up; after that, all images add
    almost nothing. When less than a share of ``saturation`` is left, the rest of the batch is picked
    as a new batch, from the rest of the pool. For batches of hundreds, :class:`Power` on :class:`BALD`
    is much cheaper.

    >>> import torch
    >>> from al_lightning import Evidence
    >>> from al_lightning.strategies import BatchBALD
    >>> copied, other = [[1, 0], [1, 0], [0, 1], [0, 1]], [[1, 0], [0, 1], [1, 0], [0, 1]]
    >>> samples = torch.tensor([copied, copied, other]).float()
    >>> pool = Evidence(torch.arange(3), mc_probabilities=samples)
    >>> selection = BatchBALD(mc_samples=4).select(pool, None, 2, torch.Generator())
    >>> 2 in selection.ids, selection.scores  # no two copies; ln 2 each
    (True, tensor([0.6931, 0.6931]))

    Args:
        mc_samples: K.
        configurations: Maximum number of joint labelings of the picks.
        saturation: In [0, 1); 0 never starts a new batch.
        pool_subset: See :class:`~al_lightning.strategies.Strategy`.

    Raises:
        UsageError: On arguments out of range.
    """

    needs = frozenset({Need.MC_PROBABILITIES})

    def __init__(
        self,
        mc_samples: int = 20,
        configurations: int = 2000,
        saturation: float = 0.01,
        *,
        pool_subset: int | None = None,
    ) -> None:
        super().__init__(pool_subset=pool_subset)
        whole_number("strategy.mc_samples", mc_samples, least=1)
        whole_number("strategy.configurations", configurations, least=1)
        require_within("strategy.saturation", saturation, "[0, 1)")
        self.mc_samples = mc_samples
        self.configurations = configurations
        self.saturation = saturation

    def choose(
        self,
        pool: Evidence,
        labeled: Evidence,  # noqa: ARG002 - the network knows them already
        count: int,
        generator: torch.Generator,
    ) -> Selection:
        """Choose ``count`` images, the most informative first."""
        search = _LazyJointInformation(
            pool.require(Need.MC_PROBABILITIES), self.configurations, self.saturation, generator
        )
        picks, gains = search.run(count)
        return Selection(pool.ids[picks], gains.float())

    def working_bytes(self, sizes: Sizes) -> int:
        """Return the bounds, the labelings, and the blocks."""
        labelings = 8 * self.configurations * (6 * sizes.samples + 4 * sizes.classes)
        numbers = max(sizes.samples, self.configurations) * sizes.classes
        blocks = 3 * _MOST_BLOCKS * block_bytes(sizes.pool, numbers)  # of three sizes, in turns
        return _BYTES_AN_IMAGE * sizes.pool + labelings + blocks


class _LazyJointInformation:
    """Greedy picks that bring up to date only the candidates that can be next.

    The gain of a label only falls as more labels are known (mutual information is submodular where
    labels are independent given the network). So the last known gain of a candidate
    bounds its gain now; where the best of some candidates reaches all other bounds, it is the best.
    A tighter bound, still cheap, comes from :meth:`Labelings.merged`.
    """

    def __init__(
        self, samples: Tensor, limit: int, saturation: float, generator: torch.Generator
    ) -> None:
        self.samples = samples
        self.limit = limit
        self.least = saturation * math.log(samples.shape[1])
        self.most = max(_FIRST, _MOST_BLOCKS * BLOCK_NUMBERS // samples[0].numel())
        self.generator = generator
        # In random order, so that chance decides between equals.
        self.order = torch.randperm(len(samples), generator=generator)
        self.alone = by_blocks(mutual_information, samples)[self.order]
        self._begin()

    def run(self, count: int) -> tuple[Tensor, Tensor]:
        """Return positions in the pool, (count,) int64, and gains in nats, (count,) float64."""
        picks = torch.empty(count, dtype=torch.int64)
        gains = torch.empty(count, dtype=torch.float64)
        for index in range(count):
            best = self._best()
            picks[index], gains[index] = self.order[best], self.bounds[best]
            self.alone[best] = self.bounds[best] = -torch.inf
            if index < count - 1:
                self.labelings.extend(self._rows(best), self.limit, self.generator)
                if self.labelings.open_information() < self.least:
                    self._begin()
        return picks, gains

    def _begin(self) -> None:
        """Begin a batch; nothing of it is known yet."""
        self.labelings = Labelings(self.samples.shape[1])
        self.bounds = self.alone.clone()

    def _best(self) -> Tensor:
        """Return the place of the candidate with the highest gain; its bound is then exact."""
        coarse = self.labelings.merged()
        others = self.bounds.clone()
        best, gain, size = torch.tensor(0), -torch.inf, _FIRST
        while True:
            top = others.topk(min(size, len(others)))
            block = top.indices[top.values > gain]
            if len(block) == 0:
                return best
            others[block] = -torch.inf
            rows = self._rows(block)
            bounds = coarse.gains(rows)
            near = bounds > gain
            bounds[near] = self.labelings.gains(rows[near])
            self.bounds[block] = bounds
            if float(bounds.max()) > gain:
                best, gain = block[bounds.argmax()], float(bounds.max())
            size = min(2 * size, self.most)

    def _rows(self, places: Tensor) -> Tensor:
        return self.samples[self.order[places]].double()


class Labelings:
    """The joint labelings of the picks so far, and the posterior of the dropout samples under each.

    Args:
        samples: K.

    Attributes:
        weights: How likely each of M labelings is, (M,) float64; where some were left out, others stand
            for them. Labelings that decide the network add no information, and are left
            out too.
        posteriors: How likely each sample is under them, (M, K) float64; rows sum to 1.
    """

    def __init__(self, samples: int) -> None:
        self.weights = torch.ones(1, dtype=torch.float64)
        self.posteriors = torch.full((1, samples), 1 / samples, dtype=torch.float64)

    def open_information(self) -> float:
        """Return the expected entropy of the posterior in nats, the most that labels can still add."""
        return float(self.weights @ torch.special.entr(self.posteriors).sum(1))

    def merged(self) -> "Labelings":
        """Return at most K labelings, one for all of those under which the same sample is likeliest.

        Merging labelings loses information, so under the merged ones no candidate adds less (the gap
        that `gains` averages is concave in the posterior).
        """
        likeliest = self.posteriors.argmax(1)
        count = self.posteriors.shape[1]
        merged = Labelings(count)
        weights = self.weights.new_zeros(count).index_add_(0, likeliest, self.weights)
        joint = self.weights.new_zeros(count, count)
        joint.index_add_(0, likeliest, self.weights[:, None] * self.posteriors)
        merged.weights = weights[weights > 0]
        merged.posteriors = joint[weights > 0] / merged.weights[:, None]
        return merged

    def gains(self, candidates: Tensor) -> Tensor:
        """Return the mutual information that each candidate's label adds to the labels of the picks.

        By the chain rule, that is its BALD score under each posterior, averaged over the labelings:
        sum_m weight_m (H(sum_k w_mk p_k) - sum_k w_mk H(p_k)).

        Args:
            candidates: (B, K, C) float64; rows sum to 1.

        Returns:
            (B,) float64 in nats, at least 0.
        """
        numbers = len(self.weights) * candidates.shape[2]
        rows = max(1, BLOCK_NUMBERS // max(1, numbers))
        return torch.cat([self._gains(block) for block in torch.split(candidates, rows)])

    def _gains(self, candidates: Tensor) -> Tensor:
        count, samples, classes = candidates.shape
        # A logarithm of no 0 takes a sixth of the time of torch.special.entr, and x ln x stays 0 at 0.
        flat = candidates.transpose(0, 1).reshape(samples, count * classes).clamp_(min=_TINY)
        predicted = self.posteriors @ flat
        negative = self.weights @ predicted.log().mul_(predicted)
        of_mean = -negative.reshape(count, classes).sum(1)
        mean_of = torch.special.entr(candidates).sum(2) @ (self.weights @ self.posteriors)
        gains: Tensor = of_mean - mean_of
        return gains.clamp_(min=0)

    def extend(self, pick: Tensor, limit: int, generator: torch.Generator) -> None:
        """Let every labeling branch into the C labels of one more pick.

        Args:
            pick: (K, C) float64; rows sum to 1.
            limit: The most labelings to keep.
            generator: Draws those that are kept, where there are more.
        """
        classes = pick.shape[1]
        rows = max(1, BLOCK_NUMBERS // pick.numel())
        blocks = zip(
            torch.split(self.weights, rows), torch.split(self.posteriors, rows), strict=True
        )
        left = torch.cat([_open_information(w, p, pick) for w, p in blocks]).flatten()
        branch, chance = keep_some(left, limit, generator)
        parent, label = branch // classes, branch % classes
        joint = self.posteriors[parent] * pick.T[label]
        predicted = joint.sum(1)
        self.weights = self.weights[parent] * predicted / chance
        self.posteriors = joint / predicted[:, None]


def _open_information(weights: Tensor, posteriors: Tensor, pick: Tensor) -> Tensor:
    """Return each branch's weight times the entropy of its posterior, (B, C), in nats."""
    joint = posteriors[:, :, None] * pick
    predicted = joint.sum(1)
    entropies: Tensor = torch.special.entr(joint).sum(1) - torch.special.entr(predicted)
    return weights[:, None] * entropies


def keep_some(sizes: Tensor, limit: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw at most ``limit`` terms of a sum, so that the others need not be computed.

    Terms are kept with chances in proportion to their sizes, or surely; of all such ways, this
    one draws systematically (Madow 1949), so that exactly ``limit`` are kept. The sum of kept terms,
    each divided by its chance, estimates the sum of all without bias (Horvitz & Thompson 1952).

    Args:
        sizes: (M,) float64; terms of size 0 or below are left out.
        limit: At least 1.
        generator: The only source of randomness; where the terms are few enough, nothing is drawn.

    Returns:
        Positions, (L,) int64, ascending, and their chances, (L,) float64 in (0, 1].
    """
    present = (sizes > 0).nonzero().squeeze(1)
    if len(present) <= limit:
        return present, torch.ones(len(present), dtype=sizes.dtype)
    chances = _chances(sizes[present], limit)
    edges = chances.cumsum(0)
    start = torch.rand((), dtype=sizes.dtype, generator=generator)
    # One point at `start` and at every whole number behind it; an edge passes at most one of them.
    passed = torch.cat([torch.zeros(1, dtype=sizes.dtype), (edges - start).ceil().clamp(min=0)])
    kept = passed.diff() > 0
    return present[kept], chances[kept]


def _chances(sizes: Tensor, limit: int) -> Tensor:
    """Return min(1, size / c) with the c for which they sum to ``limit``."""
    largest = sizes.sort(descending=True).values
    tails = largest.flip(0).cumsum(0).flip(0)[:limit]  # the sum from each one on
    thresholds = tails / torch.arange(limit, 0, -1)  # where those before it are kept surely
    first = int((largest[:limit] <= thresholds).nonzero()[0])
    return (sizes / thresholds[first]).clamp(max=1)
