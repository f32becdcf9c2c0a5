"""The labeling interface of a project, in Label Studio's XML."""

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from al_lightning.utils.names import plain

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


def labels_by_choice(classes: Sequence[str], aliases: Mapping[str, str]) -> dict[str, int]:
    """Return the label of each name that a class has or had, by the plain name.

    Args:
        classes: Names of the classes, by label.
        aliases: What they are called now, by names that they had before.
    """
    names = {**aliases, **{name: name for name in classes}}
    return {plain(name): classes.index(now) for name, now in names.items()}


def choice_of_each(
    config: str, classes: Sequence[str], aliases: Mapping[str, str]
) -> list[str | None]:
    """Return the choice of a project's XML that stands for each class; None where there is none.

    Label Studio keeps choices that annotations have, so that an earlier name of a class may be one.
    """
    labels = labels_by_choice(classes, aliases)
    found: list[str | None] = [None] * len(classes)
    for choice in offered_classes(config):
        label = labels.get(plain(choice))
        if label is not None and (found[label] is None or plain(choice) == plain(classes[label])):
            found[label] = choice
    return found
