"""From the parts of a page to its server, and its address."""

import warnings
from collections.abc import Callable

from al_lightning.oracles.page.app import PageApp
from al_lightning.oracles.page.security import Guard, new_token
from al_lightning.oracles.page.server import PageServer, is_loopback, listen


def serve(make_app: Callable[[str], PageApp], host: str, port: int) -> tuple[PageServer, str]:
    """Serve a page from now on.

    Args:
        make_app: Makes the application, from a word that is another one in each process.
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
    token = new_token()
    app = make_app(new_token()).starlette()  # before there is anything to close
    listener = listen(host, port)
    port = listener.getsockname()[1]
    server = PageServer(Guard(app, token, () if is_loopback(host) else (host,)), listener)
    name = f"[{host}]" if ":" in host else host
    return server, f"http://{name}:{port}/?token={token}"
