"""The images of a page, as files that a browser shows, and keeps."""

from al_lightning.data.source import ImageData
from al_lightning.oracles.pictures import encoded

_SIDES = {"large": 1600, "small": 320}  # pixels of the longer side, at most


def page_image(data: ImageData, image: int, size: str) -> tuple[bytes, str, bool] | None:
    """Return an image as a file: its bytes, its type, and whether it is the original.

    Where the file has gone, the pixels that the classifier sees are shown.

    Args:
        data: The images.
        image: A dataset id.
        size: "large" or "small".

    Returns:
        None if there is no such image, or it cannot be read now.
    """
    if not 0 <= image < len(data.train) or size not in _SIDES:
        return None
    try:
        return encoded(data, image, _SIDES[size])
    except Exception:  # of all kinds: the disk may have gone, and a page must stay
        return None
