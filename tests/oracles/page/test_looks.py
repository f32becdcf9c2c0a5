"""Colors of the page: texts have the contrast that WCAG 2.1 asks for at level AA."""

import re
from pathlib import Path

import pytest

from al_lightning.oracles import page

CSS = (Path(page.__file__).parent / "static" / "page.css").read_text(encoding="utf-8")
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
    for block in re.findall(r":root \{(.*?)\n *\}", CSS, re.S)
)
TEXTS = [("ink", "paper"), ("ink", "raised"), ("ink", "soft"), ("muted", "paper")]
TEXTS += [
    ("muted", "raised"),
    ("on-accent", "accent"),
    ("alarm", "alarm-soft"),
    ("accent", "paper"),
]


def luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)


def test_the_formula_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
def test_texts_and_edges_can_be_seen(colors: dict[str, str]) -> None:
    for text, ground in TEXTS:
        assert contrast(colors[text], colors[ground]) >= 4.5, (text, ground)
    assert contrast(colors["edge"], colors["paper"]) >= 3  # of buttons and fields
