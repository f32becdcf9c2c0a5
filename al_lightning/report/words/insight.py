"""A statement that follows from the numbers of a setting."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Insight:
    """A statement.

    Attributes:
        topic: In a word or two.
        text: The statement.
        rule: By which it follows from the figures.
        figures: What it rests on, by name.
    """

    topic: str
    text: str
    rule: str
    figures: Mapping[str, float | None]
