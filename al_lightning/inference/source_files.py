"""Where the files of a data set are, and which image a file is."""

import os
from functools import cached_property, lru_cache
from pathlib import Path

from al_lightning.data.pixels.remote_file import ImageFile, file_at
from al_lightning.data.source import ImageData


class SourceFiles:
    """The files of a data set.

    >>> import torch
    >>> from pathlib import Path
    >>> from al_lightning import ImageData, Images
    >>> images = Images(torch.zeros(1, 3, 8, 8), torch.tensor([0]), files=("cat/1.png",))
    >>> data = ImageData(images, images.rows(torch.tensor([])), ("cat", "dog"), folder=Path("/pets"))
    >>> SourceFiles(data).place("cat/1.png")
    PosixPath('/pets/cat/1.png')
    >>> SourceFiles(data).train[key_of(Path("/pets/cat/1.png"))]
    0

    Args:
        data: Images with files.
    """

    def __init__(self, data: ImageData) -> None:
        self._data = data
        self._folder = Path.cwd() / (data.folder or Path())

    def of(self, image: int) -> ImageFile:
        """Return where the file of a training image is."""
        return self.place((self._data.train.files or ())[image])

    def place(self, file: str) -> ImageFile:
        """Return where a file is that the data set names: an absolute path, or an address."""
        place = file_at(self._folder, file)
        return Path(os.path.normpath(place)) if isinstance(place, Path) else place

    @cached_property
    def train(self) -> dict[str, int]:
        """The dataset id of each file, by :func:`key_of`.

        An image whose file has gone has the name that it had, unless another one has it now.
        """
        gone, files = self._data.absent, self._data.train.files or ()
        ids = sorted(range(len(files)), key=lambda i: i not in gone)  # the last of a name counts
        return {key_of(self.place(files[i])): i for i in ids}

    @cached_property
    def test(self) -> frozenset[str]:
        """The :func:`key_of` each test image."""
        return frozenset(key_of(self.place(file)) for file in self._data.test.files or ())


def key_of(file: ImageFile) -> str:
    """Return one spelling of a file, however its folder is reached; a link to a file keeps its name."""
    if not isinstance(file, Path):
        return file.as_posix()
    whole = Path(os.path.normpath(Path.cwd() / file))
    return str(_real(whole.parent) / whole.name)


@lru_cache(maxsize=4096)  # thousands of images are in one folder
def _real(folder: Path) -> Path:
    return folder.resolve()
