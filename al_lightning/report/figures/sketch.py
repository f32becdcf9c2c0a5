"""A figure before it is drawn."""

from dataclasses import dataclass

from matplotlib.figure import Figure


@dataclass(frozen=True)
class Sketch:
    """A figure, and the words that go with it.

    Attributes:
        name: Of its files, without the prefix of the setting.
        title: What it shows, in a few words.
        alt: What there is to be seen, in words.
        caption: How to read it.
        figure: As matplotlib has it.
        curves: Whether it shows learning curves.
    """

    name: str
    title: str
    alt: str
    caption: str
    figure: Figure
    curves: bool = False
