"""The rules by which differences are read: what is small, and when claims are made."""

from collections.abc import Sequence
from dataclasses import dataclass

from al_lightning.utils.checks import require_within, whole_number
from al_lightning.utils.errors import UsageError

#: The chance of any false claim in a family of comparisons, at most.
ALPHA = 0.05
#: Seeds in common; with fewer, nothing is claimed.
LEAST_SEEDS = 3


@dataclass(frozen=True)
class Rules:
    """What a report takes for small, and at how many seeds it makes claims.

    >>> Rules(looks=(5, 10)).level(10)
    0.025

    Attributes:
        margin: Percentage points. Strategies are the same where their difference is shown to be
            smaller.
        difference: Percentage points. The smallest difference that matters: seeds are counted to find
            it.
        looks: Numbers of seeds at which claims are made; they share the level of 5 %. None: once, at
            whatever number of seeds there are.

    Raises:
        UsageError: If a value is not what it must be; names its key.
    """

    margin: float = 0.5
    difference: float = 1.0
    looks: Sequence[int] | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        require_within("report.margin", self.margin, "(0, 100)")
        require_within("report.difference", self.difference, "(0, 100)")
        if self.looks is None:
            return
        looks = [whole_number("report.looks", look, LEAST_SEEDS) for look in self.looks]
        if not looks or sorted(set(looks)) != looks:
            raise UsageError(
                "report.looks must be ascending numbers of seeds, such as [5, 10], not "
                f"{list(self.looks)}"
            )

    def level(self, seeds: int) -> float:
        """Return the level of claims from so many seeds; 0 where none are made.

        It depends on the number of seeds and the planned looks alone, so that the same journals give
        the same report. By Bonferroni's inequality, all looks together stay at :data:`ALPHA`.
        """
        if seeds < LEAST_SEEDS:
            return 0.0
        if self.looks is None:
            return ALPHA
        return ALPHA / len(self.looks) if seeds in self.looks else 0.0
