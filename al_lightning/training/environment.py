"""What the environment may not decide: a run is what its configuration says."""

import inspect
import os
import re
import shlex
import sys
from collections.abc import Mapping

import lightning as L

from al_lightning.utils.errors import UsageError
from al_lightning.utils.torchrun import by_torchrun

#: Launchers of several processes of one command, and their variables for the number and the rank.
_LAUNCHERS = (
    ("something other than torchrun", "WORLD_SIZE", ("RANK", "LOCAL_RANK")),
    ("mpirun", "OMPI_COMM_WORLD_SIZE", ("OMPI_COMM_WORLD_RANK",)),
    ("mpiexec", "PMI_SIZE", ("PMI_RANK",)),
    ("jsrun", "JSM_NAMESPACE_SIZE", ("JSM_NAMESPACE_RANK",)),
)


def require_neutral_environment(environment: Mapping[str, str] = os.environ) -> None:
    """Check that the environment changes nothing of a run.

    Raises:
        UsageError: If a variable would set an argument of Lightning's trainer (``PL_TRAINER_DEVICES``
            and the like), or if this process is one of several that run the same command, as by
            ``srun --ntasks=2``, without torchrun; names what to do.
    """
    _require_no_trainer_arguments(environment)
    if by_torchrun(environment):  # it says how many ranks there are
        return
    _require_one_task(environment)
    _require_one_process(environment)


def _require_no_trainer_arguments(environment: Mapping[str, str]) -> None:
    # Lightning reads PL_<class>_<argument>; a subclass of its trainer has another class.
    arguments = "|".join(inspect.signature(L.Trainer).parameters).upper()
    pattern = re.compile(f"PL_[A-Z0-9_]+_(?:{arguments})")
    found = [name for name, value in environment.items() if value and pattern.fullmatch(name)]
    if found:
        name = min(found)
        raise UsageError(
            f"The environment variable {name}={environment[name]} would change the trainer, and the "
            "journal would not record it: unset it, and set the trainer in the configuration, such "
            "as trainer.devices=2"
        )


def _require_one_task(environment: Mapping[str, str]) -> None:
    """Refuse to be one of several tasks of a SLURM step: each would be a run of its own."""
    rank = _number(environment, "SLURM_PROCID")
    tasks = max(_slurm_tasks(environment), 1 + (rank or 0))
    if tasks > 1:
        command = shlex.join(["srun", "--ntasks=1", f"--cpus-per-task={tasks}", *sys.orig_argv])
        raise UsageError(
            f"srun has started {tasks} tasks of this command, but a run is one task: it starts the "
            f"processes of its devices (trainer.devices) itself; several machines need a torchrun "
            f"each. Use {command}"
        )


def _slurm_tasks(environment: Mapping[str, str]) -> int:
    """Return how many tasks run this command; there may be room for more around a batch script."""
    if (tasks := _number(environment, "SLURM_STEP_NUM_TASKS")) is not None:
        return tasks
    if environment.get("ENVIRONMENT") == "BATCH" or "SLURM_PROCID" not in environment:
        return 1
    return _number(environment, "SLURM_NTASKS") or 1


def _require_one_process(environment: Mapping[str, str]) -> None:
    for launcher, size, ranks in _LAUNCHERS:
        known = [rank for name in ranks if (rank := _number(environment, name)) is not None]
        processes = _number(environment, size) or 1
        if known and (processes > 1 or max(known) > 0):
            raise UsageError(
                f"This is process {max(known)} of several that {launcher} has started ({size}, "
                f"{', '.join(ranks)} in the environment), but a run is one process: it starts those of "
                f"its devices (trainer.devices) itself. Leave {launcher} out, or unset these variables"
            )


def _number(environment: Mapping[str, str], name: str) -> int | None:
    text = environment.get(name, "")
    return int(text) if text.isdecimal() else None
