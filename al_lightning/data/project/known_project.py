"""What a project knows of its images and classes before it looks at their files again."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import torch
from torch import Tensor

from al_lightning.data.project.manifest import Manifest
from al_lightning.run.class_change import ClassChange
from al_lightning.run.image_change import ImageChange
from al_lightning.utils.errors import DataError


@dataclass(frozen=True)
class KnownProject:
    """The images and classes of a project, as its journal has them.

    Attributes:
        manifest: Which file is which image.
        classes: The names of the classes, by label; empty before the project has begun.
        aliases: What classes are called now, by names that they had before.
        absent: Ids of images whose files have gone.
        test_share: Of the images that the project began with, the share to test on.
        skip_marks: What marks skipped images in sheets, or has marked them before.
    """

    manifest: Manifest
    classes: Sequence[str] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    absent: Collection[int] = ()
    test_share: float = 0.0
    skip_marks: Sequence[str] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All names that folders and tables may call the classes by."""
        return (*self.classes, *self.aliases)

    @property
    def has_files_beside(self) -> bool:
        """Whether images are or were directly in the folder, and so are not known by folders."""
        earlier = self.manifest.earlier_names
        return any(
            "/" not in name
            for entry in self.manifest.images
            for name in (entry.file, *earlier.get(entry.id or 0, ()))
        )

    def current_name(self, name: str) -> str:
        """Return what a class is called now, by a name that it has or had."""
        return self.aliases.get(name, name)

    def with_classes(self, found: Sequence[str], renamed: Mapping[str, str] | None = None) -> Self:
        """Return what is known once classes have changed; new ones are last, in the order of ``found``.

        Args:
            found: Names of classes as the data set has them.
            renamed: New names of classes, by those of now.

        Raises:
            DataError: If a new name could be taken for another one.
        """
        renamed = renamed or {}
        known = {*self.names, *renamed.values()}
        change = ClassChange([name for name in found if name not in known], renamed)
        if self.classes and (why := change.mistakable(self.classes, self.aliases, self.skip_marks)):
            raise DataError(f"The images have a new class: {why}")
        aliases = change.aliases(self.classes, self.aliases)
        return replace(self, classes=change.after(self.classes), aliases=aliases)

    def labels_of(self, found: Sequence[str]) -> Tensor:
        """Return the label of each class that was found, and -1 for the unknown one after them.

        Args:
            found: Names, by label, as the data set has them; each is known.

        Returns:
            (len(found) + 1,) int64; indexing it with a label of -1 gives -1.
        """
        position = {name: label for label, name in enumerate(self.classes)}
        return torch.tensor([*(position[self.current_name(name)] for name in found), -1])


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
