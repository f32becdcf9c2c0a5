import signal
from collections.abc import Iterator

import pytest
import torch

from tests.command_line import Here

# A shell starts what it runs in the background with Ctrl-C ignored, and we leave ignored signals alone.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Here]:
    """The command line in this process."""
    threads = torch.get_num_threads()
    yield Here(monkeypatch, capfd)
    torch.set_num_threads(threads)
