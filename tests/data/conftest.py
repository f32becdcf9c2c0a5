"""What all tests of data sources share: no network, and real data where there is any."""

import os
import socket
from pathlib import Path
from typing import Any, NoReturn

import pytest


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test that tries to reach a network (``pytest.fail`` passes ``except Exception``)."""

    def refuse(*args: object, **kwargs: object) -> NoReturn:
        pytest.fail("a test tried to reach the network")

    connect = socket.socket.connect

    def within(self: socket.socket, address: Any) -> None:
        """Let processes of one machine hand tensors to each other."""
        (connect if self.family == getattr(socket, "AF_UNIX", None) else refuse)(self, address)

    monkeypatch.setattr(socket.socket, "connect", within)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def real_data() -> Path:
    """Return the folder of real data sets that AL_LIGHTNING_DATA names, else skip the test."""
    folder = os.environ.get("AL_LIGHTNING_DATA")
    if not folder:
        pytest.skip("needs real data: AL_LIGHTNING_DATA is not set")
    if not Path(folder).is_dir():
        pytest.skip(f"needs real data: AL_LIGHTNING_DATA={folder} is no folder")
    return Path(folder)
