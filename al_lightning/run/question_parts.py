"""Which strategy asked for an image, where several share a query."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class QuestionParts:
    """The part of a query that each image belongs to.

    >>> from al_lightning.run.question_parts import QuestionParts
    >>> parts = QuestionParts(("margin", "random"), uniform=("random",))
    >>> parts.as_event()
    {'parts': ['margin', 'random'], 'uniform': ['random']}

    Attributes:
        names: The part of each image, in the order of the ids; "" where it is not known. Empty if the
            query has no parts.
        uniform: The parts whose images are a uniform random sample of the pool, so that their labels
            estimate its accuracy and class frequencies without bias.
    """

    names: tuple[str, ...] = ()
    uniform: tuple[str, ...] = ()

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> "QuestionParts":
        """Return what an event of the journal says."""
        return cls(tuple(event.get("parts", ())), tuple(event.get("uniform", ())))

    def as_event(self) -> dict[str, Any]:
        """Return what the journal says; nothing if the query has no parts."""
        return {"parts": [*self.names], "uniform": [*self.uniform]} if any(self.names) else {}

    def among(self, asked: Iterable[int], ids: Iterable[int]) -> "QuestionParts":
        """Return the parts of some images, given the ids of all that were asked for."""
        part_of = dict(zip(asked, self.names, strict=False))
        return QuestionParts(tuple(part_of.get(i, "") for i in ids), self.uniform)


def parts_problem(event: Mapping[str, Any], ids: Sequence[Any]) -> str | None:
    """Return the reason why an event does not say which image is of which part; None if it does."""
    names, uniform = event.get("parts"), event.get("uniform", [])
    if names is None:
        return None if not uniform else "uniform names parts, but there are none"
    if any(not isinstance(name, str) for name in [*names, *uniform]):
        return "parts and uniform must be names"
    return None if len(names) == len(ids) else f"{len(ids)} ids, but {len(names)} parts"
