"""A plugin of pytest: where all extras must be there, none may be missed by a skipped test."""

import os
from collections.abc import Generator
from typing import Any

import pytest

VARIABLE = "AL_LIGHTNING_REQUIRE_EXTRAS"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    call: pytest.CallInfo[Any],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    reason = str(call.excinfo.value) if report.skipped and call.excinfo is not None else ""
    if os.environ.get(VARIABLE) and reason.startswith("could not import"):
        report.outcome = "failed"
        report.longrepr = f"{reason}; {VARIABLE} lets no test be skipped for that"
    return report
