from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.oracles.page.browsers import BROWSER, ERRORS

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    if BROWSER is None:
        pytest.skip("there is no Chromium: apt-get install chromium")
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        # In a container there is no user namespace for the sandbox.
        launched = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(autouse=True)
def no_error_of_javascript() -> Iterator[None]:
    ERRORS.clear()
    yield
    assert not ERRORS
