"""Images that come and go in the course of a project."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ImageChange:
    """What has become of a project's images since it was last started; ids never change.

    >>> from al_lightning.run.image_change import ImageChange
    >>> str(ImageChange(size=520, test=0, gone=[3, 9], renamed=1, manifest=9000, new=20))
    '20 new, 2 gone, 1 renamed'

    Attributes:
        size: The number of training images, with those that have gone; new ones have the last ids.
        test: The number of test images.
        gone: Images whose files have gone: they are set aside.
        back: Images that had gone, and are back.
        changed: Images whose files have another content.
        renamed: How many files have another name or folder.
        manifest: How many bytes of the manifest of images count from here on.
        manifest_sha256: Of these bytes.
        new: How many training images are new.
        tests: How many test images are "new", "gone", "back", "changed" or "now in training".
    """

    size: int
    test: int
    gone: Sequence[int] = ()
    back: Sequence[int] = ()
    changed: Sequence[int] = ()
    renamed: int = 0
    manifest: int = 0
    manifest_sha256: str = ""
    new: int = 0
    tests: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the change as a text."""
        counts = {
            "new": self.new,
            "gone": len(self.gone),
            "back": len(self.back),
            "changed": len(self.changed),
            "renamed": self.renamed,
        }
        counts |= {f"test image(s) {what}": count for what, count in self.tests.items()}
        return ", ".join(f"{count} {what}" for what, count in counts.items() if count)
