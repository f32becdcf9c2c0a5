"""The labeling interface of a project, in Label Studio's XML."""

from collections.abc import Sequence
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

IMAGE, CLASS = "image", "class"  #: the names of the tags that show an image and take its class


def labeling_config(classes: Sequence[str]) -> str:
    """Return Label Studio's XML for choosing one of these classes for an image."""
    choices = "".join(f"    <Choice value={quoteattr(name)}/>\n" for name in classes)
    return (
        "<View>\n"
        f'  <Image name="{IMAGE}" value="${IMAGE}"/>\n'
        f'  <Choices name="{CLASS}" toName="{IMAGE}" choice="single" required="true" '
        'showInline="true">\n'
        f"{choices}  </Choices>\n"
        "</View>"
    )


def offered_classes(config: str) -> list[str]:
    """Return the classes that annotators can choose by a project's XML, whatever else it has."""
    try:
        root = ElementTree.fromstring(config)
    except ElementTree.ParseError:
        return []
    shown = any(tag.get("value") == f"${IMAGE}" for tag in root.iter("Image"))
    return [
        choice.get("alias") or choice.get("value") or ""
        for choices in root.iter("Choices")
        if shown and choices.get("name") == CLASS
        for choice in choices.iter("Choice")
    ]
