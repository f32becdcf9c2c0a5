"""From the parts of a page to its server, and its address."""

import warnings
from collections.abc import Callable
from typing import Any

from al_lightning.oracles.page.app import PageApp
from al_lightning.oracles.page.images import PageImages
from al_lightning.oracles.page.security import Guard, new_token
from al_lightning.oracles.page.server import PageServer, is_loopback, listen
from al_lightning.oracles.page.session import Session
from al_lightning.oracles.page.streams import Streams


def serve(
    session: Session,
    images: PageImages,
    about: dict[str, Any],
    status: Callable[[], dict[str, Any]],
    streams: Streams,
    host: str,
    port: int,
) -> tuple[PageServer, str]:
    """Serve a page from now on.

    Args:
        session: What happens on it.
        images: What it shows.
        about: See :class:`~al_lightning.oracles.page.app.PageApp`.
        status: Likewise.
        streams: Likewise.
        host: Where to listen; whatever is no loopback address is warned of.
        port: 0 for a free one.

    Returns:
        The server; and the address of the page, with its secret token.

    Raises:
        UsageError: If it cannot listen there.
    """
    if not is_loopback(host):
        warnings.warn(
            f"oracle.host={host} serves the page to other machines, without encryption: whoever reads "
            "the traffic can label and see the images. An SSH tunnel to 127.0.0.1 is safe",
            stacklevel=2,
        )
    listener = listen(host, port)
    port = listener.getsockname()[1]
    token = new_token()
    about = {**about, "run": token[:6]}
    app = PageApp(session, images, about, status, streams).starlette()
    server = PageServer(Guard(app, token, () if is_loopback(host) else (host,)), listener)
    name = f"[{host}]" if ":" in host else host
    return server, f"http://{name}:{port}/?token={token}"
