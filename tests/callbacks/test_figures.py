import io

import pytest
import torch
from matplotlib import rc_context

from al_lightning.callbacks.figures import class_histogram, confusion_figure, contact_sheet

CLASSES = ("T-shirt/top", "dress", "bag")


def test_a_confusion_figure_shows_every_count_and_class() -> None:
    figure = confusion_figure(torch.tensor([[5, 1, 0], [0, 7, 0], [0, 0, 0]]), CLASSES)
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == [*"510", *"070", *"000"]
    assert [label.get_text() for label in axes.get_yticklabels()] == list(CLASSES)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "true")


@pytest.mark.parametrize("channels", [1, 3])
def test_a_contact_sheet_shows_guess_and_label_of_each_image(channels: int) -> None:
    pixels = torch.randint(0, 256, (3, channels, 6, 6), dtype=torch.uint8)
    figure = contact_sheet(pixels, torch.tensor([0, 1, 2]), torch.tensor([0, 2, 2]), CLASSES)
    titles = figure.axes[0].texts
    assert [title.get_text() for title in titles] == [
        *("T-shirt/top\n→ T-shirt/top", "dress\n→ bag", "bag\n→ bag")
    ]
    assert len({title.get_color() for title in titles}) == 2  # the wrong guess stands out


@pytest.mark.parametrize("floating", [False, True])
def test_a_contact_sheet_shows_the_images_as_they_are(floating: bool) -> None:
    pixels = torch.randint(0, 256, (10, 1, 20, 10), dtype=torch.uint8)
    labels = torch.zeros(10, dtype=torch.int64)
    shown = contact_sheet(pixels / 255 if floating else pixels, labels, labels, CLASSES)
    sheet = shown.axes[0].images[0].get_array()
    assert sheet is not None
    assert sheet.shape == (2 * (3 + 20), 8 * (2 + 10), 3)  # 8 a row, room above, a gap beside
    ninth = torch.as_tensor(sheet)[23 + 3 : 46, 1:11, 0]
    assert torch.allclose(ninth, pixels[8, 0] / 255)


def test_a_contact_sheet_shows_the_first_forty() -> None:
    pixels = torch.zeros(50, 1, 4, 4, dtype=torch.uint8)
    labels = torch.zeros(50, dtype=torch.int64)
    assert len(contact_sheet(pixels, labels, labels, CLASSES).axes[0].texts) == 40


def test_a_histogram_counts_classes_that_are_absent_too() -> None:
    figure = class_histogram(torch.tensor([0, 2, 2]), CLASSES)
    assert [bar.get_width() for bar in figure.axes[0].patches] == [1, 0, 2]  # type: ignore[attr-defined]


ODD = ("$$", "a$b$", r"a\$b", r"$\frac{$", "x" * 100_000)


def test_names_with_dollars_are_no_formulas() -> None:
    confusion = torch.eye(len(ODD), dtype=torch.int64)
    labels = torch.arange(len(ODD))
    pixels = torch.zeros(len(ODD), 1, 4, 4, dtype=torch.uint8)
    for figure in (
        confusion_figure(confusion, ODD),
        contact_sheet(pixels, labels, labels, ODD),
        class_histogram(labels, ODD),
    ):
        buffer = io.BytesIO()
        with rc_context({"svg.fonttype": "none"}):
            figure.savefig(buffer, format="svg")
        drawn = buffer.getvalue().decode()
        for name in ODD[:4]:
            assert f">{name}<" in drawn or f"→ {name}<" in drawn
        assert "x" * 39 in drawn
        assert "x" * 40 not in drawn
