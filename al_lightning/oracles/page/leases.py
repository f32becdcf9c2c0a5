"""Who has which image: no image is shown to two people."""

from collections.abc import Callable, Iterable

_GONE = 20.0  # seconds after which the images of a tab that is closed go to others
IDLE = 300.0  #: seconds after which those of an open tab do, if its person does nothing


class Leases:
    """Lends images to browser tabs. A tab keeps them while it is open and its person does something.

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
        self._active: dict[str, float] = {}  # when a person last did something there
        self._seen: dict[str, float] = {}  # when a tab last showed that it is there
        self._connected: dict[str, int] = {}

    def take(self, tab: str, wanted: Iterable[int], count: int) -> list[int]:
        """Lend a tab up to so many images in the place of those that it has; none to an idle one.

        A page asks by itself whenever something has changed, so asking is no sign of a person.

        Args:
            tab: Whose.
            wanted: Ids, the most wanted first; those that the tab has already come before others.
            count: How many.
        """
        now = self._clock()
        self._active.setdefault(tab, now)
        self._seen[tab] = now
        others, wanted = self._with_others(tab), list(wanted)
        mine = set(self._held.get(tab, []))
        free = [i for i in wanted if i in mine] + [i for i in wanted if i not in mine]
        self._held[tab] = [i for i in free if i not in others][: 0 if self._is_idle(tab) else count]
        return list(self._held[tab])

    def holder(self, image: int) -> str | None:
        """Return the tab that has an image; None if it is free."""
        self._expire()
        return next((tab for tab, held in self._held.items() if image in held), None)

    def holders(self, images: Iterable[int]) -> list[str]:
        """Return the tabs that have some of these images."""
        self._expire()
        wanted = set(images)
        return [tab for tab, held in self._held.items() if not wanted.isdisjoint(held)]

    def touch(self, tab: str) -> None:
        """Note that a person does something."""
        self._active[tab] = self._seen[tab] = self._clock()

    def connect(self, tab: str) -> None:
        """Note that a tab listens from now on."""
        self._connected[tab] = self._connected.get(tab, 0) + 1
        self._seen[tab] = self._clock()

    def disconnect(self, tab: str) -> None:
        """Note that a tab has stopped to listen."""
        self._connected[tab] -= 1
        self._seen[tab] = self._clock()

    def _with_others(self, tab: str) -> set[int]:
        self._expire()
        return {i for other, held in self._held.items() if other != tab for i in held}

    def _is_idle(self, tab: str) -> bool:
        return self._active[tab] < self._clock() - IDLE

    def _is_gone(self, tab: str) -> bool:
        return not self._connected.get(tab) and self._seen[tab] < self._clock() - _GONE

    def _expire(self) -> None:
        for tab in [tab for tab in self._held if self._is_idle(tab) or self._is_gone(tab)]:
            del self._held[tab]
