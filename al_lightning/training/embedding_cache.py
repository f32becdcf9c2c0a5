"""Embeddings that are computed once, for all rounds and runs."""

import hashlib
import json
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
from torch import Tensor

from al_lightning.data.datamodule import PoolDataModule
from al_lightning.data.embeddings import Embeddings
from al_lightning.data.pixels.duplicates import DIGEST
from al_lightning.models.backbone import Backbone
from al_lightning.run.provenance import config_hash, hardware, versions
from al_lightning.training.embedding import embed_images
from al_lightning.training.given_embeddings import read_embeddings
from al_lightning.training.known_embeddings import (
    KnownEmbeddings,
    digests_of,
    opened,
    rows_known,
)
from al_lightning.training.partial_rows import PartialRows
from al_lightning.utils.caches import note_use
from al_lightning.utils.files import replacing, write_whole
from al_lightning.utils.locks import exclusive
from al_lightning.utils.ranks import from_rank_zero
from al_lightning.utils.torchrun import rank

_SCHEMA = 2  # of what the files mean
_COMPUTED_BY = ("torch", "torchvision", "lightning")
_FLOAT32 = np.dtype("<f4")
_ROWS = 4_096  # that are copied at a time


class EmbeddingCache:
    """Caches the embeddings of frozen networks, memory-mapped, by everything that they depend on.

    An entry is ``<digest>.npy``, float32, training images first, ``<digest>.json``, with its inputs and
    its SHA-256, and ``<digest>.rows``, with a digest of each image where the data set has them: of a
    data set that has grown, only new images are embedded. A warning names files that do not match; they
    are computed again. Until it is whole, an entry is ``<digest>.<...>.part``, from which an embedding
    that was killed goes on.

    Args:
        folder: Folder of the entries; may be removed while nothing runs.
        say: Called with messages on slow work.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from al_lightning import EmbeddingCache
        >>> with TemporaryDirectory() as folder:
        ...     cache = EmbeddingCache(Path(folder), say=print)  # Learner(..., embeddings=cache)
        ...     [*Path(folder).iterdir()]  # filled by the first run of a frozen network
        []
    """

    def __init__(self, folder: Path, say: Callable[[str], None] = lambda _: None) -> None:
        self._folder = folder
        self._say = say

    def fetch(
        self,
        trainer: L.Trainer,
        classifier: L.LightningModule,
        backbone: Backbone,
        datamodule: PoolDataModule,
    ) -> Embeddings:
        """Return the embeddings of a data set; computed only if they are not in the cache.

        Two processes that want the same compute it once: the second waits.

        Args:
            trainer: Decides device and precision; used once.
            classifier: Untrained.
            backbone: Its backbone, which is frozen.
            datamodule: Serves the images, normalised as the backbone wants them.

        Raises:
            UsageError: If the files cannot be written.
        """
        data = datamodule.data
        if (given := backbone.given_embeddings) is not None:
            return read_embeddings(given, data, int(backbone.embedding_facts()["features"]))
        facts = self._facts(trainer, backbone, datamodule)
        rows, columns = len(data.train) + len(data.test), int(facts["network"]["features"])
        entry = _Entry(self._folder / f"{config_hash(facts)}.npy", (rows, columns))
        digests = digests_of((data.train, data.test))

        with ExitStack() as stack:
            lock = exclusive(entry.path.with_suffix(".lock"), self._print_waiting)

            def seconds_of_earlier() -> float | None:
                stack.enter_context(lock)
                return entry.seconds()

            seconds = from_rank_zero(seconds_of_earlier)
            if seconds is None:
                begin = time.perf_counter()
                known = from_rank_zero(lambda: self._known(entry, facts, digests))
                blocks = self._embed(trainer, classifier, datamodule, entry, known)
                seconds = from_rank_zero(lambda: entry.make(blocks, facts, digests, begin))
                if rank() == 0:
                    self._say(f"Embedded in {seconds:.1f} s, kept in {entry.path}")
            found = entry.open()
            if rank() == 0:
                note_use(entry.path.with_suffix(".json"))
        return Embeddings(found[: len(data.train)], found[len(data.train) :], seconds)

    def _embed(
        self,
        trainer: L.Trainer,
        classifier: L.LightningModule,
        datamodule: PoolDataModule,
        entry: "_Entry",
        known: KnownEmbeddings | None,
    ) -> Iterable[Tensor]:
        """Embed the images that no earlier entry has; return all rows in order, in blocks.

        Rows are on the disk batch by batch, and an embedding that was killed goes on at the next batch.
        Ranks other than zero return none.
        """
        parts = datamodule.data.train, datamodule.data.test
        counts = [len(part) for part in parts]
        unknown = torch.ones(sum(counts), dtype=torch.bool) if known is None else known.rows < 0
        new = entry.partial(unknown) if rank() == 0 else None
        done = from_rank_zero(lambda: 0 if new is None else new.count)
        missing, begin = int(unknown.sum()) - done, time.perf_counter()
        if rank() == 0:
            self._say(f"Embedding {missing:,} images, once for all rounds and runs")
        unknown[unknown.nonzero().flatten()[:done]] = False
        ids = [part.nonzero().flatten() for part in torch.split(unknown, counts)]
        sets = [(images, some) for images, some in zip(parts, ids, strict=True) if len(some)]
        write = (lambda _: None) if new is None else new.append
        embed_images(trainer, classifier, datamodule, sets, write)
        if new is None:
            return ()
        if missing:
            rate = missing / (time.perf_counter() - begin)
            self._say(f"Embedded {missing:,} images, {rate:,.0f} a second")
        rows = new.read()
        return torch.split(rows, _ROWS) if known is None else known.blocks(rows)

    def _known(
        self, entry: "_Entry", facts: Mapping[str, Any], digests: Tensor | None
    ) -> KnownEmbeddings | None:
        """Return what the newest entry has of these images, made in the same way of other data."""
        if digests is None:
            return None
        earlier = sorted(self._folder.glob("*.rows"), key=lambda path: path.stat().st_mtime)
        for path in reversed(earlier):
            found = entry.beside(path).known(facts, digests)
            if found is not None:
                return found
        return None

    def _facts(
        self, trainer: L.Trainer, backbone: Backbone, datamodule: PoolDataModule
    ) -> dict[str, Any]:
        """Return all that the very bits of the embeddings depend on."""
        found, normalization = versions(), datamodule.normalization
        assert normalization is not None
        return {
            "schema": _SCHEMA,
            "network": dict(backbone.embedding_facts()),
            "data": datamodule.data.pixel_fingerprint(),
            "normalization": asdict(normalization),
            "batch_size": datamodule.eval_batch_size,
            "precision": str(trainer.precision),
            "device": trainer.strategy.root_device.type,
            "hardware": hardware(),
            "versions": {name: found[name] for name in _COMPUTED_BY},
        }

    def _print_waiting(self) -> None:
        self._say("Another run embeds the images, which this run shares; waiting for it")


class _Entry:
    """A matrix on the disk, and its facts.

    Args:
        path: The matrix; its facts are beside it.
        shape: What it must have.
    """

    def __init__(self, path: Path, shape: tuple[int, int]) -> None:
        self.path = path
        self._about = path.with_suffix(".json")
        self._rows = path.with_suffix(".rows")  # a digest of each image, where there are any
        self._shape = shape
        self._partial: PartialRows | None = None

    def beside(self, rows: Path) -> "_Entry":
        """Return the entry of another data set in the same folder, by its digests."""
        count = rows.stat().st_size // DIGEST
        return _Entry(rows.with_suffix(".npy"), (count, self._shape[1]))

    def known(self, facts: Mapping[str, Any], digests: Tensor) -> KnownEmbeddings | None:
        """Return the rows of some images, if this was made in the same way; None if it has none."""
        try:
            made_of = json.loads(self._about.read_text(encoding="utf-8"))["made_of"]
            content = bytearray(self._rows.read_bytes())
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if {**made_of, "data": None} != json.loads(json.dumps({**facts, "data": None})):
            return None
        earlier = torch.frombuffer(content, dtype=torch.uint8).view(-1, DIGEST)
        rows = rows_known(digests, earlier)
        if bool((rows < 0).all()) or self.seconds() is None:
            return None
        return KnownEmbeddings(self.path, rows)

    def partial(self, unknown: Tensor) -> PartialRows:
        """Return what an embedding that was killed has left.

        Args:
            unknown: Which images it embeds, (N,) bool; others are taken over from earlier entries.
        """
        digest = hashlib.sha256(unknown.numpy().tobytes()).hexdigest()[:16]
        self._partial = PartialRows(self.path.with_suffix(f".{digest}.part"), self._shape[1])
        return self._partial

    def seconds(self) -> float | None:
        """Return how long it took to make; None if it is not there, or damaged, which is warned of."""
        if not self.path.exists() or not self._about.exists():
            return None
        try:
            about = json.loads(self._about.read_text(encoding="utf-8"))
            with self.path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != about["sha256"] or self.open().shape != self._shape:
                raise ValueError("its SHA-256 is not the recorded one")  # noqa: TRY301
            return float(about["seconds"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            warnings.warn(
                f"{self.path} is damaged ({error}); the images are embedded again", stacklevel=2
            )
            return None

    def make(
        self,
        blocks: Iterable[Tensor],
        facts: Mapping[str, Any],
        digests: Tensor | None,
        begin: float,
    ) -> float:
        """Write the rows of some blocks, in order.

        Args:
            blocks: (B, D) float32 each.
            facts: All that the rows depend on.
            digests: Of each image, (N, B) uint8, if there are any.
            begin: When the embedding began, by ``time.perf_counter()``.

        Returns:
            The seconds since then.
        """
        self._about.unlink(missing_ok=True)
        count = 0
        with replacing(self.path) as partial, partial.open("wb") as file:
            header = {"descr": _FLOAT32.str, "fortran_order": False, "shape": self._shape}
            np.lib.format.write_array_header_1_0(file, header)
            for rows in blocks:
                count += len(rows)
                file.write(rows.numpy().astype(_FLOAT32).data)
            file.flush()
            if count != self._shape[0]:
                raise RuntimeError(f"{count} of {self._shape[0]} rows were written")
        seconds = time.perf_counter() - begin
        with self.path.open("rb") as written:
            digest = hashlib.file_digest(written, "sha256").hexdigest()
        if digests is not None:
            write_whole(self._rows, digests.contiguous().numpy().tobytes())
        about = {"sha256": digest, "seconds": seconds, "made_of": facts}
        write_whole(self._about, json.dumps(about, indent=1) + "\n")
        if self._partial is not None:
            self._partial.remove()
        return seconds

    def open(self) -> Tensor:
        """Map the matrix into memory; what is written to it stays there."""
        return opened(self.path)
