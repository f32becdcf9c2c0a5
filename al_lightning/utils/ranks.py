"""The processes of one run on several devices, as torchrun starts them: ranks.

Every rank runs the same program. Only rank zero reads and writes files, calls the oracle and selects
images; it sends the results to the other ranks. Without torchrun there is one rank, and the functions
here return at once.
"""

import os
import pickle
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, distributed

from al_lightning.utils.errors import OF_RANK_ZERO
from al_lightning.utils.torchrun import rank, world_size

T = TypeVar("T")

#: Rank zero may wait for a person, for decoding or for a slow selection, and all others with it.
_PATIENCE = timedelta(days=365)


def from_rank_zero(call: Callable[[], T]) -> T:
    """Call a function on rank zero, and return its result on every rank.

    Args:
        call: Takes nothing, and returns what can be pickled. Not called on other ranks.

    Raises:
        Exception: What the call has raised, on every rank, so that none waits for one that has failed.
    """
    if world_size() == 1:
        return call()
    came: list[Any] = [None, None]
    if rank() == 0:
        try:
            came[0] = call()
        except Exception as error:
            came[1] = error
        content = [_pickled(came)]
    else:
        content = [b""]
    distributed.broadcast_object_list(content, src=0, group=_control())
    if rank() > 0:
        came = pickle.loads(content[0])
    if came[1] is not None:
        setattr(came[1], OF_RANK_ZERO, True)
        raise came[1]
    value: T = came[0]
    return value


def share_state(module: torch.nn.Module) -> None:
    """Give a module of every rank the parameters and buffers that rank zero's has."""
    if world_size() == 1:
        return
    for value in module.state_dict().values():
        on_cpu = value.detach().cpu().contiguous()
        distributed.broadcast(on_cpu, src=0, group=_control())
        if rank() > 0:
            value.copy_(on_cpu)


def wait_for_all() -> None:
    """Wait until every rank has reached this call, without a timeout.

    Collective operations wait for other ranks for minutes only, and a rank may be late.
    """
    if world_size() > 1:
        distributed.barrier(group=_control())


def collect_on_rank_zero(
    index: int, count: int, tensors: Mapping[str, Tensor]
) -> list[tuple[int, Mapping[str, Tensor]]]:
    """Gather batches of all ranks on rank zero, if the ranks take the batches in turns.

    Args:
        index: Index of this rank's batch; the ranks have consecutive batches.
        count: The number of all batches.
        tensors: The results of the batch.

    Returns:
        On rank zero, the index and the tensors of each rank's batch, on the CPU where they came from
        another rank; nothing on other ranks.
    """
    if world_size() == 1:
        return [(index, tensors)]
    if rank() > 0:
        sent = {name: value.cpu() for name, value in tensors.items()}
        distributed.send_object_list([sent], dst=0, group=_control())
        return []
    found = [(index, tensors)]
    for other in range(1, min(world_size(), count - index)):
        received: list[Any] = [None]
        distributed.recv_object_list(received, src=other, group=_control())
        found.append((index + other, received[0]))
    return found


@cache
def _control() -> distributed.ProcessGroup:
    """Return the group of all ranks for what is not computed: by gloo, and with patience."""
    if not distributed.is_initialized():
        if (local := int(os.environ["LOCAL_RANK"])) < torch.cuda.device_count():
            torch.cuda.set_device(local)
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        distributed.init_process_group(backend)
    return cast(
        "distributed.ProcessGroup", distributed.new_group(backend="gloo", timeout=_PATIENCE)
    )


def _pickled(came: list[Any]) -> bytes:
    """Pickle the outcome of a call; an error that cannot be pickled becomes its message."""
    try:
        content = pickle.dumps(came)
        if came[1] is not None:
            pickle.loads(content)  # an error may be pickled, and not be made again
    except Exception as error:
        if came[1] is None:
            came[1] = error
        content = pickle.dumps([None, RuntimeError(f"{type(came[1]).__name__}: {came[1]}")])
    return content
