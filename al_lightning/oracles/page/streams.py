"""Those who listen to changes: event streams of the server's loop, woken from any thread."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Streams:
    """Wakes event streams; once closed, all of them end at once.

    Attributes:
        closed: Whether streams are to end.
    """

    def __init__(self) -> None:
        self.closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listeners: set[asyncio.Event] = set()

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[asyncio.Event]:
        """Yield an event that is set at every change; called in the server's loop."""
        self._loop = asyncio.get_running_loop()
        event = asyncio.Event()
        self._listeners.add(event)
        try:
            yield event
        finally:
            self._listeners.discard(event)

    def wake(self) -> None:
        """Wake all streams; called from any thread, and returns at once."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._set)

    def close(self) -> None:
        """Let all streams end; called from any thread."""
        self.closed = True
        self.wake()

    def _set(self) -> None:
        for event in self._listeners:
            event.set()
