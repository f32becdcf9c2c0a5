"""Ctrl-C, SIGTERM and the signals that queue systems send before they end a job."""

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from types import FrameType

from al_lightning.utils.torchrun import rank

# SLURM sends what `--signal=` names, by custom USR1 or USR2, and SIGTERM before it requeues a job.
_NAMES = ("SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2")
_FREE = (signal.SIG_DFL, signal.default_int_handler)
_SOON = 0.01  # seconds
_DIED_OF = 128  # the shell's exit status is this and the signal's number


class Interrupted(KeyboardInterrupt):
    """A run was interrupted by a signal.

    Attributes:
        signal: By which signal.
    """

    def __init__(self, number: int) -> None:
        self.signal = signal.Signals(number)
        super().__init__(self.signal.name)

    @property
    def exit_status(self) -> int:
        """What a process that ends of this leaves with."""
        return _DIED_OF + self.signal


class _Stop(BaseException):
    """What is thrown where the program stands; Lightning turns a KeyboardInterrupt into an exit."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(number)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let a first signal stop the block where that is safe, and a second one stop the process at once.

    Every place between two instructions of Python is safe, since a run survives SIGKILL anywhere.
    Signals that other code handles already, such as a launcher that requeues its jobs, are left to
    them; so are all of them outside of the main thread.

    Raises:
        Interrupted: Where the block was stopped.
    """
    handled = [] if threading.current_thread() is not threading.main_thread() else _unhandled()
    for number in handled:
        signal.signal(number, _throw)
    try:
        # Blocks within leave the signals, and what Python swallows of them, to the outermost one.
        with _insisting(handled) if handled else nullcontext():
            yield
    except _Stop as stop:
        raise Interrupted(stop.number) from None
    finally:
        for number in handled:
            signal.signal(
                number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            )


@contextmanager
def _insisting(handled: Sequence[signal.Signals]) -> Iterator[None]:
    """Throw once more what Python has swallowed, in a ``__del__`` or a callback of its collector."""
    plain, again = sys.unraisablehook, list[threading.Timer]()

    def hook(unraisable: "sys.UnraisableHookArgs") -> None:
        if not isinstance(unraisable.exc_value, _Stop):
            plain(unraisable)
            return
        for number in handled:
            signal.signal(number, _throw)
        # Not here: what is thrown in a hook is swallowed too.
        again.append(threading.Timer(_SOON, os.kill, (os.getpid(), unraisable.exc_value.number)))
        again[-1].start()

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = plain
        for timer in again:
            timer.join()


def _unhandled() -> list[signal.Signals]:
    """Return the signals without a handler; one that is ignored, as by nohup, is not among them."""
    present = [signal.Signals[name] for name in _NAMES if hasattr(signal, name)]
    return [number for number in present if signal.getsignal(number) in _FREE]


def _throw(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    for each in (signal.Signals[name] for name in _NAMES if hasattr(signal, name)):
        if signal.getsignal(each) is _throw:
            signal.signal(each, _leave)
    # Not print: the signal may have come while something was being printed.
    if rank() == 0:
        os.write(
            2,
            f"\n{signal.Signals(number).name}: stopping; a second signal stops at once\n".encode(),
        )
    raise _Stop(number)


def _leave(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    os._exit(_DIED_OF + number)
