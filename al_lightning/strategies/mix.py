"""One batch from several strategies, by shares."""

from collections.abc import Mapping

import torch

from al_lightning.strategies.evidence import Evidence, Need
from al_lightning.strategies.parts import require_part, shared_samples
from al_lightning.strategies.selection import Selection
from al_lightning.strategies.sizes import Sizes
from al_lightning.strategies.strategy import Strategy
from al_lightning.utils.checks import require_kind, require_within
from al_lightning.utils.errors import UsageError


class Mix(Strategy):
    """Lets each of several strategies choose a share of the images to query.

    A strategy that samples uniformly (:attr:`Strategy.uniform`) chooses first, so that its images are
    a random sample of the pool: a share of them estimates accuracy or class frequencies without bias.
    The others follow in their order. No image is chosen twice, and images that were chosen before
    count as labeled for the next strategy, if it uses labeled images. The selection says which strategy
    chose which image (:attr:`Selection.parts`).

    A part has its share of the images, rounded to whole numbers by largest remainders, of equal ones
    the first. Its images are together in the ranking, in the order of the parts. A score is the
    part's own.

    >>> import torch
    >>> from al_lightning import Evidence
    >>> from al_lightning.strategies import Margin, Mix, Random
    >>> rows = torch.tensor([[0.5, 0.5], [0.9, 0.1], [0.9, 0.1], [0.9, 0.1]])
    >>> mix = Mix({"margin": Margin(), "random": Random()}, {"margin": 2, "random": 1})
    >>> mix.select(Evidence(torch.arange(4), rows), None, 3, torch.Generator()).parts
    ('margin', 'margin', 'random')

    Args:
        parts: The strategies, by names of your choice.
        shares: Of the images, by the same names, at least 0; only their ratios count.
        pool_subset: See :class:`~al_lightning.strategies.Strategy`.

    Raises:
        UsageError: If parts and shares do not have the same names, no share is above 0, or a part is no
            strategy, has a ``pool_subset`` of its own, or another number of dropout samples.
    """

    def __init__(
        self,
        parts: Mapping[str, Strategy],
        shares: Mapping[str, float],
        *,
        pool_subset: int | None = None,
    ) -> None:
        super().__init__(pool_subset=pool_subset)
        require_kind("strategy.parts", parts, Mapping)
        require_kind("strategy.shares", shares, Mapping)
        for name, part in parts.items():
            require_part(f"strategy.parts.{name}", part, scores=False)
        if parts.keys() != shares.keys():
            raise UsageError(
                f"strategy.shares must have a share for each of strategy.parts ({', '.join(parts)}), "
                f"not for {', '.join(shares) or 'none'}"
            )
        for name, share in shares.items():
            require_within(f"strategy.shares.{name}", share, "[0, inf)")
        if not sum(shares.values()) > 0:
            raise UsageError("strategy.shares must have a share above 0")
        self.parts = dict(parts)
        self.shares = dict(shares)
        self.labeled_needs = frozenset[Need]().union(*(p.labeled_needs for p in parts.values()))
        # What is chosen becomes labeled: the pool must tell as much as the labeled set.
        self.needs = self.labeled_needs.union(*(p.needs for p in parts.values()))
        self.mc_samples = shared_samples(parts)

    def choose(
        self, pool: Evidence, labeled: Evidence, count: int, generator: torch.Generator
    ) -> Selection:
        """Choose ``count`` images, part by part."""
        counts = dict(zip(self.parts, by_shares([*self.shares.values()], count), strict=True))
        found: dict[str, Selection] = {}
        # Sorting is stable: of the uniform ones and of the others, the first comes first.
        for name in sorted(self.parts, key=lambda name: not self.parts[name].uniform):
            if counts[name] == 0:
                continue
            part = self.parts[name]
            chosen = part.select(
                _only(pool, part.needs), _only(labeled, part.labeled_needs), counts[name], generator
            )
            found[name] = chosen
            taken = torch.isin(pool.ids, chosen.ids)
            labeled = _joined(labeled, pool.rows(taken.nonzero().squeeze(1)))
            pool = pool.rows((~taken).nonzero().squeeze(1))
        order = [name for name in self.parts if name in found]
        return Selection(
            torch.cat([found[name].ids for name in order]),
            torch.cat([found[name].scores for name in order]),
            tuple(name for name in order for _ in found[name].ids),
            tuple(name for name in order if self.parts[name].uniform),
        )

    def working_bytes(self, sizes: Sizes) -> int:
        """Return the bytes of the most expensive part, beside the pool and the labeled set anew."""
        images = sizes.pool + sizes.labeled
        return images * (sizes.row_bytes(self.needs) + 64) + max(
            part.working_bytes(sizes) for part in self.parts.values()
        )


def by_shares(shares: list[float], count: int) -> list[int]:
    """Divide whole things by shares: rounded down, the rest to the largest remainders.

    >>> by_shares([0.5, 0.3, 0.2], 7)
    [4, 2, 1]
    """
    exact = [share * count / sum(shares) for share in shares]
    counts = [int(number + 1e-9) for number in exact]  # where .3 * 10 is below 3
    rest = sorted(range(len(shares)), key=lambda i: counts[i] - exact[i])
    for i in rest[: count - sum(counts)]:
        counts[i] += 1
    return counts


def _only(evidence: Evidence, needs: frozenset[Need]) -> Evidence:
    """Return evidence with nothing but these quantities."""
    present = evidence.quantities()
    wanted = {need.value: values for need, values in present.items() if need in needs}
    return Evidence(evidence.ids, **wanted, weights=evidence.weights)


def _joined(labeled: Evidence, more: Evidence) -> Evidence:
    """Return evidence on labeled images and more of them, with the quantities of the former."""
    values = {
        need.value: torch.cat([rows, more.require(need)])
        for need, rows in labeled.quantities().items()
    }
    return Evidence(torch.cat([labeled.ids, more.ids]), **values)
