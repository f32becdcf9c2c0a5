"""Commands that run side by side, one a core, and stop when this process is told to."""

import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Generic, TypeVar

from al_lightning.utils.interrupts import Interrupted

_T = TypeVar("_T")
_NICE = 19  # whatever else runs on the machine goes first
_POLL = 0.2  # seconds


@dataclass(frozen=True)
class Job(Generic[_T]):
    """A command.

    Attributes:
        about: What it is for.
        command: With its arguments.
        log: Where its output is appended to; its folder is made.
    """

    about: _T
    command: Sequence[str]
    log: Path


@dataclass(frozen=True)
class Ended(Generic[_T]):
    """A command that has ended.

    Attributes:
        job: The command.
        status: Its exit status.
        seconds: From its start to its end.
    """

    job: Job[_T]
    status: int
    seconds: float


class _Process(Generic[_T]):
    """A command that runs.

    Args:
        job: The command.
    """

    def __init__(self, job: Job[_T]) -> None:
        self.job = job
        self._began = time.monotonic()
        job.log.parent.mkdir(parents=True, exist_ok=True)
        with job.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*job.command],
                env={**os.environ, "OMP_NUM_THREADS": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=_prepare,  # noqa: PLW1509 - this process has one thread
            )

    def ended(self) -> Ended[_T] | None:
        """Return how it has ended; None where it runs."""
        if (status := self.process.poll()) is None:
            return None
        return Ended(self.job, status, time.monotonic() - self._began)


@dataclass
class _Signals:
    """The signals that have come: the first asks to stop, and the second to stop at once."""

    numbers: list[int] = field(default_factory=list)

    def note(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self.numbers.append(number)


def run_side_by_side(jobs: Iterable[Job[_T]], count: int) -> Iterator[Ended[_T]]:
    """Run commands, so many at a time, each with one thread and behind whatever else the machine does.

    They stay in the process group of this process, so that one SIGSTOP to the group pauses all.

    Args:
        jobs: In the order in which they are begun.
        count: How many run at a time.

    Yields:
        Each job at its end.

    Raises:
        Interrupted: After Ctrl-C or SIGTERM, when all that was running has been told to stop, and has
            ended.
    """
    waiting = deque(jobs)
    running: list[_Process[_T]] = []
    with _noted_signals() as signals:
        try:
            while (waiting or running) and not signals.numbers:
                while waiting and len(running) < count:
                    running.append(_Process(waiting.popleft()))
                ends = [(each, end) for each in running if (end := each.ended()) is not None]
                for each, end in ends:
                    running.remove(each)
                    yield end
                if not ends:
                    time.sleep(_POLL)
        finally:
            _stop([each.process for each in running], signals)
    if signals.numbers:
        raise Interrupted(signals.numbers[0])


@contextmanager
def _noted_signals() -> Iterator[_Signals]:
    # Noted instead of raised: an exception could come between the start of a process and its record.
    signals = _Signals()
    before = {
        number: signal.signal(number, signals.note)
        for number in (signal.SIGINT, signal.SIGTERM)
        if signal.getsignal(number) is not signal.SIG_IGN  # such as by nohup
    }
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _prepare() -> None:
    """Prepare the new process: a terminal's Ctrl-C comes to it too, and it is told to stop by us."""
    os.nice(_NICE)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _stop(processes: Sequence["subprocess.Popen[bytes]"], signals: _Signals) -> None:
    """Let processes end in order; kill them once a second signal has come."""
    for process in processes:
        process.terminate()
    for process in processes:
        while process.poll() is None:
            if len(signals.numbers) > 1:
                process.kill()
            time.sleep(_POLL)
