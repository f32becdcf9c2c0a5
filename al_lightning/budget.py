"""How many labels may be bought, and when."""

from dataclasses import dataclass
from typing import Literal

from al_lightning.errors import UsageError

Amount = int | Literal["all"]

_POLICIES = ("balanced", "uniform")


@dataclass(frozen=True)
class Budget:
    """The labels that a run may buy. Every label costs the same, those for validation too.

    Attributes:
        initial: Labels to start from, at least 2, or "all" of the data set.
        query: Labels to ask for in each round.
        total: Labels in all, initial and validation labels included, or "all" of the data set.
        validation: Labels bought at the start for validation; never trained on.
        initial_policy: How the initial set is drawn: "balanced", the same number of each class as
            far as there are so many, or "uniform", without a look at the classes.

    Raises:
        UsageError: On amounts that make no run; names the keys.
    """

    initial: Amount = 500
    query: int = 500
    total: Amount = 3000
    validation: int = 0
    initial_policy: str = "balanced"

    def __post_init__(self) -> None:
        """Check the amounts on their own and against each other."""
        _require_amount("initial", self.initial, least=2, allow_all=True)
        _require_amount("query", self.query)
        _require_amount("total", self.total, allow_all=True)
        _require_amount("validation", self.validation, least=0)
        if self.initial_policy not in _POLICIES:
            raise UsageError(
                f"budget.initial_policy must be one of {', '.join(_POLICIES)}, "
                f"not {self.initial_policy!r}"
            )
        if self.total == "all":
            return
        if self.initial == "all":
            raise UsageError("budget.initial=all needs budget.total=all")
        if self.initial + self.validation > self.total:
            raise UsageError(
                f"budget.initial + budget.validation = {self.initial} + {self.validation} "
                f"is more than budget.total = {self.total}"
            )

    def limit(self, size: int) -> int:
        """Return the labels that can be bought of a data set of this size.

        Raises:
            UsageError: If the data set has fewer images than the start takes.
        """
        start = self.validation + (0 if self.initial == "all" else self.initial)
        if start > size:
            raise UsageError(
                f"budget.initial + budget.validation = {start}, "
                f"but the training set has {size} images"
            )
        return size if self.total == "all" else min(self.total, size)


def _require_amount(name: str, value: object, *, least: int = 1, allow_all: bool = False) -> None:
    if allow_all and value == "all":
        return
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        hint = ' or "all"' if allow_all else ""
        raise UsageError(
            f"budget.{name} must be a whole number of at least {least}{hint}, not {value!r}"
        )
