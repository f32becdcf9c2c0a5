"""The error of images that cannot be read at the moment."""

from al_lightning.utils.errors import UsageError


class DecodingStoppedError(UsageError):
    """An image cannot be decoded now, and its file is not to blame: no image may be left out for it."""
