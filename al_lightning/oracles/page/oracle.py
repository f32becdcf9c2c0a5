"""The oracle of a person who labels on a page in the browser."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from al_lightning.data.source import ImageData
from al_lightning.oracles.page.app import PageApp
from al_lightning.oracles.page.decisions import Decisions
from al_lightning.oracles.page.keys import class_keys
from al_lightning.oracles.page.page_log import PageLog
from al_lightning.oracles.page.server import PageServer, open_in_browser
from al_lightning.oracles.page.serving import serve
from al_lightning.oracles.page.session import Session
from al_lightning.oracles.page.status import status
from al_lightning.oracles.page.streams import Streams
from al_lightning.run.class_change import ClassChange
from al_lightning.run.live import LiveBoard
from al_lightning.run.pool import Pool
from al_lightning.run.questions import Answer, Oracle, Question
from al_lightning.utils.checks import require_kind, whole_number
from al_lightning.utils.errors import UsageError

_LOG = "page.jsonl"
_SHEET = "review.csv"
_LAST_PORT = 65_535


class PageOracle(Oracle):
    """Asks a person on a page that this process serves, at an address that only this machine reaches.

    A label is in ``page.jsonl``, synced to the disk, before the page says that it is saved; the journal
    has it when the batch ends, or when the next fit begins. See
    :mod:`al_lightning.oracles.page.session` for how labels and fits overlap.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from al_lightning.data import Digits
    >>> from al_lightning.oracles import PageOracle
    >>> with TemporaryDirectory() as folder:  # doctest: +ELLIPSIS
    ...     oracle = PageOracle(Digits().load(), Path(folder), open_browser=False)
    ...     address = oracle.start()
    ...     oracle.close()
    Label at http://127.0.0.1:...

    Args:
        data: The images, their files and the names of their classes.
        folder: Folder of the labels' file.
        host: Where the page is served; another machine can reach what is no loopback address.
        port: At which port; 0 for a free one.
        open_browser: Whether to open the page in the browser.
        retrain_every: After how many new labels the next fit begins, while the rest of the batch is
            labeled; None waits for the whole batch.
        keys: Keys of classes by their names; other classes get their name where it is a digit or a
            letter, else 1 to 9, then letters.

    Raises:
        UsageError: If an argument is not valid, or the labels' file is damaged.
    """

    answers_at_once = False
    live: LiveBoard

    def __init__(
        self,
        data: ImageData,
        folder: Path,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        open_browser: bool = True,
        retrain_every: int | None = None,
        keys: Mapping[str, str] | None = None,
    ) -> None:
        require_kind("oracle.host", host, str)
        if whole_number("oracle.port", port) > _LAST_PORT:  # getaddrinfo takes it modulo 65,536
            raise UsageError(f"oracle.port must be at most {_LAST_PORT}, not {port}")
        if retrain_every is not None:
            whole_number("oracle.retrain_every", retrain_every, least=1)
        require_kind("oracle.keys", keys, Mapping, type(None))
        self._data = data
        self._path = Path(folder) / _LOG
        self._host, self._port, self._opens = host, port, open_browser
        self._every = retrain_every
        self.answers_here = retrain_every is None  # else the next fit begins with a part
        self._keys = {str(name): key for name, key in (keys or {}).items()}
        class_keys(data.classes, self._keys)
        self._server: PageServer | None = None
        self._streams: Streams | None = None
        self._address = ""
        self.live = LiveBoard()
        self.live.watch(self._on_live)

    @classmethod
    def for_run(
        cls,
        data: ImageData,
        folder: Path,
        seed: int,  # noqa: ARG003
        host: str = "127.0.0.1",
        port: int = 0,
        open: bool = True,  # noqa: A002 - the name of the key
        retrain_every: int | None = None,
        keys: Mapping[str, str] | None = None,
    ) -> Self:
        """Make the oracle of a run from its data, the folder of its query sheets, and its seed."""
        return cls(
            data,
            folder,
            host=host,
            port=port,
            open_browser=open,
            retrain_every=retrain_every,
            keys=keys,
        )

    def present(self, question: Question) -> None:
        """Show the question; its answer may begin at once."""
        self.start()
        self._session.show(question)

    def answer(self, question: Question) -> Answer | None:
        """Show the question, and wait for the answer; None where a person stops the run."""
        self.start()
        self.live.publish(phase="wait")
        return self._session.wait(question)

    def corrections(self, pool: Pool) -> Answer | None:
        """Return what was changed on the page since it was recorded."""
        return self._session.sync_with(pool)

    def on_classes(self, change: ClassChange) -> None:
        """Show the new classes."""
        self._session.change_classes(change)

    def instructions(self, question: Question) -> str:
        """Return how to go on."""
        return (
            f"Stopped on the page. {len(question.left_ids)} images are asked for, and labels given so "
            "far are kept. Run the same command again to go on."
        )

    def start(self) -> str:
        """Serve the page, if it is not served yet; return its address, with the secret token.

        Raises:
            UsageError: If it cannot be served.
        """
        if self._server is None:
            self._streams = streams = Streams()

            def app(word: str) -> PageApp:
                folder = self._path.parents[1]
                about = {"title": "Labels", "run": word, "folder": str(folder)}
                sheet = folder / _SHEET
                return PageApp(self._session, self._data, about, self._status, streams, sheet)

            self._server, addresses = serve(app, self._host, self._port)
            self._address = addresses[0]
            print("Label at", "\n      or ".join(addresses), flush=True)  # noqa: T201
            if self._opens:
                open_in_browser(self._address)
        return self._address

    def close(self) -> None:
        """End the server, and the streams of all browsers at once."""
        if self._server is not None and self._streams is not None:
            if self.live.facts().get("phase") != "end":
                self.live.publish(phase="stop")
            self._streams.close()
            self._server.close()
            self._server = None

    @cached_property
    def _session(self) -> Session:
        """What happens on the page; the file of its labels is read when a run begins."""
        facts = self.live.facts()
        decisions = Decisions(
            PageLog(self._path),
            self._data.classes,
            facts.get("aliases"),
            facts.get("recorded", ()),
            is_strict=not facts.get("project", True),
        )
        return Session(decisions, self._every, self._wake)

    def _status(self) -> dict[str, Any]:
        numbers = self._session.numbers()
        keys = class_keys(numbers["classes"], self._keys)
        return {**status(self.live.facts(), numbers), "keys": keys}

    def _on_live(self) -> None:
        if self.live.facts().get("phase") == "start":
            self.start()
        self._wake()

    def _wake(self) -> None:
        if self._streams is not None:
            self._streams.wake()
