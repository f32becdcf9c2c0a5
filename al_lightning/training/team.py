"""Several devices in one run: a process each, which fit and look at images together.

The run itself stays in one process, which keeps the journal, selects and asks. The others are started
once a run, not forked: a fork of a process whose thread pools were used can hang. They read the data
themselves, and are told what to do round by round.
"""

import pickle
import tempfile
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import connection, get_context, get_start_method
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import Logger
from torch import Tensor

from al_lightning.data.datamodule import PoolDataModule
from al_lightning.data.embeddings import Embeddings
from al_lightning.data.source import ImageSource
from al_lightning.training.device_process import Task, work
from al_lightning.utils.errors import UsageError

_PATIENCE = 5.0  # seconds: in which processes that are not stuck have replied, or ended
_SEEDS = 2**32  # that Lightning takes


class TeamTrainer:
    """Fits and predicts as Lightning's trainer does, by several processes, each with a device.

    Args:
        team: The processes.
        trainer: Knows devices and precision, and is used for nothing else.
        options: What each process makes its trainer with.
        logger: Takes what the first process logs; None for nothing.
        alone: Makes a trainer of one device, for what is not shared out.
    """

    def __init__(
        self,
        team: "Team",
        trainer: L.Trainer,
        options: dict[str, Any],
        logger: Logger | None,
        alone: Callable[[], L.Trainer],
    ) -> None:
        self.callbacks: list[Callback] = []
        self.global_step = 0
        self.estimated_stepping_batches: int | float = trainer.max_steps
        self.early_stopping_callbacks: list[Any] = []
        self.world_size = trainer.world_size
        self.precision = trainer.precision
        self.strategy = trainer.strategy
        self._team, self._options, self._logger, self._alone = team, options, logger, alone

    def start(self, datamodule: PoolDataModule) -> None:
        """Start the processes, unless they run already: this takes seconds, and is no part of a fit."""
        self._team.start(datamodule)

    def fit(self, model: L.LightningModule, *, datamodule: L.LightningDataModule) -> None:
        """Fit a module in place; each process takes its share of each batch."""
        weights, self.global_step = self._run("fit", model, datamodule)
        model.load_state_dict(weights)

    def predict(
        self,
        model: L.LightningModule,
        dataloaders: Any = None,
        datamodule: L.LightningDataModule | None = None,
        return_predictions: bool | None = None,  # noqa: ARG002 - they would have to travel
    ) -> None:
        """Let a module look at what the data module serves; the processes take the batches in turns.

        What loaders serve, in an order that counts, is looked at here, on one device.
        """
        if datamodule is None:
            self._alone().predict(model, dataloaders, return_predictions=False)
        else:
            self._run("predict", model, datamodule)

    def _run(
        self, method: str, model: L.LightningModule, datamodule: L.LightningDataModule
    ) -> tuple[dict[str, Tensor], int]:
        assert isinstance(datamodule, PoolDataModule)
        # What this process would draw by has just been set; the others go by it.
        seed = torch.initial_seed() % _SEEDS
        curves = self._logger is not None
        self._team.start(datamodule)
        embeddings = self._team.ship(datamodule.embeddings)
        options = self._options
        task = Task(method, options, model, datamodule, embeddings, self.callbacks, seed, curves)
        return self._team.run(task, self._log)

    def _log(self, name: str, value: float, step: int) -> None:
        if self._logger is not None:
            self._logger.log_metrics({name: value}, step)


class Team:
    """The processes of a run's devices.

    Args:
        make_trainer: Makes Lightning's trainer with everything set that is the same in all rounds;
            travels to the processes.
        size: The number of processes.
    """

    def __init__(self, make_trainer: Callable[..., L.Trainer], size: int) -> None:
        self._make_trainer = make_trainer
        self._size = size
        self._members: list[_Member] = []
        self._source: ImageSource | None = None
        self._folder = Path()
        self._shipped: tuple[Embeddings, Path] | None = None
        self._end: Callable[[], object] = list

    def start(self, datamodule: PoolDataModule) -> None:
        """Start the processes, and let them read the data, unless they have.

        Raises:
            UsageError: If they read other data than this process has, or what they need cannot travel.
        """
        if self._members and self._source is datamodule.source:
            return
        self.close()
        self._source = datamodule.source
        folder = tempfile.TemporaryDirectory(prefix="al_lightning-", ignore_cleanup_errors=True)
        self._folder, self._shipped = Path(folder.name), None
        meeting = self._folder / "meeting"
        threads = max(1, torch.get_num_threads() // self._size)
        self._end = weakref.finalize(self, _end, self._members, folder)
        what = _pickled((self._make_trainer, datamodule.source))
        for rank in range(self._size):
            self._members.append(_Member.start(rank, self._size, meeting, threads, what))
        expected = datamodule.data.fingerprint()
        for found in self._replies(_ignore):
            if found != expected:
                self.close()
                if isinstance(found, BaseException):
                    raise found
                raise UsageError(
                    "The images have changed since the run has read them: leave the files as they are "
                    "while a run is not finished"
                )

    def ship(self, embeddings: Embeddings | None) -> Path | None:
        """Write embeddings where the processes map them from, once."""
        if embeddings is None:
            return None
        if self._shipped is None or self._shipped[0] is not embeddings:
            path = self._folder / f"embeddings-{id(embeddings)}"
            torch.save((embeddings.train, embeddings.test), path)
            self._shipped = embeddings, path
        return self._shipped[1]

    def run(
        self, task: Task, log: Callable[[str, float, int], None]
    ) -> tuple[dict[str, Tensor], int]:
        """Let all processes do something.

        Args:
            task: What.
            log: Called with what the first process logs: a name, a value, the step.

        Returns:
            The weights, and the number of steps; those of the first process, which are those of all.

        Raises:
            Exception: What was raised in a process. All of them are then ended.
        """
        content = _pickled(task)
        try:
            for member in self._members:
                member.send(content)
            replies = self._replies(log)
        except BaseException:
            self.close()
            raise
        errors = [reply for reply in replies if isinstance(reply, BaseException)]
        if errors:
            # Where all have come to the same, such as a fit that diverges, none waits for another.
            if len(errors) < self._size or not all(isinstance(e, UsageError) for e in errors):
                self.close()
            raise errors[0]
        weights, steps = replies[0]
        return weights, steps

    def close(self) -> None:
        """End the processes; they are started anew when they are needed."""
        self._end()
        self._members = []

    def _waited_for(self, replies: Mapping[int, Any]) -> dict[Any, "_Member"]:
        return {member.pipe: member for member in self._members if member.rank not in replies}

    def _replies(self, log: Callable[[str, float, int], None]) -> list[Any]:
        """Wait for a reply of every process, in their order; after an error, not for long."""
        replies: dict[int, Any] = {}
        patience = None
        waited_for: dict[Any, _Member]
        while waited_for := self._waited_for(replies):
            ready = connection.wait(list(waited_for), patience)
            if not ready:  # they wait for one that has failed
                break
            for member in (waited_for[pipe] for pipe in ready):
                kind, *content = member.receive()
                if kind == "logged":
                    log(*content)
                    continue
                (replies[member.rank],) = content
                if kind == "failed":
                    patience = _PATIENCE
        return [replies[rank] for rank in sorted(replies)]


@dataclass(frozen=True)
class _Member:
    """A process of the team, as the run's process knows it."""

    rank: int
    size: int
    process: BaseProcess
    pipe: Connection

    @classmethod
    def start(cls, rank: int, size: int, meeting: Path, threads: int, what: bytes) -> "_Member":
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        arguments = (rank, size, meeting, threads, get_start_method(), theirs, what)
        process = context.Process(target=work, args=arguments, name=f"device {rank}")
        process.start()
        theirs.close()  # else its end would not be noticed
        return cls(rank, size, process, ours)

    def send(self, content: bytes) -> None:
        """Tell it what to do."""
        with self._alive():
            self.pipe.send_bytes(content)

    def receive(self) -> tuple[Any, ...]:
        """Wait for what it tells."""
        with self._alive():
            told: tuple[Any, ...] = pickle.loads(self.pipe.recv_bytes())
            return told

    @contextmanager
    def _alive(self) -> Iterator[None]:
        try:
            yield
        except (EOFError, ConnectionError) as error:
            self.process.join(timeout=_PATIENCE)
            raise RuntimeError(
                f"Process {self.rank} of the {self.size} of trainer.devices has died with exit status "
                f"{self.process.exitcode}: was it out of memory? The same command goes on"
            ) from error


def _end(members: Sequence[_Member], folder: tempfile.TemporaryDirectory[str]) -> None:
    for member in members:
        member.pipe.close()
        member.process.terminate()
    for member in members:
        member.process.join()
    folder.cleanup()


def _ignore(name: str, value: float, step: int) -> None:
    pass


def _pickled(thing: Any) -> bytes:
    """Return what travels to other processes.

    Raises:
        UsageError: If it cannot.
    """
    try:
        return pickle.dumps(thing)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise UsageError(
            "With more than one device, classifier, trainer and source of the images travel to the "
            f"devices' processes, and one of them cannot: {error}. Take functions and classes that a "
            "module defines, no lambdas or local ones; or trainer.devices=1"
        ) from error
