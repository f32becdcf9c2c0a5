"""Figures as SVG that can stand inside a page.

They use its colours and fonts, and have alternative texts.
"""

import io
import re
from xml.etree import ElementTree

from matplotlib.figure import Figure

from al_lightning.report.figures.line_styles import INK, MUTED, RULE

# A page sets these; what stands alone shows the colours that were drawn.
_THEMED = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    RULE: "var(--rule)",
    # These are too pale for lines on light paper, so that the page darkens them there.
    "#e69f00": "var(--series-orange)",
    "#56b4e9": "var(--series-sky)",
    "#cc79a7": "var(--series-pink)",
}
# matplotlib writes fonts one way or the other.
_FONT = re.compile(r"font: (?:\w+ )*([\d.]+px) [^;]+")
_FAMILY = re.compile(r"font-family: [^;]+(?:; ?|$)")
_DPI = 200  # of the PNGs: 1,000 pixels wide


def to_svg(figure: Figure) -> str:
    """Return a figure as an SVG document; the same figure gives the same text."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def to_png(figure: Figure) -> bytes:
    """Return a figure as PNG on white, laid out as it was drawn before, if it was."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI, facecolor="white", metadata={"Software": None})
    return buffer.getvalue()


def inline_svg(document: str, name: str, title: str, description: str) -> str:
    """Return an SVG document as an element of a page.

    It takes the page's colours and font, and as much width as it is given. Its ids are made unique by
    its name. It refers to nothing outside itself.

    Args:
        document: From :func:`to_svg`.
        name: Unique in the page; letters, digits, "-" and "_".
        title: What it shows, in a few words.
        description: What there is to be seen, in words.
    """
    root = ElementTree.fromstring(document)
    _drop(root, "metadata")
    _drop(root, "style")  # it would apply to the whole page
    for element in root.iter():
        element.tag = _local(element.tag)
        element.attrib = {_local(k): _adapted(k, v, name) for k, v in element.attrib.items()}
    for key in ("width", "height", "version"):
        root.attrib.pop(key, None)
    labelled = f"{name}-title {name}-description"
    root.attrib |= {
        "role": "img",
        "aria-labelledby": labelled,
        "style": "stroke-linejoin: round; stroke-linecap: butt",
    }
    for position, (tag, text) in enumerate((("title", title), ("desc", description))):
        suffix = {"title": "title", "desc": "description"}[tag]
        element = ElementTree.Element(tag, {"id": f"{name}-{suffix}"})
        element.text = text
        root.insert(position, element)
    return ElementTree.tostring(root, encoding="unicode")


def _drop(root: ElementTree.Element, tag: str) -> None:
    for parent in root.iter():
        for child in [child for child in parent if _local(child.tag) == tag]:
            parent.remove(child)


def _local(name: str) -> str:
    """Return a name without its XML namespace, which HTML knows by itself."""
    return name.rpartition("}")[2]


def _adapted(key: str, value: str, name: str) -> str:
    """Return an attribute's value with its ids made unique, and colours and fonts left to the page."""
    if key == "id":
        return f"{name}-{value}"
    if _local(key) == "href":
        return value.replace("#", f"#{name}-", 1)
    if _local(key) in ("style", "clip-path", "fill", "stroke"):
        value = value.replace("url(#", f"url(#{name}-")
        for drawn, themed in _THEMED.items():
            value = value.replace(drawn, themed)
        value = _FONT.sub(r"font-size: \1", _FAMILY.sub("", value))
    return value
