"""The images of a page, as files that a browser shows."""

from functools import lru_cache

from al_lightning.data.source import ImageData
from al_lightning.oracles.pictures import encoded

_SIDES = {"large": 1600, "small": 320}  # pixels of the longer side, at most
_KEPT = 256  # images


class PageImages:
    """Images by id; what was shown lately is kept in memory.

    Args:
        data: The images.
    """

    def __init__(self, data: ImageData) -> None:
        self._data = data
        self._encoded = lru_cache(_KEPT)(self._encode)

    def get(self, image: int, size: str) -> tuple[bytes, str, bool] | None:
        """Return an image as a file: its bytes, its type, and whether it is the original.

        Where the file has gone, the pixels that the classifier sees are shown.

        Args:
            image: A dataset id.
            size: "large" or "small".

        Returns:
            None if there is no such image, or it can no longer be read at all.
        """
        if not 0 <= image < len(self._data.train) or size not in _SIDES:
            return None
        return self._encoded(image, size)

    def _encode(self, image: int, size: str) -> tuple[bytes, str, bool] | None:
        try:
            return encoded(self._data, image, _SIDES[size])
        except Exception:  # of all kinds: the disk may have gone, and a page must stay
            return None
