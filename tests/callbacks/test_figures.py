from collections import Counter

import pytest
import torch
from PIL import ImageDraw

from al_lightning.callbacks.figures import class_histogram, confusion_figure, contact_sheet

CLASSES = ("T-shirt/top", "dress", "bag")
ORANGE = (213, 94, 0)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, object]]:
    """Note each text that is drawn, with its colour."""
    texts: list[tuple[str, object]] = []
    text = ImageDraw.ImageDraw.text

    def noting(
        self: ImageDraw.ImageDraw, place: object, written: str, colour: object, *more: object
    ) -> None:
        texts.append((written, colour))
        text(self, place, written, colour, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", noting)
    return texts


def test_a_confusion_figure_shows_every_count_and_class(drawn: list[tuple[str, object]]) -> None:
    picture = confusion_figure(torch.tensor([[4, 1, 0], [0, 7, 0], [0, 0, 0]]), CLASSES)
    texts = [text for text, _ in drawn]
    assert texts[:9] == [*"410", *"070", *"000"]
    assert [texts.count(name) for name in CLASSES] == [2, 2, 2]  # beside and below
    assert {"predicted", "true"} <= {*texts}
    # Shares of the true class: the deepest blue for 7 of 7, 4 / 5 of it for 4 of 5, white for none.
    corners = [
        tuple(picture[6 + 36 * row + 1, -6 - 36 * (3 - column) + 1])
        for row, column in ((1, 1), (0, 0), (2, 2))
    ]
    assert corners == [(8, 48, 107), (57, 89, 137), (255, 255, 255)]
    assert [colour for text, colour in drawn if text == "7"] == [(255, 255, 255)]


@pytest.mark.parametrize("classes", [21, 100, 2_000])
def test_many_classes_have_no_numbers_and_at_last_no_names(
    classes: int, drawn: list[tuple[str, object]]
) -> None:
    names = [f"class {i}" for i in range(classes)]
    picture = confusion_figure(torch.eye(classes, dtype=torch.int64), names)
    bars = class_histogram(torch.arange(classes), names)
    assert max(*picture.shape, *bars.shape) < 2_200
    texts = [text for text, _ in drawn]
    assert "1" not in texts or classes == 21  # the bars of 21 classes have their counts
    assert ("class 20" in texts) == (classes == 21)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_contact_sheet_shows_guess_and_label_of_each_image(
    channels: int, drawn: list[tuple[str, object]]
) -> None:
    pixels = torch.randint(0, 256, (3, channels, 6, 6), dtype=torch.uint8)
    contact_sheet(pixels, torch.tensor([0, 1, 2]), torch.tensor([0, 2, 2]), CLASSES)
    assert [text for text, _ in drawn] == [
        "first 3 of 3 queried: predicted → labeled",
        *("T-shirt/top", "→ T-shirt/top", "dress", "→ bag", "bag", "→ bag"),
    ]
    assert [colour == ORANGE for _, colour in drawn[1:]] == [False, False, True, True, False, False]


@pytest.mark.parametrize("floating", [False, True])
def test_a_contact_sheet_shows_the_images_as_they_are(floating: bool) -> None:
    pixels = torch.randint(0, 256, (10, 1, 28, 14), dtype=torch.uint8)
    labels = torch.zeros(10, dtype=torch.int64)
    sheet = contact_sheet(pixels / 255 if floating else pixels, labels, labels, CLASSES)
    # 8 a row, 112 pixels wide and twice as high, each pixel as a block of 8 x 8.
    assert sheet.shape == (25 + 2 * (224 + 28 + 6), 8 * (112 + 12), 3)
    top = 25 + 258 + 28
    ninth = torch.as_tensor(sheet.copy())[top : top + 224, 6 : 6 + 112]
    assert torch.equal(ninth[4::8, 4::8], pixels[8, 0, :, :, None].expand(-1, -1, 3))


def test_a_contact_sheet_makes_large_images_smaller() -> None:
    pixels = torch.full((2, 3, 500, 1_000), 200, dtype=torch.uint8)
    sheet = contact_sheet(pixels, torch.tensor([0, 1]), torch.tensor([0, 1]), CLASSES)
    assert sheet.shape == (25 + 56 + 28 + 6, 8 * 124, 3)
    assert (sheet[53 : 53 + 56, 6 : 6 + 112] == 200).all()


def test_a_contact_sheet_shows_the_first_forty(drawn: list[tuple[str, object]]) -> None:
    pixels = torch.zeros(50, 1, 4, 4, dtype=torch.uint8)
    labels = torch.zeros(50, dtype=torch.int64)
    contact_sheet(pixels, labels, labels, CLASSES)
    assert Counter(text for text, _ in drawn)["→ T-shirt/top"] == 40


def test_a_histogram_counts_classes_that_are_absent_too(drawn: list[tuple[str, object]]) -> None:
    picture = class_histogram(torch.tensor([0, 2, 2]), CLASSES)
    assert [text for text, _ in drawn] == [
        *("T-shirt/top", "1"),
        *("dress", "0"),
        *("bag", "2"),
        "of 3 queried",
    ]
    blue = (picture == (0, 114, 178)).all(2)
    lengths = [
        int(blue[6 + 18 * i + 3].sum()) for i in range(3)
    ]  # from the first to the last pixel
    assert lengths == [181, 0, 361]


ODD = ("$$", "a$b$", r"$\\frac{$", "Äpfel кот", "x" * 100_000, "")


def test_names_are_shown_as_they_are_and_long_ones_are_cut(drawn: list[tuple[str, object]]) -> None:
    confusion = torch.eye(len(ODD), dtype=torch.int64)
    labels = torch.arange(len(ODD))
    pixels = torch.zeros(len(ODD), 1, 4, 4, dtype=torch.uint8)
    confusion_figure(confusion, ODD)
    class_histogram(labels, ODD)
    texts = [text for text, _ in drawn]
    assert {*ODD[:4], "x" * 39 + "\u2026"} <= {*texts}
    contact_sheet(pixels, labels, labels, ODD)
    assert max(map(len, texts)) <= 41


@pytest.mark.parametrize("channels", [2, 4, 7])
def test_images_of_other_channels_are_shown_in_gray(channels: int) -> None:
    pixels = torch.linspace(0, 1, channels)[:, None, None].expand(1, channels, 8, 8)
    zero = torch.zeros(1, dtype=torch.int64)
    sheet = contact_sheet(pixels, zero, zero, CLASSES)
    gray = contact_sheet(torch.full((1, 1, 8, 8), 0.5), zero, zero, CLASSES)
    assert abs(sheet.astype(int) - gray.astype(int)).max() <= 1
