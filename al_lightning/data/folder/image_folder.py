"""A person's own images, one folder a class, and those without a label yet."""

from pathlib import Path

from al_lightning.data.files.file_rows import FileRows
from al_lightning.data.folder.file_source import FileSource
from al_lightning.data.folder.folder_classes import decide_classes
from al_lightning.data.folder.folder_files import find_images
from al_lightning.data.folder.folder_rows import folder_rows
from al_lightning.data.folder.wording import Wording
from al_lightning.data.project.known_project import KnownProject
from al_lightning.utils.errors import DataError


class ImageFolder(FileSource):
    """Your own images: ``train/<class>/*`` and ``test/<class>/*`` below a folder.

    Without ``test/``, a fixed, stratified part of the training images is split off; without ``train/``,
    the folders of classes may be directly in the folder. ``train``, ``test`` and ``unlabeled`` are
    reserved and cannot be classes. Classes and files are sorted by name; hidden files and files without
    the ending of an image are left out.

    Images without a label go into ``unlabeled/``, at any depth. They follow the labeled images in the
    training set, sorted by path, without a label; a person labels the queried images
    (``oracle=csv``). The existing labels are the initial labels. Then a class may have no images yet,
    if another part of the folder or ``classes`` names it, and no test images are split off: the labeled
    images may have been chosen because they are hard, and are no random sample.
    A run identifies images by position, so none may be added, moved or removed during it. In a project
    (``project=NAME``), images and folders of classes may come, go and be moved at any time; where it
    knows images directly in the folder, those beside folders of classes are unlabeled ones too.

    Images may have any size and any mode that PIL reads, and are recognised by their content, not by
    their ending; see :data:`al_lightning.data.pixels.image_files.FORMATS`. An animated image
    contributes its first frame, EXIF orientation is applied, transparent pixels become white. The
    shorter side is resized (bicubic, antialiased), then the centre is cropped.

    Duplicates, equal in every decoded pixel, share one label: the first is a training image, and the
    others are left out. A warning names duplicates that are also in ``test/``, because they make the
    test accuracy too high. An image in the folders of two classes is an error.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from PIL import Image
    >>> from al_lightning.data import ImageFolder
    >>> with TemporaryDirectory() as folder:
    ...     for name, gray in (("cat", 10), ("cat", 20), ("dog", 30), ("dog", 40)):
    ...         path = Path(folder, name, f"{gray}.png")
    ...         path.parent.mkdir(exist_ok=True)
    ...         Image.new("L", (12, 9), gray).save(path)
    ...     data = ImageFolder(folder, image_size=8, test_fraction=0.5, storage="memory").load()
    >>> data.classes, len(data.train), len(data.test), data.image_shape
    (('cat', 'dog'), 2, 2, (3, 8, 8))

    Args:
        path: The folder.
        image_size: Height and width of the images, in pixels. "auto" is 64; on the command line, the
            size of the network, if it has one.
        channels: 3 (RGB) or 1 (gray).
        classes: The names of all classes, in the order of their labels; None uses the names of the
            folders. Required if all images are unlabeled.
        test_fraction: Share of test images if there is no ``test/``, in (0, 1). None is 0.2, or 0 with
            unlabeled images.
        value_range: The values of black and white in images of more than 8 bits per pixel, one range
            for the whole folder; other values are clipped. None refuses such images, and reports their
            values.
        on_error: Action on unreadable files, and on images in the folders of two classes: "refuse"
            raises an error that names them, "skip" leaves them out with a warning that lists them.
        storage: Storage of the decoded images: "memory"; "disk", decoded once for all runs and
            memory-mapped; "stream", decoded at every access; or "auto", see
            :class:`al_lightning.data.pixels.storage.ImageStorage`. No result depends on it.
        cache_dir: Folder of the images on disk; None for no cache.
        workers: Number of decoding processes; None for one per core.
        horizontal_flip: Whether a mirrored image keeps its class.
        imbalance: "exponential" or "step" makes the training classes imbalanced; not possible with
            unlabeled images.
        imbalance_ratio: The size of the most common training class divided by that of the rarest.

    Raises:
        UsageError: If an argument is not valid; names the configuration's key.
    """

    def find(self, known: KnownProject | None = None) -> tuple[FileRows, tuple[str, ...]]:
        """List the images of the folder.

        Raises:
            DataError: If the folder is missing or otherwise arranged, a class has no image, or the
                classes of training and test images differ; names them.
        """
        try:
            found = find_images(
                self.folder,
                self.classes or (),
                in_project=known is not None,
                reads_beside=known is not None and known.has_files_beside,
            )
        except OSError as error:
            raise DataError(f"{self.path} cannot be read: {error}. Check permissions") from error
        names = None if known is None else known.names
        classes = decide_classes(self.folder, found, self.classes, names)
        return folder_rows(self.folder, found, classes), classes

    @property
    def folder(self) -> Path:
        """The folder."""
        return Path(self.path.as_posix())

    @property
    def wording(self) -> Wording:
        """What messages call the parts of the folder."""
        return Wording(
            images=f"images below {self.path}",
            in_two_classes="are in folders of different classes",
            add_test="add a folder test",
            move_to_test="put a random labeled sample into the folder test",
            with_unlabeled="with a folder unlabeled",
            remove_unlabeled="remove the folder unlabeled",
        )
