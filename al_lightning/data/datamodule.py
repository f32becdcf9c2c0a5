"""The LightningDataModule that owns the pools."""

import lightning as L
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from al_lightning.data.batches import (
    DealtBatches,
    OrderedBatches,
    SharedBatches,
    ShuffledBatches,
    batch_sizes,
)
from al_lightning.data.embeddings import Embeddings
from al_lightning.data.loading import Batch, Batches, batch_loader
from al_lightning.data.pixels.resident import Resident
from al_lightning.data.pixels.stored import Pixels, PixelStore, pixel_bytes, pixel_rows
from al_lightning.data.source import ImageData, Images, ImageSource, Normalization
from al_lightning.data.transforms import Normalize, image_by_image, measure_normalization
from al_lightning.run.pool import Pool
from al_lightning.utils.errors import UsageError
from al_lightning.utils.memory import available_bytes
from al_lightning.utils.ranks import rank, world_size

_CPU = torch.device("cpu")
_HIDDEN = -1  # stands where a label is not known
_FLAT = 2  # dimensions of embeddings
_MEASURED = 2000  # images that constants are measured on
_SHARE = 0.25  # of the memory that is free, for labeled images that are slow to read
FEWEST_LABELS = 2  # batch normalisation cannot train on one


class PoolDataModule(L.LightningDataModule):
    """Holds a data set, and serves the labeled and the unlabeled pool of a round.

    Every loader reads the pool anew when it is asked for, so no round sees the last one's pool.
    Batches are (images, labels); images are normalised (and, while training, augmented) on the
    device that computes. Scoring and testing see every image as it is, in the order asked for.

    Where a device has memory of its own with room for them, pixels are put there once. Where they are
    slow to read, worker processes read them beside the computation, and the labeled ones, which are
    read again and again, are kept in memory if they fit.

    The pool is not part of the state that Lightning saves: the journal is the record of it.

    A classifier may want its own normalisation, or, where its embeddings never change, embeddings in
    the place of pixels; see :meth:`serve`. Who looks at :attr:`data` sees the images in any case.

    Args:
        source: Where the images come from.
        batch_size: Images a training step.
        eval_batch_size: Images a batch when scoring and testing.
        augment: Applied to training images, (B, C, H, W); None for nothing. What is no
            :class:`~al_lightning.data.transforms.DrawsPerImage`, such as torchvision's transforms, is
            given one image at a time.
        channels_last: Whether batches are laid out channels-last, which convolutions prefer on most
            hardware.

    Attributes:
        pool: Which images are labeled.
        normalization: The constants of the round; None before the first.

    Raises:
        UsageError: On batch sizes below 1.

    Example:
        >>> from al_lightning import PoolDataModule
        >>> from al_lightning.data import Digits
        >>> datamodule = PoolDataModule(Digits(), batch_size=32)
        >>> len(datamodule.data.train)
        1297
    """

    def __init__(
        self,
        source: ImageSource,
        batch_size: int = 64,
        eval_batch_size: int = 256,
        augment: nn.Module | None = None,
        channels_last: bool = True,
    ) -> None:
        super().__init__()
        for name, size in (("batch_size", batch_size), ("eval_batch_size", eval_batch_size)):
            if size < 1:
                raise UsageError(f"{name} must be at least 1, not {size}")
        self.source = source
        self.batch_size = batch_size
        self.eval_batch_size = eval_batch_size
        self.pool = Pool(0)
        self.normalization: Normalization | None = None
        self.augment = None if augment is None else image_by_image(augment)
        self._layout = torch.channels_last if channels_last else torch.contiguous_format
        self._data: ImageData | None = None
        self._normalize: Normalize | None = None
        self._wanted: Normalization | None = None
        self._embeddings: Embeddings | None = None
        self._order_seed = 0
        self._labeled: tuple[Tensor, Tensor] | None = None  # ids, and pixels that are slow to read
        self._resident = Resident()
        # There may be fewer batches than devices.
        self.allow_zero_length_dataloader_with_multiple_devices = True

    @property
    def data(self) -> ImageData:
        """The data set; read from its source on first use."""
        if self._data is None:
            self._data = self.source.load()
            self.pool = Pool(len(self._data.train))
        return self._data

    def setup(self, stage: str | None = None) -> None:  # noqa: ARG002
        """Read the data, unless that was done."""
        _ = self.data

    def begin_round(self, pool: Pool, order_seed: int) -> None:
        """Take over the pool of a round.

        Args:
            pool: Which images are labeled now.
            order_seed: Decides the order of the training batches.

        Raises:
            UsageError: If fewer than 2 images are labeled.
        """
        if len(pool.labeled_ids) < FEWEST_LABELS:
            raise UsageError(
                f"Training needs at least {FEWEST_LABELS} labeled images, "
                f"not {len(pool.labeled_ids)}: raise budget.initial"
            )
        data = self.data
        self.pool = pool
        self._order_seed = order_seed
        self._keep_labeled()
        self._normalize_by(
            self._wanted or data.normalization or measure_normalization(self._labeled_pixels())
        )

    def serve(
        self, normalization: Normalization | None, embeddings: Embeddings | None = None
    ) -> None:
        """Serve what a classifier wants to see, in all rounds to come and before the first.

        Args:
            normalization: Constants instead of the data set's; None takes those, and before the first
                round :meth:`constants`.
            embeddings: Served in the place of the pixels of the training and the test images, without
                augmentation or normalisation; None serves pixels.
        """
        self._wanted, self._embeddings = normalization, embeddings
        self._labeled = None
        self._normalize_by(normalization or self.constants())

    @property
    def embeddings(self) -> Embeddings | None:
        """What is served in the place of pixels; None where that are pixels."""
        return self._embeddings

    def constants(self) -> Normalization:
        """Return constants that need no label: published, or of images spread over the pool."""
        data = self.data
        if data.normalization is not None:
            return data.normalization
        some = torch.linspace(0, len(data.train) - 1, min(_MEASURED, len(data.train))).long()
        return measure_normalization(data.train.pixels[some])

    def prepare(self, images: Tensor) -> Tensor:
        """Normalise raw images, (B, C, H, W), on their device, and lay them out for the network.

        Embeddings, (B, D), stay as they are.
        """
        if images.ndim == _FLAT:
            return images
        if self._normalize is None:
            raise UsageError("PoolDataModule.begin_round() must come before its loaders are used")
        if self._normalize.mean.device != images.device:  # looking costs less than a vain move
            self._normalize.to(images.device)
        normalized: Tensor = self._normalize(images)
        return normalized.contiguous(memory_format=self._layout)

    def train_dataloader(self) -> DataLoader[Batch]:
        """Return shuffled batches of the labeled pool."""
        ids, rows = self.pool.labeled_ids, self._rows(self.data.train)
        if self._labeled is not None:
            ids, rows = torch.arange(len(ids)), self._labeled[1]
        labels = self.pool.labels
        batches = ShuffledBatches(len(ids), self.batch_size, self._order_seed)
        if world_size() == 1:
            return self._loader(rows, ids, labels, batches)
        self._require_shares(len(ids))
        return self._loader(rows, ids, labels, SharedBatches(batches, rank(), world_size()))

    def val_dataloader(self) -> DataLoader[Batch] | list[DataLoader[Batch]]:
        """Return the images that were bought for validation; no loader if there are none."""
        if len(self.pool.validation_ids) == 0:
            return []
        return self._in_order(
            self.data.train, self.pool.validation_ids, self.pool.validation_labels
        )

    def test_dataloader(self) -> DataLoader[Batch]:
        """Return the test images."""
        test = self.data.test
        return self._in_order(test, torch.arange(len(test)), test.labels)

    def predict_dataloader(self) -> DataLoader[Batch]:
        """Return the unlabeled images, ascending by id; their labels are blanked with -1."""
        return self.images_dataloader(self.data.train, self.pool.unlabeled_ids)

    def images_dataloader(
        self, images: Images, ids: Tensor, device: torch.device | None = None
    ) -> DataLoader[Batch]:
        """Return some images in an order of one's own; their labels are blanked with -1.

        Args:
            images: The training or the test images.
            ids: Which of them, (M,) int64. Several ranks take the batches in turns.
            device: What computes with them; None for the trainer's.
        """
        return self._in_order(images, ids, torch.full_like(ids, _HIDDEN), device)

    def transfer_batch_to_device(
        self,
        batch: Batch,
        device: torch.device,
        dataloader_idx: int,  # noqa: ARG002
    ) -> Batch:
        """Move a batch; Lightning's own way looks into any nesting, at every step."""
        images, labels = batch
        return images.to(device, non_blocking=True), labels.to(device, non_blocking=True)

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:  # noqa: ARG002
        """Augment a batch to train on; normalise every batch."""
        images, labels = batch
        training = self.trainer is not None and self.trainer.training
        if self.augment is not None and training and images.ndim != _FLAT:
            images = self.augment(images)
        return self.prepare(images), labels

    def _in_order(
        self, images: Images, ids: Tensor, labels: Tensor, device: torch.device | None = None
    ) -> DataLoader[Batch]:
        batches = OrderedBatches(len(ids), self.eval_batch_size)
        dealt = DealtBatches(batches, rank(), world_size())
        return self._loader(self._rows(images), ids, labels, dealt, device)

    def _rows(self, images: Images) -> Pixels:
        """Return what is served of some images: pixels, or embeddings where there are any."""
        if self._embeddings is not None and images is self.data.train:
            return self._embeddings.train
        if self._embeddings is not None and images is self.data.test:
            return self._embeddings.test
        return images.pixels

    def _normalize_by(self, normalization: Normalization) -> None:
        self.normalization = normalization
        self._normalize = Normalize(normalization)

    def _require_shares(self, labels: int) -> None:
        """Check that every device gets enough of every batch."""
        smallest = min(batch_sizes(labels, self.batch_size)) // world_size()
        if smallest < FEWEST_LABELS:
            raise UsageError(
                f"{labels} labels in batches of {self.batch_size} leave {smallest} image(s) of a batch "
                f"to each of {world_size()} devices, which need at least {FEWEST_LABELS}: raise "
                "budget.initial or batch_size, or take one device"
            )

    def _loader(
        self,
        rows: Pixels,
        ids: Tensor,
        labels: Tensor,
        batches: Batches,
        device: torch.device | None = None,
    ) -> DataLoader[Batch]:
        if device is None:
            device = _CPU if self.trainer is None else self.trainer.strategy.root_device
        return batch_loader(self._resident.on(device, rows), ids, labels, batches, device)

    def _labeled_pixels(self) -> Pixels:
        if self._labeled is not None:
            return self._labeled[1]
        return pixel_rows(self.data.train.pixels, self.pool.labeled_ids)

    def _keep_labeled(self) -> None:
        """Keep the labeled images in memory if they are slow to read, and fit."""
        ids, pixels = self.pool.labeled_ids, self.data.train.pixels
        if self._embeddings is not None or not isinstance(pixels, PixelStore) or not pixels.workers:
            return
        if self._labeled is not None and torch.equal(self._labeled[0], ids):
            return
        self._labeled = None
        if pixel_bytes(pixels) // len(pixels) * len(ids) <= _SHARE * (available_bytes() or 0):
            self._labeled = ids, pixels[ids]
