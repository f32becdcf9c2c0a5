"""The connection to a Label Studio server, and its errors as one sentence."""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from al_lightning.utils.errors import UsageError

URL, KEY = "LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY"

_TIMEOUT = 60  # seconds, for one request
_SHORT = 300  # characters of what a server says of an error


def connect() -> tuple[Any, str]:
    """Return the SDK's client of the server that the environment names, and its address.

    Nothing is sent yet.

    Raises:
        UsageError: If ``LABEL_STUDIO_URL`` or ``LABEL_STUDIO_API_KEY`` is missing or malformed, or if
            the SDK is not installed.
    """
    url, key = _address(), _token()
    try:
        make_client = import_module("label_studio_sdk").LabelStudio
    except (ImportError, AttributeError) as error:  # old versions have no such class
        raise UsageError(
            f"oracle=label_studio cannot be used: {error}. Its package is an extra of this one: "
            'pip install "al-lightning[label_studio]"'
        ) from error
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it reports every request
    with reported(url, "open a connection"):
        client = make_client(base_url=f"{url}/", api_key=key, timeout=_TIMEOUT)
    return client, url


@contextmanager
def reported(url: str, doing: str) -> Iterator[None]:
    """Raise errors of the server, and of the way there, as a UsageError of one sentence."""
    try:
        yield
    except Exception as error:  # the SDK's own, and those of the libraries below it
        raise UsageError(_complaint(url, doing, error)) from error


def _complaint(url: str, doing: str, error: Exception) -> str:
    status = getattr(error, "status_code", None)
    if status in (401, 403):
        return (
            f"Label Studio at {url} refuses the token in {KEY} (status {status}): make one under "
            "Account & Settings, Access Token, of a user who may see the project"
        )
    if status is not None:
        words = _short_text(getattr(error, "body", None))
        return (
            f"Label Studio at {url} could not {doing} (status {status}): {words}. See its log, and "
            f"whether {URL} is the address of a Label Studio"
        )
    if any("Timeout" in kind.__name__ for kind in type(error).__mro__):
        return (
            f"Label Studio at {url} did not answer within {_TIMEOUT} s when asked to {doing}. Nothing "
            "is lost; run the same command again"
        )
    return (
        f"Label Studio at {url} cannot be reached to {doing}: {type(error).__name__}: {error}. Start "
        f"the server, or correct {URL}; then run the same command again"
    )


def _short_text(body: Any) -> str:
    """Return the words of an error's body, in short."""
    said = body.get("detail", body) if isinstance(body, Mapping) else body
    text = " ".join(str(said).split())
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}..."


def _address() -> str:
    url = _variable(URL, "the server's address, such as http://localhost:8080").rstrip("/")
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits or "@" in parts.netloc or parts.query or parts.fragment:
        # The value is not shown: it may hold a password.
        raise UsageError(
            f"{URL} must be an address such as http://localhost:8080, without a user or a query"
        )
    return url


def _token() -> str:
    key = _variable(KEY, "an access token, which Account & Settings shows")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise UsageError(f"{KEY} has characters that no access token has: copy it once more")
    return key


def _variable(name: str, what: str) -> str:
    value = os.environ.get(name, "").strip()
    if not value:
        raise UsageError(
            f"oracle=label_studio needs the environment variable {name}: {what}. It is never written "
            "down"
        )
    return value
