"""The names and addresses at which a page can be reached."""

import socket
from contextlib import suppress
from ipaddress import ip_address

#: Addresses of documentation (RFC 5737, 3849): nothing is sent there, but a route to it is chosen.
_ELSEWHERE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))


def is_loopback(host: str) -> bool:
    """Return whether a host can be reached from this machine alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def is_wildcard(host: str) -> bool:
    """Return whether a host stands for all addresses of this machine."""
    with suppress(ValueError):
        return ip_address(host).is_unspecified
    return False


def reachable_hosts(host: str) -> list[str]:
    """Return what others write for a host, the most likely first; lower case, as browsers send it.

    >>> from al_lightning.oracles.page.hosts import reachable_hosts
    >>> reachable_hosts("Printer.local")
    ['printer.local']

    Args:
        host: Where the page is served. For all addresses, this machine's own and its name are returned.
    """
    if not is_wildcard(host):
        return [host.lower()]
    name = socket.gethostname().lower()
    families = {socket.AF_INET, socket.AF_INET6} if ":" in host else {socket.AF_INET}
    outwards = [_outward(family, to) for family, to in _ELSEWHERE if family in families]
    found = [address for address in outwards if address is not None]
    return [*found, name] if found else [name]


def _outward(family: socket.AddressFamily, to: str) -> str | None:
    """Return this machine's address on the way to another one; None if there is no way."""
    with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((to, 9))
        address: str = probe.getsockname()[0]
        return address
    return None
