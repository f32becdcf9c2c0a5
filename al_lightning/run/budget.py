"""How many labels may be bought, and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from al_lightning.utils.errors import UsageError
from al_lightning.utils.memory import parse_bytes

Amount = int | Literal["all"]

_FEWEST = 2  # labels that can be trained on
#: How the initial set can be drawn without a strategy.
POLICIES = ("uniform", "balanced")
#: By typiclust where the network is pretrained, else uniform.
AUTO_POLICY = "auto"


@dataclass(frozen=True)
class Budget:
    """The number of labels of a run. Every label costs the same, including validation labels.

    >>> from al_lightning import Budget
    >>> budget = Budget(initial=20, query=10, total=100)
    >>> budget.limit(size=50)  # the data set has no more
    50
    >>> budget = Budget(initial=10, query=[10, 30, 50], total=200)
    >>> [budget.query_size(round_index) for round_index in range(5)]
    [10, 30, 50, 50, 50]

    Attributes:
        initial: Labels at the start, at least 2, or "all" of the data set. With 0, the first query has
            ``query`` images and uses no trained classifier.
        query: Labels to query in each round, or a list of the sizes of successive queries; the last
            size repeats.
        total: Labels in total, with initial, validation and test labels, or "all" of the data set.
        validation: Labels for validation, queried at the start for images drawn at random from all
            images; never used for training. Advice, such as when to stop, may use them.
        test: Labels for the final accuracy, queried at the start for further images drawn at random;
            never used for training or advice, and shown at the end of the run.
        initial_policy: Choice of the initial set: "uniform", independent of the classes, so that a
            rare class may have no label yet; the name of a strategy, which selects by the embeddings
            of the untrained classifier; "auto", a strategy if the classifier has pretrained weights,
            else uniform; or "balanced", the same number of each class as far as possible. Balanced
            labels use the classes of all images, which a person does not know: the run warns of it.
            If only some images come with labels, those images are the initial set.
        memory_limit: Memory limit of a query: bytes, a text such as "4GB", or "auto", the memory that
            is available when the run starts. A larger query is refused before any work; the selection
            does not depend on the limit.

    Raises:
        UsageError: If the amounts contradict each other; names the keys.
    """

    initial: Amount = 500
    query: int | Sequence[int] = 500
    total: Amount = 3000
    validation: int = 0
    test: int = 0
    initial_policy: str = "uniform"
    memory_limit: int | float | str = "auto"

    def __post_init__(self) -> None:
        """Check the amounts on their own and against each other."""
        _require_amount("initial", self.initial, least=0, allow_all=True)
        if self.initial == 1:
            raise UsageError(
                "budget.initial=1 is too few: nothing can be trained on one label. Use 2 or more, "
                "or 0 to begin with a query"
            )
        if isinstance(self.query, list):
            object.__setattr__(self, "query", tuple(self.query))  # a list could still change
        _require_sizes(self.query)
        _require_amount("total", self.total, least=_FEWEST, allow_all=True)
        _require_amount("validation", self.validation, least=0)
        _require_amount("test", self.test, least=0)
        if not isinstance(self.initial_policy, str) or not self.initial_policy:
            raise UsageError(
                f"budget.initial_policy must be {', '.join(POLICIES)}, auto or the name of a strategy, "
                f"not {self.initial_policy!r}"
            )
        _require_limit(self.memory_limit)
        if self.total == "all":
            return
        if self.initial == "all":
            raise UsageError("budget.initial=all needs budget.total=all")
        if self.total - self.held_out < _FEWEST:
            raise UsageError(
                f"{self._held_out_in_words()} leaves fewer than {_FEWEST} of budget.total = "
                f"{self.total} to train on"
            )

    @property
    def held_out(self) -> int:
        """The labels that are never trained on: those for validation and test."""
        return self.validation + self.test

    def _held_out_in_words(self) -> str:
        if self.test:
            return f"budget.validation + budget.test = {self.held_out}"
        return f"budget.validation = {self.validation}"

    @property
    def _sizes(self) -> tuple[int, ...]:
        """The sizes of successive queries; the last repeats."""
        return (self.query,) if isinstance(self.query, int) else tuple(self.query)

    @property
    def largest_query(self) -> int:
        """The size of the largest query."""
        return max(self._sizes)

    def first(self, free: int) -> int:
        """Return how many labels the first round starts from, where so many images are free."""
        wanted = free if self.initial == "all" else self.initial or self._sizes[0]
        return min(wanted, free)

    def query_size(self, round_index: int, given: int = 0) -> int:
        """Return how many labels the query of a round asks for, as long as there are so many.

        The round decides, and nothing that was asked or answered before: a query that is made again,
        since the process died or the annotator labeled nothing, asks for as many as before.

        Args:
            round_index: Of the round whose classifier makes the query.
            given: How many images came with labels, where others came without.
        """
        drawn = self.initial == 0 and not given  # the first size was that of the first labels
        return self._sizes[min(round_index + drawn, len(self._sizes) - 1)]

    def count_queries(self, labels: int, round_index: int, given: int = 0) -> int:
        """Return how many queries it takes to buy so many labels.

        Args:
            labels: To buy.
            round_index: Of the round whose classifier makes the first of these queries.
            given: How many images came with labels, where others came without.
        """
        count = 0
        while labels > 0:
            labels -= self.query_size(round_index + count, given)
            count += 1
        return count

    def spent(self, labels: int) -> bool:
        """Return whether so many labels are all that may be bought, however many images there are."""
        return self.total != "all" and labels >= self.total

    def limit(self, size: int, given: int = 0) -> int:
        """Return the labels that can be bought of a data set of this size.

        Args:
            size: Number of training images.
            given: How many of them came with labels, where others came without; these are bought first.

        Raises:
            UsageError: If the start takes more labels than the budget or the data set has.
        """
        limit = size if self.total == "all" else min(self.total, size)
        if given:
            self._check_given(given, size, limit)
            return limit
        start = self.held_out + (0 if self.initial == "all" else self.initial)
        parts = ["initial", "validation", *(["test"] if self.test else [])]
        names = " + ".join(f"budget.{name}" for name in parts)
        if self.total != "all" and start > self.total:
            amounts = " + ".join(str(getattr(self, name)) for name in parts)
            raise UsageError(f"{names} = {amounts} is more than budget.total = {self.total}")
        if start > size:
            raise UsageError(
                f"{names} = {start}, but the training set has {size} images: lower budget.initial, or "
                "take budget=small, which has 50"
            )
        return limit

    def _check_given(self, given: int, size: int, limit: int) -> None:
        if given > limit:
            raise UsageError(
                f"{given} labels were given with the images, which is more than budget.total = "
                f"{self.total}: raise it by as many labels as you want to buy"
            )
        if min(given + self.held_out, size) > limit:
            raise UsageError(
                f"{given} labels were given with the images, and {self._held_out_in_words()} "
                f"are drawn from all images, most of which are to be labeled yet: that is more than "
                f"budget.total = {self.total}. Raise it to {given + self.held_out} and by as many "
                "labels as you want to buy"
            )
        if self.held_out > size - _FEWEST:
            raise UsageError(
                f"{self._held_out_in_words()} leaves fewer than {_FEWEST} of the {size} "
                "images to train on: lower it"
            )


def _require_amount(name: str, value: object, *, least: int = 1, allow_all: bool = False) -> None:
    if allow_all and value == "all":
        return
    if not _is_size(value, least):
        hint = ' or "all"' if allow_all else ""
        raise UsageError(
            f"budget.{name} must be a whole number of at least {least}{hint}, not {value!r}"
        )


def _require_sizes(query: object) -> None:
    sizes = query if isinstance(query, tuple) else (query,)
    if not sizes or not all(map(_is_size, sizes)):
        raise UsageError(
            "budget.query must be a whole number of at least 1, or a list of them for successive "
            f"queries, not {[*query] if isinstance(query, tuple) else query!r}"
        )


def _is_size(value: object, least: int = 1) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _require_limit(limit: int | float | str) -> None:
    if limit == "auto":
        return
    try:
        parse_bytes(limit)
    except ValueError as error:
        raise UsageError(f'budget.memory_limit must be a size or "auto": {error}') from error
