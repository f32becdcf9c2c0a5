from collections.abc import Iterator

import pytest
import torch

from tests.command_line import Here


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Here]:
    """The command line in this process."""
    threads = torch.get_num_threads()
    yield Here(monkeypatch, capfd)
    torch.set_num_threads(threads)
