"""Who may use the page: requests with the secret token, to a local name, and from the page itself."""

import hashlib
import secrets
from collections.abc import Collection
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_LARGEST = 2**20  # bytes of a request
_READS = ("GET", "HEAD")
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class Guard:
    """Refuses requests that are not the page's own.

    - The name in ``Host`` must be one of the page's own, at any port, so that an SSH tunnel works, and
      another site's name that leads here (DNS rebinding) does not. Where the page is served to other
      machines, the address at which a request has arrived is one, too.
    - The token must be in the address once; then a cookie, which no script reads and no other site
      sends, has it.
    - A request that writes must come from the page: ``Origin`` must be the address of the page.

    Args:
        app: What is guarded.
        token: The secret.
        hosts: Names that ``Host`` may have, besides those of the loopback.
        any_address: Whether it may be whatever address of this machine a request has arrived at.
    """

    def __init__(
        self, app: ASGIApp, token: str, hosts: Collection[str] = (), *, any_address: bool = False
    ) -> None:
        self._app = app
        self._token = token
        self._hosts = list(dict.fromkeys((*LOOPBACK, *(name.lower() for name in hosts))))
        self._any_address = any_address
        # Cookies do not know ports: two runs on one machine need two names.
        self._cookie = f"page_{hashlib.sha256(token.encode()).hexdigest()[:8]}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        fresh = self._token_in_address(scope)
        arrived_at = scope["server"][0] if self._any_address and scope.get("server") else None
        problem = self._problem(scope["method"], headers, fresh, arrived_at)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                added = MutableHeaders(scope=message)
                added.update(_HEADERS)
                added.setdefault("cache-control", "no-store")
                if fresh and problem is None:
                    cookie = f"{self._cookie}={self._token}; HttpOnly; SameSite=Strict; Path=/"
                    added.append("set-cookie", cookie)
            await send(message)

        if problem is not None:
            status, text = problem
            await PlainTextResponse(text, status)(scope, receive, send_guarded)
            return
        await self._app(scope, receive, send_guarded)

    def _problem(
        self, method: str, headers: Headers, fresh: bool, arrived_at: str | None
    ) -> tuple[int, str] | None:
        """Return the status and the reason why a request is refused; None if it is not."""
        host = headers.get("host", "")
        name = _name(host)
        if name is None or name not in (*self._hosts, arrived_at):
            return 403, f"This page is served as {', '.join(self._hosts)} only"
        if not fresh and not self._has_cookie(headers):
            return (
                403,
                "The address lacks the secret token: use the address that the run has printed",
            )
        return None if method in _READS else self._write_problem(method, host, headers)

    def _write_problem(self, method: str, host: str, headers: Headers) -> tuple[int, str] | None:
        if method != "POST":
            return 405, "Only GET and POST"
        if headers.get("origin", "") not in (f"http://{host}", f"https://{host}"):
            return 403, "Another site has sent this request"
        length = headers.get("content-length", "")
        if not length.isdecimal() or int(length) > _LARGEST:
            return 413, "The request is too large"
        if headers.get("content-type", "").split(";")[0].strip() != "application/json":
            return 415, "A request must be JSON"
        return None

    def _token_in_address(self, scope: Scope) -> bool:
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        return scope["method"] in _READS and _equal(given, self._token)

    def _has_cookie(self, headers: Headers) -> bool:
        cookies = cookie_parser(headers.get("cookie", ""))
        return _equal(cookies.get(self._cookie, ""), self._token)


def new_token() -> str:
    """Return a secret that nobody can guess."""
    return secrets.token_urlsafe(24)


def _name(host: str) -> str | None:
    """Return the name in a Host header, without its port; None if it has none."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _equal(given: str, wanted: str) -> bool:
    return secrets.compare_digest(given.encode("utf-8", "replace"), wanted.encode())
