"""The process of one device, of several that compute for a run."""

import logging
import os
import pickle
import signal
import socket
import threading
import traceback
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from multiprocessing import connection, parent_process, set_start_method
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor, distributed
from torch._C._distributed_c10d import GradBucket
from torch.nn.parallel import DistributedDataParallel

from al_lightning.callbacks.training_curves import TrainingCurves
from al_lightning.data.batches import batch_sizes, share_weights
from al_lightning.data.datamodule import PoolDataModule
from al_lightning.data.embeddings import Embeddings
from al_lightning.data.source import ImageSource
from al_lightning.training.cluster import OwnProcesses
from al_lightning.utils.errors import UsageError
from al_lightning.utils.randomness import derive_seed

_PATIENCE = timedelta(minutes=30)  # how long devices wait for each other


@dataclass(frozen=True)
class Task:
    """What all processes do at once.

    Attributes:
        method: Of the trainer.
        options: What the trainer is made with.
        module: To fit, or to look with.
        datamodule: Without its data.
        embeddings: The file of those that it serves in the place of pixels; None for pixels.
        callbacks: Of the trainer.
        seed: Decides what is drawn.
        curves: Whether to tell what is logged.
    """

    method: str
    options: dict[str, Any]
    module: L.LightningModule
    datamodule: PoolDataModule
    embeddings: Path | None
    callbacks: Sequence[Callback]
    seed: int
    curves: bool


def work(
    rank: int,
    size: int,
    meeting: Path,
    threads: int,
    start_method: str,
    pipe: Connection,
    what: bytes,
) -> None:
    """Do what is told, until nobody tells any more.

    Args:
        rank: Of this process, from 0.
        size: The number of processes.
        meeting: A file that is not there yet, by which they find each other.
        threads: That this process may compute with.
        start_method: Of the processes that this one starts.
        pipe: Brings pickled tasks, and takes pickled replies: ("done", result), ("failed", error), and
            ("logged", name, value, step) before.
        what: The pickled maker of trainers and the source of the images.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the run's process decides
    threading.Thread(target=_follow_parent, daemon=True).start()
    torch.set_num_threads(threads)
    # Else what this process starts, to read batches, would be spawned too, and import everything anew.
    set_start_method(start_method, force=True)
    warnings.simplefilter("ignore")  # the run's process has warned of the data
    logging.disable(logging.WARNING)
    hand = _Hand(rank, size, meeting, pipe)
    try:
        hand.try_to(hand.prepare, *pickle.loads(what))
        while True:
            hand.try_to(hand.do, pickle.loads(pipe.recv_bytes()))
    except (EOFError, ConnectionError):  # nobody tells any more
        return


def _follow_parent() -> None:
    """End where the run's process has died, instead of fitting on for nobody."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _portable(error: BaseException, rank: int) -> BaseException:
    """Return an error that can travel, with what led to it."""
    if not isinstance(error, UsageError):
        error.add_note(f"In the process of device {rank}:\n{traceback.format_exc()}")
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"In the process of device {rank}:\n{traceback.format_exc()}")
    return error


@cache
def _mapped(path: Path) -> Embeddings:
    train, test = torch.load(path, mmap=True, weights_only=True)
    return Embeddings(train, test, seconds=0.0)


class _Hand:
    """What a process of the team does."""

    def __init__(self, rank: int, size: int, meeting: Path, pipe: Connection) -> None:
        self._rank, self._size, self._meeting, self._pipe = rank, size, meeting, pipe

    def try_to(self, do: Callable[..., Any], *arguments: Any) -> None:
        """Do something, and reply."""
        try:
            reply = "done", do(*arguments)
        except Exception as error:
            reply = "failed", _portable(error, self._rank)
        self._tell(*reply)

    def prepare(self, make_trainer: Callable[..., L.Trainer], source: ImageSource) -> str:
        """Read the data; the reply is their fingerprint."""
        self._make_trainer, self._source = make_trainer, source
        self._data = source.load()
        return self._data.fingerprint()

    def do(self, task: Task) -> tuple[dict[str, Tensor], int]:
        """Fit or predict; the reply is the weights, from one process, and the number of steps."""
        embeddings = None if task.embeddings is None else _mapped(task.embeddings)
        task.datamodule.arrive(self._source, self._data, embeddings)
        fits = task.method == "fit"
        # While fitting, each device draws its own masks. While looking, all draw alike.
        seed = derive_seed(task.seed, "device", self._rank) if fits and self._rank else task.seed
        L.seed_everything(seed, verbose=False)
        shares = [_Shares(task.datamodule, self._rank, self._size)] if fits else []
        logger = TrainingCurves(self._log) if task.curves and self._rank == 0 else False
        trainer = self._make_trainer(
            **task.options,
            logger=logger,
            callbacks=[*task.callbacks, *shares],
            plugins=[OwnProcesses(self._rank, self._size)],
            use_distributed_sampler=False,
        )
        self._meet(trainer.strategy.root_device)
        options = {} if fits else {"return_predictions": False}
        getattr(trainer, task.method)(task.module, datamodule=task.datamodule, **options)
        weights = {}
        if fits and self._rank == 0:
            weights = {name: value.cpu() for name, value in task.module.state_dict().items()}
        return weights, trainer.global_step

    def _meet(self, device: torch.device) -> None:
        """Meet the others, once; at a file, since a free port may be taken by the time it is used."""
        if distributed.is_initialized():
            return
        # gloo and NCCL would listen where the host's name leads to, which may be open to others.
        loopback = [name for _, name in socket.if_nameindex() if name.startswith("lo")]
        for library in ("GLOO", "NCCL") if loopback else ():
            os.environ[f"{library}_SOCKET_IFNAME"] = loopback[0]
        backend = "gloo"
        if device.type == "cuda":
            torch.cuda.set_device(device)
            backend = "nccl"
        distributed.init_process_group(
            backend,
            init_method=self._meeting.as_uri(),
            rank=self._rank,
            world_size=self._size,
            timeout=_PATIENCE,
        )

    def _log(self, name: str, value: float, step: int) -> None:
        self._tell("logged", name, value, step)

    def _tell(self, *message: Any) -> None:
        self._pipe.send_bytes(pickle.dumps(message))


class _Shares(Callback):
    """Lets every image of a batch count the same, whichever device has it.

    DistributedDataParallel averages over devices; where one has an image more than another, its images
    would count less than the other's.
    """

    def __init__(self, datamodule: PoolDataModule, rank: int, size: int) -> None:
        labels = len(datamodule.pool.labeled_ids)
        self._weights = share_weights(batch_sizes(labels, datamodule.batch_size), rank, size)
        self._weight = 0.0

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Take over how gradients are put together."""
        model = trainer.strategy.model
        if isinstance(model, DistributedDataParallel):
            model.register_comm_hook(None, self._sum)

    def on_train_batch_start(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Note how much of this batch is here."""
        self._weight = self._weights[batch_idx]

    def _sum(self, state: object, bucket: GradBucket) -> torch.futures.Future[Tensor]:
        """Return the mean of the gradients over all images of the batch."""
        gradients = bucket.buffer().mul_(self._weight)
        work = distributed.all_reduce(gradients, async_op=True)
        return work.get_future().then(lambda done: done.value()[0])
