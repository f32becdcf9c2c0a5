"""Ctrl-C and SIGTERM while Lightning is at work."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import lightning as L


@contextmanager
def interrupts_raise(trainer: L.Trainer) -> Iterator[None]:
    """Turn an interrupted trainer into a KeyboardInterrupt.

    Lightning answers an interrupt with ``sys.exit(1)`` and leaves further ones ignored. A loop around
    the trainer must be able to tell that from a failure, and its user must be able to press Ctrl-C
    again. A SIGTERM that comes at the end of a pass, Lightning notes and then forgets.
    """
    main = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGINT) if main else None
    try:
        yield
        if trainer.received_sigterm:
            raise KeyboardInterrupt
    except SystemExit as exit_:
        if trainer.interrupted:
            raise KeyboardInterrupt from exit_
        raise
    finally:
        if handler is not None:
            signal.signal(signal.SIGINT, handler)
