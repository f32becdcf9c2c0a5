"""What a project knows of its images and classes before it looks at their files again."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import torch
from torch import Tensor

from al_lightning.data.project.manifest import Manifest
from al_lightning.run.class_change import ClassChange
from al_lightning.run.image_change import ImageChange


@dataclass(frozen=True)
class KnownProject:
    """The images and classes of a project, as its journal has them.

    Attributes:
        manifest: Which file is which image.
        classes: The names of the classes, by label; empty before the project has begun.
        aliases: What classes are called now, by names that they had before.
        absent: Ids of images whose files have gone.
        test_share: Of the images that the project began with, the share to test on.
    """

    manifest: Manifest
    classes: Sequence[str] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    absent: Collection[int] = ()
    test_share: float = 0.0

    @property
    def names(self) -> tuple[str, ...]:
        """All names that folders and tables may call the classes by."""
        return (*self.classes, *self.aliases)

    def after(self, change: ClassChange) -> Self:
        """Return what is known once classes have changed."""
        aliases = change.aliases(self.classes, self.aliases)
        return replace(self, classes=change.after(self.classes), aliases=aliases)

    def with_new(self, found: Iterable[str]) -> tuple[str, ...]:
        """Return the classes, new ones last in the order in which they are found."""
        now = [self.aliases.get(name, name) for name in found]
        return tuple(dict.fromkeys([*self.classes, *now]))

    def labels_of(self, found: Sequence[str], classes: Sequence[str]) -> Tensor:
        """Return the label of each class that was found, and -1 for the unknown one after them.

        Args:
            found: Names, by label, as the data set has them.
            classes: Names, by label, as the project has them.

        Returns:
            (len(found) + 1,) int64; indexing it with a label of -1 gives -1.
        """
        position = {name: label for label, name in enumerate(classes)}
        return torch.tensor([*(position[self.aliases.get(name, name)] for name in found), -1])


@dataclass(frozen=True)
class ImageUpdate:
    """What has become of a project's images since it was last started, and has to be written down.

    Attributes:
        change: For the journal; its ``manifest`` counts once the rows are written.
        manifest: Where the rows go.
        rows: What is to be added to the manifest.
        relabeled: Images that the folder or the table puts in another class than before: classes by id.
        renamed: New names of classes whose folders were renamed, by their old ones.
        names: Of images that have gone, and of images that have changed, for messages.
        test_names: Files of test images that are "gone" or "changed".
        absent: All images that have no file today.
    """

    change: ImageChange
    manifest: Manifest
    rows: bytes
    relabeled: Mapping[int, int] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[int, str] = field(default_factory=dict)
    test_names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    absent: Collection[int] = ()
