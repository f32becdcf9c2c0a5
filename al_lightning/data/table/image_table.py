"""A person's own images, one row a file, with a label or without."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from al_lightning.data.files.file_rows import FileRows
from al_lightning.data.folder.file_source import FileSource
from al_lightning.data.folder.wording import Wording
from al_lightning.data.pixels.remote_file import ImageFile, RemoteFile, shown_names
from al_lightning.data.project.known_project import KnownProject
from al_lightning.data.source import UNKNOWN
from al_lightning.data.table.columns import check_columns
from al_lightning.data.table.table_files import locate, missing, repeated
from al_lightning.data.table.table_groups import number_groups, refuse_divided
from al_lightning.data.table.table_labels import decide_labels
from al_lightning.data.table.table_rows import TEST, TableRow, read_rows
from al_lightning.utils.errors import DataError
from al_lightning.utils.names import file_trouble


class ImageTable(FileSource):
    r"""Your own images, as a table: CSV (with commas, semicolons or tabs) or Parquet, a row an image.

    Columns:

    - ``file``: a path, relative to the folder of the table or absolute, or an address that fsspec
      reads, such as ``s3://bucket/cat.jpg``.
    - ``label``, optional: the name of the class; an empty cell for an image without a label. Images
      without a label are the pool, and a person labels the queried ones (``oracle=csv``); the existing
      labels are the initial labels. If all images are labeled, the labels are hidden, and the data set
      answers queries.
    - ``split``, optional: ``test`` for images that are only tested on; ``train``, ``unlabeled`` or an
      empty cell for the others. If no row is ``test`` and all images are labeled, a fixed, stratified
      part is split off.
    - ``group``, optional: a patient, a video. Its images are never divided between training,
      validation and test.

    The order of the rows does not matter: images are sorted by class and name, those without a label
    last. Other columns are ignored. Images are decoded, checked and kept as those of
    :class:`~al_lightning.data.ImageFolder`; duplicates share one label.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from PIL import Image
    >>> from al_lightning.data import ImageTable
    >>> with TemporaryDirectory() as folder:
    ...     for gray in (10, 20, 30):
    ...         Image.new("L", (12, 9), gray).save(Path(folder, f"{gray}.png"))
    ...     table = Path(folder, "labels.csv")
    ...     rows = ["file,label", "10.png,cat", "20.png,dog", "30.png,"]
    ...     _ = table.write_text("\n".join(rows))
    ...     data = ImageTable(str(table), image_size=8, storage="memory").load()
    >>> data.classes, data.train.files, data.given_ids
    (('cat', 'dog'), ('10.png', '20.png', '30.png'), tensor([0, 1]))

    Args:
        path: The table, or its address.
        columns: Names of columns, if they are others: ``{"file": "image", "label": "class"}``.
        image_size: Height and width of the images, in pixels. "auto" is 64; on the command line, the
            size of the network, if it has one.
        channels: 3 (RGB) or 1 (gray).
        classes: The names of all classes, in the order of their labels; None uses the labels, sorted.
            Required if no image is labeled.
        test_fraction: Share of test images if no row is ``test``, in (0, 1). None is 0.2, or 0 with
            unlabeled images, where labels may have been chosen because they are hard.
        value_range: The values of black and white in images of more than 8 bits per pixel, one range
            for the whole table; other values are clipped. None refuses such images.
        on_error: Action on files that are missing, unreadable or in two rows, and on images with two
            labels: "refuse" raises an error that names them, "skip" leaves them out with a warning.
        storage: Storage of the decoded images, see
            :class:`al_lightning.data.pixels.storage.ImageStorage`.
        cache_dir: Folder of the images on disk; None for no cache.
        workers: Number of decoding processes; None for one per core.
        horizontal_flip: Whether a mirrored image keeps its class.
        imbalance: "exponential" or "step" makes the training classes imbalanced; not possible with
            unlabeled images.
        imbalance_ratio: The size of the most common training class divided by that of the rarest.

    Raises:
        UsageError: If an argument is not valid; names the configuration's key.
    """

    def __init__(
        self,
        path: str,
        *,
        columns: Mapping[str, str] | None = None,
        image_size: int | str = "auto",
        channels: int = 3,
        classes: Sequence[str] | None = None,
        test_fraction: float | None = None,
        value_range: Sequence[float] | None = None,
        on_error: str = "refuse",
        storage: str = "auto",
        cache_dir: str | None = None,
        workers: int | None = None,
        horizontal_flip: bool = False,
        imbalance: str | None = None,
        imbalance_ratio: float = 50.0,
    ) -> None:
        super().__init__(
            path,
            image_size=image_size,
            channels=channels,
            classes=classes,
            test_fraction=test_fraction,
            value_range=value_range,
            on_error=on_error,
            storage=storage,
            cache_dir=cache_dir,
            workers=workers,
            horizontal_flip=horizontal_flip,
            imbalance=imbalance,
            imbalance_ratio=imbalance_ratio,
        )
        self.columns = check_columns(columns)

    @property
    def folder(self) -> Path:
        """The folder of the table."""
        return Path() if isinstance(self.path, RemoteFile) else self.path.parent

    @property
    def wording(self) -> Wording:
        """What messages call the parts of the table."""
        return Wording(
            images=f"images of {self.path}",
            in_two_classes="have different labels",
            add_test=f"give some rows the split {TEST}",
            move_to_test=f"give a random sample of the labeled rows the split {TEST}",
            with_unlabeled="with rows without a label",
            remove_unlabeled="remove their rows",
        )

    def find(self, known: KnownProject | None = None) -> tuple[FileRows, tuple[str, ...]]:
        """Read the table, and find its files.

        Raises:
            DataError: If it is no such table, files are missing or in two rows, splits, labels or
                groups contradict each other; names the rows.
            UsageError: If a package is missing that it needs, or it cannot be read now.
        """
        rows = read_rows(self.path, self.columns)
        files = locate(self.path, rows)
        if self.on_error == "refuse":  # the others are skipped with those that cannot be read
            self._refuse_missing(rows, files)
        left = self._not_repeated(rows, files)
        rows, files = [rows[i] for i in left], [files[i] for i in left]
        refuse_divided(self.path, rows)
        names = None if known is None else known.names
        classes, labels = decide_labels(self.path, rows, self.classes, names)
        return _in_order(rows, files, labels), classes

    def _not_repeated(self, rows: Sequence[TableRow], files: Sequence[ImageFile]) -> list[int]:
        """Refuse files that are in two rows, or skip rows so that none is; return the others."""
        troubles = repeated(rows, files)
        self.refuse_or_skip(
            {str(rows[i]): trouble for i, trouble in troubles.items()},
            f"{len(troubles)} of the rows of {self.path} have a file that another row has",
            "Keep one row for each file",
        )
        left = [i for i in range(len(rows)) if i not in troubles]
        if not left:
            raise DataError(f"None of the {self.wording.images} can be used")
        return left

    def _refuse_missing(self, rows: Sequence[TableRow], files: Sequence[ImageFile]) -> None:
        """Refuse files that do not exist, before any is decoded."""
        troubles = missing(files)
        remedy = f"Correct the table, or add them; relative names start at {self.folder.absolute()}"
        if any("\\" in rows[i].file for i in troubles):
            remedy += ", and folders are separated by /, not by \\"
        self.refuse_or_skip(
            {str(rows[i]): trouble for i, trouble in troubles.items()},
            f"{len(troubles)} of the {len(rows)} {self.wording.images} are missing",
            remedy,
        )


def _in_order(
    rows: Sequence[TableRow], files: Sequence[ImageFile], labels: Sequence[int]
) -> FileRows:
    """Return the files in the order that a folder of them would have."""
    names = shown_names([_named(row, file) for row, file in zip(rows, files, strict=True)])

    def place(i: int) -> tuple[bool, bool, int, str]:
        return labels[i] == UNKNOWN, rows[i].is_test, labels[i], names[i]

    order = sorted(range(len(rows)), key=place)
    rows, names = [rows[i] for i in order], [names[i] for i in order]
    return FileRows(
        files=tuple(files[i] for i in order),
        names=tuple(names),
        shown=tuple(row.shown_as(name) for row, name in zip(rows, names, strict=True)),
        labels=torch.tensor([labels[i] for i in order]),
        is_test=torch.tensor([row.is_test for row in rows]),
        has_test=any(row.is_test for row in rows),
        has_unlabeled=UNKNOWN in labels,
        groups=number_groups(rows),
        troubles={i: why for i, row in enumerate(rows) if (why := file_trouble(row.file))},
    )


def _named(row: TableRow, file: ImageFile) -> ImageFile:
    """Return what a file is called: as in the table, or its address."""
    return file if isinstance(file, RemoteFile) else Path(row.file)
