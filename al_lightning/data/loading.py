"""Loaders that read whole batches by their positions."""

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from al_lightning.data.batches import DealtBatches, SharedBatches, ShuffledBatches
from al_lightning.data.pixels.decode_beside import leave_signals
from al_lightning.data.pixels.stored import Pixels, PixelStore

#: Images, or embeddings, (B, ...), and their labels, (B,) int64.
Batch = tuple[Tensor, Tensor]
Batches = DealtBatches | ShuffledBatches | SharedBatches


def batch_loader(
    rows: Pixels, ids: Tensor, labels: Tensor, batches: Batches, device: torch.device
) -> DataLoader[Batch]:
    """Return a loader of some images.

    Args:
        rows: Pixels or embeddings of a data set.
        ids: Which of its images, (M,) int64.
        labels: Their labels, (M,) int64.
        batches: Yields the positions in ``ids`` of each batch.
        device: What computes with the batches.
    """
    elsewhere = isinstance(rows, PixelStore) or rows.device != device
    # batch_size=None: the sampler yields a whole batch of positions, and one indexing reads it.
    return DataLoader(
        _Subset(rows, ids, labels),
        sampler=batches,
        batch_size=None,
        num_workers=min(rows.workers, len(batches)) if isinstance(rows, PixelStore) else 0,
        worker_init_fn=leave_signals,
        pin_memory=device.type == "cuda" and elsewhere,
    )


class _Subset(Dataset[Batch]):
    """Some images of a data set, or their embeddings, read a batch at a time."""

    def __init__(self, rows: Pixels, ids: Tensor, labels: Tensor) -> None:
        self._rows, self._ids, self._labels = rows, ids, labels

    def __getitem__(self, positions: Tensor) -> Batch:
        # On a CPU, rows[ids] would copy pixel by pixel, ten times as slowly as index_select.
        ids, labels = (values.index_select(0, positions) for values in (self._ids, self._labels))
        if isinstance(self._rows, Tensor):
            # Not waited for: indexing by ids that are elsewhere would wait for all steps before.
            ids = ids.to(self._rows.device, non_blocking=True)
            return self._rows.index_select(0, ids), labels
        return self._rows[ids], labels
