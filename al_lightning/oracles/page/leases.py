"""Who has which image: no image is shown to two people."""

from collections.abc import Callable, Iterable

_SECONDS = 20.0  # without a sign of life, the images of a browser go to others


class Leases:
    """Lends images to browser tabs. A tab keeps them while it is connected, and a short time longer.

    >>> from al_lightning.oracles.page.leases import Leases
    >>> leases = Leases(clock=lambda: 0.0)
    >>> leases.take("tab 1", [5, 8, 9], 2), leases.take("tab 2", [5, 8, 9], 2)
    ([5, 8], [9])

    Args:
        clock: The time in seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._held: dict[str, list[int]] = {}
        self._seen: dict[str, float] = {}
        self._connected: dict[str, int] = {}

    def take(self, tab: str, wanted: Iterable[int], count: int) -> list[int]:
        """Lend a tab up to so many images in the place of those that it has.

        Args:
            tab: Whose.
            wanted: Ids, the most wanted first; those that the tab has already come before others.
            count: How many.
        """
        self.touch(tab)
        others, wanted = self._with_others(tab), list(wanted)
        mine = set(self._held.get(tab, []))
        free = [i for i in wanted if i in mine] + [i for i in wanted if i not in mine]
        self._held[tab] = [i for i in free if i not in others][:count]
        return list(self._held[tab])

    def holder(self, image: int) -> str | None:
        """Return the tab that has an image; None if it is free."""
        self._expire()
        return next((tab for tab, held in self._held.items() if image in held), None)

    def touch(self, tab: str) -> None:
        """Note a sign of life."""
        self._seen[tab] = self._clock()

    def connect(self, tab: str) -> None:
        """Note that a tab listens from now on."""
        self._connected[tab] = self._connected.get(tab, 0) + 1
        self.touch(tab)

    def disconnect(self, tab: str) -> None:
        """Note that a tab has stopped to listen."""
        self._connected[tab] -= 1
        self.touch(tab)

    def release(self, tab: str) -> None:
        """Take back all images of a tab."""
        self._held.pop(tab, None)

    def _with_others(self, tab: str) -> set[int]:
        self._expire()
        return {i for other, held in self._held.items() if other != tab for i in held}

    def _expire(self) -> None:
        limit = self._clock() - _SECONDS
        for tab in [t for t in self._held if not self._connected.get(t) and self._seen[t] < limit]:
            self.release(tab)
