import os
import signal
from collections.abc import Iterator

import pytest
import torch
from hypothesis import settings

from tests.command_line import Here

pytest_plugins = ["pytester", "tests.extras"]

# The same examples every time, however long a busy machine takes over them.
settings.register_profile("repeatable", deadline=None, derandomize=True, database=None)
settings.load_profile("repeatable")

# What a shell or a job of a cluster has set must not decide a test.
_FOREIGN = ("HYDRA_FULL_ERROR", "COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR", "PYTHONWARNINGS")
for _name in list(os.environ):
    if _name in _FOREIGN or _name.startswith(("SLURM_", "PL_", "TORCHELASTIC_", "LABEL_STUDIO_")):
        del os.environ[_name]

# A shell starts what it runs in the background with Ctrl-C ignored, and we leave ignored signals alone.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Here]:
    """The command line in this process."""
    threads = torch.get_num_threads()
    yield Here(monkeypatch, capfd)
    torch.set_num_threads(threads)
