"""The web application of the page: what can be asked of it, and what it answers."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from al_lightning.data.source import ImageData
from al_lightning.oracles.page.decisions import Refused
from al_lightning.oracles.page.images import page_image
from al_lightning.oracles.page.review import reviewed
from al_lightning.oracles.page.session import Session
from al_lightning.oracles.page.streams import Streams
from al_lightning.utils.errors import UsageError
from al_lightning.utils.pages import environment

_STATIC = {
    path.name: (path.read_bytes(), kind)
    for ending, kind in (
        (".css", "text/css"),
        (".js", "text/javascript"),
        (".svg", "image/svg+xml"),
    )
    for path in sorted((Path(__file__).parent / "static").glob(f"*{ending}"))
}
_MAX_IMAGES = 500  # that one request lends or labels
_MAX_LENGTH = 80  # characters of the name of a person or a class
_MAX_DIGITS = 18  # of an id
_MIN_PAUSE = 0.2  # seconds between two events of a stream
_KEEP_ALIVE = 10.0  # seconds until a stream without events says that it is still there


class PageApp:
    """Answers the requests of the page.

    Args:
        session: What happens on the page.
        data: The images that it shows.
        about: Plain values that stay as they are: title, run.
        status: Returns the state of the run as plain values.
        streams: Those who listen to changes of the state.
        sheet: What ``python -m al_lightning.review`` has written, if anything.
    """

    def __init__(
        self,
        session: Session,
        data: ImageData,
        about: dict[str, Any],
        status: Callable[[], dict[str, Any]],
        streams: Streams,
        sheet: Path,
    ) -> None:
        self._session = session
        self._data = data
        self._about = about
        self._status = status
        self._streams = streams
        self._sheet = sheet
        self._page = environment("al_lightning.oracles.page").get_template("page.html.j2")

    def starlette(self) -> Starlette:
        """Return the application."""
        read, write = ["GET"], ["POST"]
        return Starlette(
            routes=[
                Route("/", self._show, methods=read),
                Route("/static/{name}", self._file, methods=read),
                Route("/image/{id}/{size}", self._image, methods=read),
                Route("/status", self._state, methods=read),
                Route("/events", self._events, methods=read),
                Route("/history", self._history, methods=read),
                Route("/suspects", self._suspects, methods=read),
                Route("/take", self._take, methods=write),
                Route("/submit", self._submit, methods=write),
                Route("/confirm", self._confirm, methods=write),
                Route("/active", self._active, methods=write),
                Route("/class", self._class, methods=write),
                Route("/stop", self._stop, methods=write),
            ],
            exception_handlers={
                _BadRequest: _bad_request,
                Refused: _refused,
                OSError: _not_saved,
                UsageError: _not_possible,
            },
        )

    async def _show(self, request: Request) -> Response:  # noqa: ARG002
        about = {**self._about, **await run_in_threadpool(self._status)}
        return HTMLResponse(self._page.render(about=about, title=self._about["title"]))

    def _suspicious(self) -> list[dict[str, Any]]:
        classes = self._session.numbers()["classes"]
        return self._session.suspects(reviewed(self._sheet, classes))

    async def _file(self, request: Request) -> Response:
        found = _STATIC.get(request.path_params["name"])
        if found is None:
            return Response(status_code=404)
        return Response(found[0], media_type=found[1])

    async def _image(self, request: Request) -> Response:
        digits, size = request.path_params["id"], request.path_params["size"]
        if not (digits.isascii() and digits.isdigit() and len(digits) <= _MAX_DIGITS):
            return Response(status_code=404)
        image = int(digits)
        found = await run_in_threadpool(page_image, self._data, image, size)
        if found is None:
            return Response(status_code=404)
        content, kind, original = found
        # The address has a word of this process in it, so a browser may keep what it has.
        headers = (
            {"cache-control": "private, max-age=86400"} if original else {"x-original": "gone"}
        )
        return Response(content, media_type=f"image/{kind}", headers=headers)

    async def _state(self, request: Request) -> Response:  # noqa: ARG002
        return JSONResponse(await run_in_threadpool(self._status))

    async def _history(self, request: Request) -> Response:
        count = request.query_params.get("count", "")
        if not (count.isascii() and count.isdigit() and len(count) <= _MAX_DIGITS):
            raise _BadRequest("count must be a whole number")
        return JSONResponse(await run_in_threadpool(self._session.history, int(count)))

    async def _suspects(self, request: Request) -> Response:  # noqa: ARG002
        return JSONResponse(await run_in_threadpool(self._suspicious))

    async def _take(self, request: Request) -> Response:
        body = await _body(request)
        tab, by = _text(body, "tab"), _name(body)
        count = min(_whole(body, "count"), _MAX_IMAGES)
        predicted = None if body.get("predicted") is None else _whole(body, "predicted")
        take = partial(self._session.take, tab, by, count, predicted)
        images = await run_in_threadpool(take)
        holders = await run_in_threadpool(self._session.holders, tab)
        return JSONResponse({"images": images, "holders": holders})

    async def _submit(self, request: Request) -> Response:
        body = await _body(request)
        given = body.get("labels")
        if not isinstance(given, list) or not 0 < len(given) <= _MAX_IMAGES:
            raise _BadRequest("labels must be a list of labels")
        values = [(_whole(one, "id"), _value(one, "before"), _value(one, "after")) for one in given]
        submit = partial(self._session.submit, _text(body, "tab"), _name(body), values)
        refused = await run_in_threadpool(submit)
        return JSONResponse({"saved": len(values) - len(refused), "refused": refused})

    async def _confirm(self, request: Request) -> Response:
        body = await _body(request)
        image, by, label = _whole(body, "id"), _name(body), _value(body, "label") or ""
        await run_in_threadpool(self._session.confirm, image, by, label)
        return JSONResponse({"saved": 1})

    async def _active(self, request: Request) -> Response:
        body = await _body(request)
        await run_in_threadpool(self._session.touch, _text(body, "tab"))
        return JSONResponse({})

    async def _class(self, request: Request) -> Response:
        body = await _body(request)
        if not self._status()["addable"]:
            raise Refused("Only a project takes new classes: start the run with project=NAME")
        name = await run_in_threadpool(self._session.add_class, _text(body, "name"), _name(body))
        return JSONResponse({"name": name, "keys": self._status()["keys"]})

    async def _stop(self, request: Request) -> Response:
        await _body(request)
        await run_in_threadpool(self._session.stop)
        return JSONResponse({"stopping": True})

    async def _events(self, request: Request) -> Response:
        tab = request.query_params.get("tab", "")[:_MAX_LENGTH]
        return StreamingResponse(
            self._event_stream(tab),
            media_type="text/event-stream",
            headers={"x-accel-buffering": "no"},
        )

    async def _event_stream(self, tab: str) -> AsyncIterator[str]:
        """Yield the state after each change, at most some times a second, until the server ends."""
        await run_in_threadpool(self._session.connect, tab)
        try:
            async with self._streams.listen() as changed:
                while True:
                    last = self._streams.closed  # before the state is taken, so that it is the last
                    state = json.dumps(await run_in_threadpool(self._status))
                    yield f"data: {state}\n\n"
                    if last:
                        return
                    await asyncio.sleep(_MIN_PAUSE)
                    try:
                        await asyncio.wait_for(changed.wait(), _KEEP_ALIVE)
                    except TimeoutError:
                        yield ": still here\n\n"
                    changed.clear()
        finally:
            self._session.disconnect(tab)


class _BadRequest(Exception):  # noqa: N818
    """A request is not what the page sends."""


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise _BadRequest("the body must be JSON") from error
    if not isinstance(body, dict):
        raise _BadRequest("the body must be an object")
    return body


def _text(body: dict[str, Any], key: str) -> str:
    value = body.get(key)
    if not isinstance(value, str) or len(value) > _MAX_LENGTH:
        raise _BadRequest(f"{key} must be a short text")
    return _written(value)


def _name(body: dict[str, Any]) -> str:
    return "".join(c for c in _text(body, "by") if c.isprintable()).strip()


def _whole(body: Any, key: str) -> int:
    value = body.get(key) if isinstance(body, dict) else None
    if type(value) is not int or value < 0:
        raise _BadRequest(f"{key} must be a whole number")
    return value


def _value(body: dict[str, Any], key: str) -> str | None:
    value = body.get(key)
    if value is not None and not isinstance(value, str):
        raise _BadRequest(f"{key} must be a class, an empty text or null")
    return None if value is None else _written(value)


def _written(text: str) -> str:
    """Return a text that can be written: JSON may hold halves of characters, which nothing else can."""
    return text.encode(errors="replace").decode()


async def _bad_request(request: Request, error: Exception) -> Response:  # noqa: ARG001
    return JSONResponse({"problem": str(error)}, 400)


async def _refused(request: Request, error: Exception) -> Response:  # noqa: ARG001
    return JSONResponse({"problem": str(error)}, 409)


async def _not_possible(request: Request, error: Exception) -> Response:  # noqa: ARG001
    return JSONResponse({"problem": str(error)}, 500)


async def _not_saved(request: Request, error: Exception) -> Response:  # noqa: ARG001
    return JSONResponse({"problem": f"Not saved: {error}"}, 507)
