"""Calls in processes of their own, without the seconds that importing torch takes.

They are forks of a process that was itself forked before the first test: it has imported all, and
nothing of what tests change is in it, nor a thread or a device of torch, which no fork survives.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

_HEAVY = ("lightning", "sklearn.datasets", "torch.utils.tensorboard", "al_lightning.loop.loop")
_HANDLED = (signal.SIGINT, signal.SIGTERM)
_START, _WAIT = b"+", b"="
_server: socket.socket | None = None


def start_server() -> None:
    """Fork the process that calls are forks of."""
    global _server
    if _server is not None or not hasattr(os, "fork"):
        return
    _server, theirs = socket.socketpair()
    with warnings.catch_warnings():
        # From Python 3.12 on, of forks beside threads: that of xdist waits for messages.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        _server.close()
        try:
            _serve(theirs)
        finally:
            os._exit(0)
    theirs.close()


class Fork:
    """A process that calls a function, and ends without what Python does last (``atexit``).

    Args:
        call: Such as ``al_lightning.cli.app:main``.
        *arguments: Its own, as JSON has them.
        folder: Where it works.
        argv: What ``sys.argv`` is there.
        environment: All variables; those of this process by default.
        output: A descriptor that takes its standard output; None to keep it for :meth:`wait`.

    Attributes:
        pid: Its number; it leads a session of its own.
    """

    def __init__(
        self,
        call: str,
        *arguments: Any,
        folder: Path,
        argv: Sequence[str] = (),
        environment: dict[str, str] | None = None,
        output: int | None = None,
    ) -> None:
        assert _server is not None
        self._said = [tempfile.TemporaryFile("r+", encoding="utf-8") for _ in "oe"]  # noqa: SIM115
        files = [file.fileno() for file in self._said]
        request = {
            "call": call,
            "arguments": arguments,
            "folder": str(folder),
            "argv": ["al_lightning", *argv],
            "environment": dict(os.environ if environment is None else environment),
        }
        message = json.dumps(request).encode()
        socket.send_fds(_server, [_START], [files[0] if output is None else output, files[1]])
        _server.sendall(len(message).to_bytes(8) + message)
        self.pid = _received_number(_server)
        self._call = [call, *argv]

    def wait(self) -> "subprocess.CompletedProcess[str]":
        """Wait for its end; return its status, and what it has printed."""
        assert _server is not None
        _server.sendall(_WAIT + self.pid.to_bytes(8))
        status = _received_number(_server)
        for file in self._said:
            file.seek(0)
        out, err = (file.read() for file in self._said)
        return subprocess.CompletedProcess(self._call, status, out, err)


def _received(connection: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        part = connection.recv(count - len(found))
        if not part:
            raise EOFError
        found += part
    return found


def _received_number(connection: socket.socket) -> int:
    return int.from_bytes(_received(connection, 8), signed=True)


def _serve(connection: socket.socket) -> None:
    """Fork, and wait for forks, as told, until the process of the tests has ended."""
    with suppress(EOFError):
        while True:
            what, files, _, _ = socket.recv_fds(connection, 1, 2)
            if what == _START:
                answer = _start(connection, files)
            else:
                _, status = os.waitpid(_received_number(connection), 0)
                answer = os.waitstatus_to_exitcode(status)
            connection.sendall(answer.to_bytes(8, signed=True))


def _start(connection: socket.socket, files: Sequence[int]) -> int:
    request = json.loads(_received(connection, _received_number(connection)))
    for module in _HEAVY:
        import_module(module)
    signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)  # until the fork handles them as programs do
    child = os.fork()
    if child == 0:
        connection.close()
        _call(request, files)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _HANDLED)
    for file in files:
        os.close(file)
    return child


def _call(request: dict[str, Any], files: Sequence[int]) -> NoReturn:
    """Become a program that makes one call, and end as Python would."""
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        for stream, file in zip((1, 2), files, strict=True):
            os.dup2(file, stream)
        sys.stdout, sys.stderr = (os.fdopen(file, "w", encoding="utf-8") for file in (1, 2))
        os.environ.clear()
        os.environ.update(request["environment"])
        os.chdir(request["folder"])
        sys.argv = request["argv"]
        module, name = request["call"].split(":")
        function = getattr(import_module(module), name)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HANDLED)
        function(*request["arguments"])
        code = 0
    except SystemExit as exit_:
        code = int(exit_.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        for stream_ in (sys.stdout, sys.stderr):
            stream_.flush()
        os._exit(code)
