import pytest
from PIL import Image, ImageChops

from al_lightning.data.pixels.upright import UprightRows, upright


def test_upright_follows_exif() -> None:
    image = Image.new("L", (3, 2))
    image.putpixel((0, 0), 255)
    image.getexif()[0x0112] = 6  # taken with the camera turned: rotate clockwise to view
    turned = upright(image)
    assert turned.size == (2, 3)
    assert turned.getpixel((1, 0)) == 255


@pytest.mark.parametrize("orientation", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
def test_rows_are_those_of_the_upright_image(orientation: int) -> None:
    image = Image.effect_noise((7, 5), 100)
    image.getexif()[0x0112] = orientation
    whole, rows = upright(image), UprightRows(image)
    assert rows.size == whole.size
    for first, last in ((0, 1), (1, 4), (3, 99)):
        box = (0, first, whole.width, min(last, whole.height))
        difference = ImageChops.difference(rows.between(first, last), whole.crop(box))
        assert difference.getbbox() is None
