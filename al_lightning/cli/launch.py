"""Several devices: the processes of one run, started by torchrun's own launcher."""

import logging
import os
import socket
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from al_lightning.cli.arguments import quoted
from al_lightning.cli.configuration import configuration_options
from al_lightning.cli.failures import environment_as_given
from al_lightning.cli.same_command import same_command
from al_lightning.utils.errors import UsageError
from al_lightning.utils.interrupts import Interrupted
from al_lightning.utils.orphans import end_with_parent
from al_lightning.utils.torchrun import by_torchrun

if TYPE_CHECKING:
    from torch.distributed.elastic.rendezvous import RendezvousHandler, RendezvousParameters

    from al_lightning.run.journal import Journal

_ALL = ("auto", -1, "-1")
_DIED_OF = 128  # and the number of the signal that a run was interrupted by
_LOOPBACK = "127.0.0.1"
_PATIENCE = 600  # seconds that ranks wait for each other to start
_LAUNCHER = "AL_LIGHTNING_LAUNCHER"


def needs_launch(cfg: DictConfig) -> bool:
    """Return whether a run needs more processes than this one, and they are not started yet."""
    trainer = cfg.get("trainer") or {}
    devices, nodes = trainer.get("devices", 1), trainer.get("num_nodes", 1)
    if by_torchrun() or (devices in (1, "1") and nodes in (1, "1")):
        return False  # without torch, which takes seconds to import
    if nodes not in (1, "1"):
        raise UsageError(
            f"trainer.num_nodes={nodes} needs a process on every machine: start one torchrun "
            f"per machine, such as srun --nodes={nodes} --ntasks-per-node=1 torchrun --nnodes={nodes} "
            f"--nproc-per-node={devices} --rdzv-backend=c10d --rdzv-endpoint=<first machine> "
            "-m al_lightning ..."
        )
    return _count(devices, str(trainer.get("accelerator", "auto"))) > 1


def launched(cfg: DictConfig) -> "Journal":
    """Start a process for each device, with the overrides of this job; wait, and read the journal.

    Raises:
        UsageError: If one of them has failed, after its own messages.
        Interrupted: By Ctrl-C or a signal; the next run continues from there.
    """
    from torch.distributed.elastic.multiprocessing.api import SignalException  # noqa: PLC0415
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError  # noqa: PLC0415
    from torch.distributed.elastic.rendezvous import rendezvous_handler_registry  # noqa: PLC0415
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch  # noqa: PLC0415

    from al_lightning.run.journal import Journal  # noqa: PLC0415

    # They tell of failures at length; what a rank has printed is enough.
    for name in logging.root.manager.loggerDict:
        if name.startswith("torch.distributed"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
    rendezvous_handler_registry.register(_LOOPBACK, _loopback_rendezvous)
    count = _count(cfg.trainer.devices, str(cfg.trainer.get("accelerator", "auto")))
    folder = Path(HydraConfig.get().runtime.output_dir)
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=count,
        run_id=uuid.uuid4().hex,
        rdzv_backend=_LOOPBACK,
        rdzv_endpoint=_LOOPBACK,
        local_addr=_LOOPBACK,
        max_restarts=0,
    )
    try:
        with environment_as_given(), _known_to_ranks():
            elastic_launch(config, sys.executable)("-m", "al_lightning", *_arguments(folder))
    except SignalException as error:
        raise Interrupted(error.sigval) from error
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        if (status := failure.exitcode) > _DIED_OF:
            raise Interrupted(status - _DIED_OF) from error
        why = "" if status > 0 else f" (by signal {-status}: was it out of memory?)"
        raise UsageError(
            f"Rank {rank} of {count} has ended{why or f' with exit status {status}'}, and the run with "
            f"it. {same_command(cfg.overwrite).capitalize()} continues the run"
        ) from error
    return Journal(folder / "journal.jsonl")


def _loopback_rendezvous(parameters: "RendezvousParameters") -> "RendezvousHandler":
    """Return where ranks of this machine meet; torch's own stores listen on all interfaces."""
    from torch.distributed import TCPStore  # type: ignore[attr-defined]  # noqa: PLC0415
    from torch.distributed.elastic.rendezvous.static_tcp_rendezvous import (  # noqa: PLC0415
        StaticTCPRendezvous,
    )

    class OnLoopback(StaticTCPRendezvous):
        def get_backend(self) -> str:
            return _LOOPBACK

    listener = socket.create_server((_LOOPBACK, 0))
    port = listener.getsockname()[1]
    handler = OnLoopback(_LOOPBACK, port, 0, 1, parameters.run_id, _PATIENCE)
    handler._store = TCPStore(
        _LOOPBACK,
        port,
        is_master=True,
        wait_for_workers=False,
        master_listen_fd=listener.detach(),
    )
    return handler


def is_launched() -> bool:
    """Return whether this process is a rank that :func:`launched` has started."""
    return _LAUNCHER in os.environ


def end_with_launcher() -> None:
    """End this rank if the process that has started it dies."""
    if is_launched():
        end_with_parent(int(os.environ[_LAUNCHER]))


@contextmanager
def _known_to_ranks() -> Iterator[None]:
    os.environ[_LAUNCHER] = str(os.getpid())
    try:
        yield
    finally:
        del os.environ[_LAUNCHER]


def _arguments(folder: Path) -> list[str]:
    """Return the command line of one run of this job, in the same folder."""
    hydra_cfg = HydraConfig.get()
    swept = hydra_cfg.mode == RunMode.MULTIRUN  # whose jobs are no projects
    return [
        *configuration_options(),
        *hydra_cfg.overrides.task,
        *(["project=null"] if swept else []),
        "hydra.mode=RUN",
        f"hydra.run.dir={quoted(str(folder))}",
    ]


def _count(devices: object, accelerator: str) -> int:
    """Return how many devices of this machine are meant."""
    import torch  # noqa: PLC0415

    if devices in _ALL:
        on_cpu = accelerator == "cpu" or not torch.accelerator.is_available()
        return 1 if on_cpu else torch.accelerator.device_count()
    if isinstance(devices, int) or (isinstance(devices, str) and devices.isdecimal()):
        return int(devices)
    raise UsageError(
        f"trainer.devices must be a number of devices, or auto, not {devices!r}. To choose "
        "devices, set CUDA_VISIBLE_DEVICES"
    )
