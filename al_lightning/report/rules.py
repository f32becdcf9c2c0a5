"""The rules by which differences are read: what is small, and when claims are made."""

from collections.abc import Sequence
from dataclasses import dataclass

from al_lightning.utils.checks import require_within, whole_number
from al_lightning.utils.errors import UsageError

#: The chance of any false claim in a family of comparisons, at most, over all planned looks.
ALPHA = 0.05
#: Seeds in common; with fewer, nothing is claimed.
LEAST_SEEDS = 3


@dataclass(frozen=True)
class Rules:
    """What a report takes for small, and at how many seeds it makes claims.

    >>> Rules(looks=(5, 10)).look(7), Rules(looks=(5, 10)).next_look(7)
    (5, 10)

    Attributes:
        margin: Percentage points. Strategies are the same where their difference is shown to be
            smaller.
        difference: Percentage points. The smallest difference that matters: seeds are counted to find
            it.
        looks: Numbers of seeds at which claims are made, ascending; they share the level of 5 %. With
            seeds between two of them, the claims are those of the earlier one.

    Raises:
        UsageError: If a value is not what it must be; names its key.
    """

    margin: float = 0.5
    difference: float = 1.0
    looks: Sequence[int] = (3, 5, 10)

    def __post_init__(self) -> None:
        """Check the values."""
        require_within("report.margin", self.margin, "(0, 100)")
        require_within("report.difference", self.difference, "(0, 100)")
        given = self.looks if isinstance(self.looks, Sequence) else [self.looks]
        looks = [whole_number("report.looks", look, LEAST_SEEDS) for look in given]
        if not looks or sorted(set(looks)) != looks:
            raise UsageError(
                "report.looks must be ascending numbers of seeds, such as [5, 10], not "
                f"{list(given)}"
            )
        object.__setattr__(self, "looks", tuple(looks))

    def look(self, seeds: int) -> int | None:
        """Return the last planned look that so many seeds reach; None before the first."""
        return max((look for look in self.looks if look <= seeds), default=None)

    def next_look(self, seeds: int) -> int | None:
        """Return the first planned look that takes more seeds; None after the last."""
        return min((look for look in self.looks if look > seeds), default=None)
