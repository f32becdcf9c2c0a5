"""Photographs that are turned as their EXIF orientation says, as a whole or some rows of them."""

from PIL import ExifTags, Image, ImageOps

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = (5, 6, 7, 8)  # whose rows are columns of the file
_FROM_THE_END = (3, 4, 7, 8)  # whose first row is the last row or column of the file


def upright(image: Image.Image) -> Image.Image:
    """Return a turned copy."""
    return ImageOps.exif_transpose(image)


class UprightRows:
    """Rows of an upright image, of which there is no copy as a whole.

    Args:
        image: Any; it is decoded.

    Attributes:
        size: Width and height of the upright image.

    Example:
        >>> from PIL import Image
        >>> image = Image.new("L", (3, 2))
        >>> image.getexif()[0x0112] = 6  # a camera that was turned
        >>> rows = UprightRows(image)
        >>> rows.size, rows.between(1, 3).size
        ((2, 3), (2, 2))
    """

    def __init__(self, image: Image.Image) -> None:
        image.load()  # some formats turn the image here
        self._image = image
        self._orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
        self._sideways = self._orientation in _SIDEWAYS
        self.size = image.size[::-1] if self._sideways else image.size

    def between(self, first: int, last: int) -> Image.Image:
        """Return the rows from ``first`` up to ``last``, or to the end of the image."""
        last = min(last, self.size[1])
        if self._orientation in _FROM_THE_END:
            first, last = self.size[1] - last, self.size[1] - first
        box = (first, 0, last, self._image.height)
        if not self._sideways:
            box = (0, first, self._image.width, last)
        strip, turn = self._image.crop(box), _TURNS.get(self._orientation)
        return strip if turn is None else strip.transpose(turn)
