import re
from xml.etree import ElementTree

import pytest
from matplotlib.figure import Figure

from al_lightning.report.figures.line_styles import COLOURS, INK, figure_style
from al_lightning.report.figures.svg import inline_svg, to_png, to_svg


@pytest.fixture(scope="module")
def document() -> str:
    with figure_style():
        figure = Figure(figsize=(3, 2))
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], "o-", color=INK, label="random")
        axes.plot([0, 1], [1, 0], "s--", color=COLOURS[0])
        axes.bar([0], [1], hatch="//")
        axes.set_title("A & B")
        axes.legend()
        return to_svg(figure)


def test_the_page_can_name_style_and_describe_it(document: str) -> None:
    text = inline_svg(document, "figure-one", "Curves <of> A", "It rises & falls.")
    root = ElementTree.fromstring(text)
    assert root.tag == "svg"
    assert root.get("role") == "img"
    titles = (root.get("aria-labelledby") or "").split()
    parts = {part.get("id"): part for part in root}
    assert [parts[name].text for name in titles] == ["Curves <of> A", "It rises & falls."]
    assert (root.get("width"), root.get("height")) == (None, None)
    assert root.get("viewBox")


def test_it_refers_to_nothing_outside_itself(document: str) -> None:
    text = inline_svg(document, "one", "t", "d")
    assert "http" not in text
    assert "<style" not in text
    assert "<!" not in text
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert all(name.startswith("one-") for name in ids)
    referred = re.findall(r'href="#([^"]+)"', text) + re.findall(r"url\(#([^)]+)\)", text)
    assert referred
    assert set(referred) <= set(ids)


def test_it_takes_the_colours_and_fonts_of_the_page(document: str) -> None:
    text = inline_svg(document, "one", "t", "d")
    assert INK in document
    assert INK not in text
    assert "var(--ink)" in text
    assert COLOURS[0] in text  # a strategy keeps its colour
    assert "DejaVu" not in text
    assert ">random</text>" in text  # text is text


def test_the_same_figure_gives_the_same_bytes(document: str) -> None:
    with figure_style():
        first, second = (Figure(figsize=(2, 1)) for _ in range(2))
        for figure in (first, second):
            figure.add_subplot().plot([0, 1], [0, 1], "o")
        assert to_svg(first) == to_svg(second)
        assert to_png(first) == to_png(second)
    assert to_png(first).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "style",
    [
        "font: 9px 'DejaVu Sans', sans-serif; text-anchor: middle",
        "font: bold 9px 'DejaVu Sans'; text-anchor: middle",
        "font-size: 9px; font-family: 'DejaVu Sans', sans-serif; text-anchor: middle",
        "font-size: 9px; text-anchor: middle; font-family: 'DejaVu Sans'",
    ],
)
def test_fonts_are_left_to_the_page_however_they_are_written(style: str) -> None:
    found = inline_svg(f'<svg><text style="{style}">a</text></svg>', "one", "t", "d")
    written = re.findall(r'<text style="([^"]+)"', found)
    assert [part.rstrip("; ") for part in written] == ["font-size: 9px; text-anchor: middle"]
