"""The LightningDataModule that owns the pools."""

from collections.abc import Callable

import lightning as L
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from al_lightning.data.batches import (
    DealtBatches,
    FitPosition,
    OrderedBatches,
    SharedBatches,
    ShuffledBatches,
    require_shares,
)
from al_lightning.data.embeddings import Embeddings, served_rows
from al_lightning.data.loading import Batch, Batches, batch_loader
from al_lightning.data.pixels.labeled import LabeledPixels
from al_lightning.data.pixels.resident import Resident
from al_lightning.data.pixels.stored import Pixels
from al_lightning.data.project.project_source import with_changed_classes
from al_lightning.data.source import (
    UNKNOWN,
    ImageData,
    Images,
    ImageSource,
    Normalization,
    load_data,
    require_source,
)
from al_lightning.data.transforms import Normalize, image_by_image, measure_normalization
from al_lightning.run.class_change import ClassChange
from al_lightning.run.pool import Pool
from al_lightning.utils.errors import UsageError
from al_lightning.utils.randomness import derive_seed
from al_lightning.utils.spill import Spill
from al_lightning.utils.torchrun import rank, world_size

_CPU = torch.device("cpu")
_Device = torch.device | None
_FLAT = 2  # dimensions of embeddings
_MEASURED = 2000  # images that constants are measured on
_EMBEDDED = 2_048  # images per batch of a head alone, whose time is the trainer's per batch
FEWEST_LABELS = 2  # batch normalisation cannot train on one


class PoolDataModule(L.LightningDataModule):
    """Holds a data set, and serves the labeled and the unlabeled pool of a round.

    Every new loader uses the current pool. Batches are (images, labels); images are normalised (and
    augmented in training) on the device of the trainer. Scoring and testing use them in order.

    If a device has its own memory and the pixels fit, they are copied there once. If pixels are slow to
    read, worker processes read them during the computation, and the labeled images are kept in memory
    if they fit. Lightning does not save the pool: the journal records it.

    A classifier may use its own normalisation or, if it is frozen, embeddings instead of pixels; see
    :meth:`serve`. :attr:`data` always has the images.

    Args:
        source: The data set.
        batch_size: Images per training step.
        eval_batch_size: Images per batch in scoring and testing.
        augment: Applied to training images, (B, C, H, W); None for no augmentation. Transforms other
            than :class:`~al_lightning.data.transforms.DrawsPerImage`, such as torchvision's, get one
            image at a time.
        channels_last: Whether batches have the memory format channels-last, which is faster for
            convolutions on most hardware.

    Attributes:
        pool: The labeled and unlabeled images.
        normalization: The constants of the round; None before the first.
        embeddings: Served instead of pixels, if they are.
        spill: Where evidence goes that does not fit in memory, if anywhere.

    Raises:
        UsageError: On batch sizes below 1, or what is no data set.

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
        require_source(source)
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
        self.embeddings: Embeddings | None = None
        self.spill: Spill | None = None
        self._order_seed = 0
        self._start = FitPosition()
        self._before_first_batch: Callable[[], None] | None = None
        self._labeled = LabeledPixels()
        self._resident = Resident()
        self.allow_zero_length_dataloader_with_multiple_devices = True  # fewer batches than those

    @property
    def pass_batch_size(self) -> int:
        """Images per batch in scoring and testing; more where their embeddings are served."""
        return max(self.eval_batch_size, 1 if self.embeddings is None else _EMBEDDED)

    @property
    def data(self) -> ImageData:
        """The data set; read from its source on first use."""
        if self._data is None:
            self._data = load_data(self.source)
            self.pool = Pool(len(self._data.train))
        return self._data

    def change_classes(self, change: ClassChange) -> None:
        """Let the data set have other classes from here on."""
        self._data = with_changed_classes(self.data, change)

    def setup(self, stage: str | None = None) -> None:  # noqa: ARG002
        """Read the data, unless that was done."""
        _ = self.data

    def begin_round(self, pool: Pool, order_seed: int) -> None:
        """Set the pool of a round.

        Args:
            pool: The labeled and unlabeled images.
            order_seed: Seed of the order of the training batches.

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
        self._start, self._before_first_batch = FitPosition(), None
        pixels, ids = data.train.pixels, pool.labeled_ids
        if self.embeddings is None:
            self._labeled.keep(pixels, ids)
        self._normalize_by(
            self._wanted
            or data.normalization
            or measure_normalization(self._labeled.of(pixels, ids))
        )

    def resume_at(self, start: FitPosition, before_first_batch: Callable[[], None]) -> None:
        """Let the next fit begin at ``start``; call a function before its first batch is augmented."""
        self._start, self._before_first_batch = start, before_first_batch

    def serve(
        self, normalization: Normalization | None, embeddings: Embeddings | None = None
    ) -> None:
        """Set the inputs of the classifier, for all following rounds and before the first.

        Args:
            normalization: Constants instead of the data set's; None uses those, and before the first
                round :meth:`constants`.
            embeddings: Used instead of the pixels of the training and test images, without
                augmentation or normalisation; None uses pixels.
        """
        self._wanted, self.embeddings = normalization, embeddings
        self._labeled = LabeledPixels()
        self._normalize_by(normalization or self.constants())

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
        ids, rows = self.pool.labeled_ids, served_rows(self.data.train, self.data, self.embeddings)
        if (kept := self._labeled.kept) is not None:
            ids, rows = torch.arange(len(ids)), kept
        labels = self.pool.labels
        batches = ShuffledBatches(len(ids), self.batch_size, self._order_seed, self._start)
        if world_size() == 1:
            return self._loader(rows, ids, labels, batches)
        require_shares(len(ids), self.batch_size, world_size())
        return self._loader(rows, ids, labels, SharedBatches(batches, rank(), world_size()))

    def val_dataloader(self) -> DataLoader[Batch] | list[DataLoader[Batch]]:
        """Return the images that were bought for validation; no loader if there are none."""
        ids, labels = self.pool.validation_ids, self.pool.validation_labels
        return self._in_order(self.data.train, ids, labels) if len(ids) else []

    def test_dataloader(self) -> DataLoader[Batch]:
        """Return the test images."""
        test = self.data.test
        return self._in_order(test, torch.arange(len(test)), test.labels)

    def predict_dataloader(self) -> DataLoader[Batch]:
        """Return the unlabeled images, ascending by id; their labels are blanked with -1."""
        return self.images_dataloader(self.data.train, self.pool.unlabeled_ids)

    def unlabeled_dataloader(self, batch_size: int, start: FitPosition) -> DataLoader[Batch]:
        """Return shuffled batches of the pixels of the unlabeled pool; their labels are -1."""
        ids, seed = self.pool.unlabeled_ids, derive_seed(self._order_seed, "unlabeled")
        batches = ShuffledBatches(len(ids), batch_size, seed, start)
        return self._loader(self.data.train.pixels, ids, torch.full_like(ids, UNKNOWN), batches)

    def images_dataloader(
        self, images: Images, ids: Tensor, device: torch.device | None = None
    ) -> DataLoader[Batch]:
        """Return a loader of some images in a given order; their labels are replaced by -1.

        Args:
            images: The training or the test images.
            ids: Ids of the images, (M,) int64. Several ranks take the batches in turns.
            device: The device of the batches; None for the trainer's.
        """
        return self._in_order(images, ids, torch.full_like(ids, UNKNOWN), device)

    def transfer_batch_to_device(
        self,
        batch: Batch,
        device: torch.device,
        dataloader_idx: int,  # noqa: ARG002
    ) -> Batch:
        """Move a batch; Lightning's own way looks into any nesting, at every step."""
        images, labels = batch
        return images.to(device, non_blocking=True), labels.to(device, non_blocking=True)

    def on_before_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:  # noqa: ARG002
        """Let a continued fit draw as it would have drawn."""
        if self._before_first_batch is not None:
            self._before_first_batch()
            self._before_first_batch = None
        return batch

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
        batches = OrderedBatches(len(ids), self.pass_batch_size)
        dealt = DealtBatches(batches, rank(), world_size())
        rows = served_rows(images, self.data, self.embeddings)
        return self._loader(rows, ids, labels, dealt, device)

    def _normalize_by(self, normalization: Normalization) -> None:
        self.normalization = normalization
        self._normalize = Normalize(normalization)

    def _loader(
        self, rows: Pixels, ids: Tensor, labels: Tensor, batches: Batches, device: _Device = None
    ) -> DataLoader[Batch]:
        trained_on = _CPU if self.trainer is None else self.trainer.strategy.root_device
        device = device or trained_on
        return batch_loader(self._resident.on(device, rows), ids, labels, batches, device)
