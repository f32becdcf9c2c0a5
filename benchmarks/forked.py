"""The command line in forks of one process that has imported everything: many runs in minutes."""

import gc
import io
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path

import lightning  # noqa: F401 - before the forks
import sklearn.datasets  # noqa: F401
import torchmetrics  # noqa: F401
from lightning.fabric.utilities import registry
from torch.utils import tensorboard  # noqa: F401

import al_lightning.cli.app as command_line
import al_lightning.loop.loop  # noqa: F401

# Every trainer reads the metadata of all packages, which takes longer than a tiny fit.
vars(registry)["entry_points"] = cache(registry.entry_points)  # type: ignore[attr-defined]

#: Settings under which a run takes a second.
QUICK = (
    *("recipe.min_steps=12", "recipe.epochs=1", "model.filters=[[4],[4]]", "model.dense=[16]"),
    *("threads=1", "progress=false"),
)


def warm_up(arguments: list[str]) -> None:
    """Run the command line in this process, so that its forks have in memory what a run needs.

    No fork may use a GPU after this.
    """
    here, argv = Path.cwd(), sys.argv
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(io.StringIO()):
        os.chdir(folder)
        sys.argv = ["al_lightning", *arguments]
        command_line.main()
        os.chdir(here)
    sys.argv = argv
    gc.collect()
    gc.freeze()  # a collection in a fork would copy all pages


def start(
    folder: Path,
    arguments: list[str],
    log: str = "log.txt",
    before: Callable[[], None] = lambda: None,
) -> int:
    """Run the command line in a folder, in a fork; return its process id.

    Args:
        folder: To work in.
        arguments: Of the command line.
        log: The file in it that takes what is printed, behind what it has already.
        before: Called in the fork, before the command line.
    """

    def work() -> int:
        before()
        return run_command_line(arguments)

    return fork(folder, work, log)


def run_command_line(arguments: list[str]) -> int:
    """Run the command line in this process; return 0 where it does not exit otherwise."""
    sys.argv = ["al_lightning", *arguments]
    command_line.main()
    return 0


def fork(folder: Path, work: Callable[[], int], log: str = "log.txt") -> int:
    """Do some work in a folder, in a fork; return its process id.

    Args:
        folder: To work in.
        work: Returns the exit status.
        log: The file in it that takes what is printed, behind what it has already.
    """
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        os.chdir(folder)
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(output, 1)
        os.dup2(output, 2)
        code = work()
    except SystemExit as exit_:
        code = int(exit_.code or 0)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def wait(process: int) -> int:
    """Return the exit status of a process; negative where a signal ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
