"""The server of the page, in a thread of its own: the loop keeps the main thread."""

import os
import socket
import sys
import threading
import webbrowser

import uvicorn
from starlette.types import ASGIApp

from al_lightning.utils.errors import UsageError

_PATIENCE = 3.0  # seconds to end in
_INTERVAL = 0.0005  # seconds
_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")
#: The terminal belongs to the run: a request that is cut off at its end is no news.
_SILENT = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"null": {"class": "logging.NullHandler"}},
    "loggers": {"uvicorn": {"handlers": ["null"], "propagate": False}},
}


class PageServer:
    """Serves an application until it is closed.

    Args:
        app: The application.
        listener: Where it listens, see :func:`listen`.
    """

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        config = uvicorn.Config(
            app,
            log_config=_SILENT,
            log_level="error",
            access_log=False,
            lifespan="off",
            server_header=False,
            proxy_headers=False,
            ws="none",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._listener = listener
        # While the loop computes, a request would wait 5 ms for every turn of Python's lock.
        self._interval = sys.getswitchinterval()
        sys.setswitchinterval(_INTERVAL)
        # A daemon: whatever keeps a request busy, the process ends.
        self._thread = threading.Thread(target=self._serve, name="page", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End; streams must have been told before."""
        self._server.should_exit = True
        self._thread.join(_PATIENCE)
        self._listener.close()
        sys.setswitchinterval(self._interval)

    def _serve(self) -> None:
        self._server.run(sockets=[self._listener])


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    Args:
        host: A name or an address of this machine.
        port: 0 for a free one.

    Raises:
        UsageError: If the port is taken, or the host is none of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen()
        except OSError:
            listener.close()
            raise
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"The page cannot be served at oracle.host={host}, oracle.port={port}: {error}. "
            "oracle.port=0 takes a free port"
        ) from error
    return listener


def open_in_browser(address: str) -> None:
    """Open an address in the browser where there is a screen; a browser in the terminal is none."""
    if sys.platform in ("win32", "darwin") or any(os.environ.get(name) for name in _DISPLAYS):
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
