"""From the parts of a page to its server, and its addresses."""

import warnings
from collections.abc import Callable

from al_lightning.oracles.page.app import PageApp
from al_lightning.oracles.page.hosts import is_loopback, is_wildcard, reachable_hosts
from al_lightning.oracles.page.security import Guard, new_token
from al_lightning.oracles.page.server import PageServer, listen


def serve(make_app: Callable[[str], PageApp], host: str, port: int) -> tuple[PageServer, list[str]]:
    """Serve a page from now on.

    Args:
        make_app: Makes the application, from a word that is another one in each process.
        host: Where to listen; whatever is no loopback address is warned of.
        port: 0 for a free one.

    Returns:
        The server; and the addresses of the page, with its secret token, the most likely first.

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
    hosts = reachable_hosts(host)
    guard = Guard(app, token, hosts, any_address=is_wildcard(host))
    names = [f"[{name}]" if ":" in name else name for name in hosts]
    return PageServer(guard, listener), [f"http://{name}:{port}/?token={token}" for name in names]
