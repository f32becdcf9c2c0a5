"""What tests do with the page in a real browser: Debian's Chromium, driven by Playwright."""

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

from al_lightning.oracles.page.page_log import PageLog
from tests.background import DEADLINE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
ERRORS: list[str] = []  # of JavaScript, in the test that runs


def until(page: "Page", condition: str) -> None:
    """Wait until an expression is true; Playwright's own way needs `eval`, which the page forbids."""
    deadline = time.monotonic() + DEADLINE
    while not page.evaluate(condition):
        assert time.monotonic() < deadline, condition
        page.wait_for_timeout(10)


def opened(browser: "Browser", address: str, name: str = "", wide: bool = True) -> "Page":
    size = {"width": 1280, "height": 800} if wide else {"width": 390, "height": 844}
    page = browser.new_context(viewport=size).new_page()  # type: ignore[arg-type]
    page.set_default_timeout(1000 * DEADLINE)
    page.on("pageerror", lambda error: ERRORS.append(str(error)))
    page.goto(address + (f"&name={name}" if name else ""))
    return page


def shown(page: "Page") -> int:
    """The image that the page shows, once it does."""
    there = "document.getElementById('label').checkVisibility()"
    until(page, f"document.body.dataset.image !== undefined && {there}")
    return int(page.evaluate("document.body.dataset.image"))


def shows(page: "Page", image: int) -> None:
    """Wait until the page shows an image: what follows an answer of the server takes its time."""
    shown_image = f"document.body.dataset.image === '{image}'"
    until(page, f"{shown_image} && document.getElementById('label').checkVisibility()")


def grid_shows(page: "Page", image: int) -> None:
    """Wait until the grid has an image, and the pictures of all that it has."""
    page.wait_for_selector(f'.tile[data-id="{image}"]')
    page.wait_for_selector("#gridaccept:enabled")


def saved(page: "Page", count: int) -> None:
    """Wait until so many labels of this tab are on the disk."""
    until(page, f"Number(document.body.dataset.saved ?? 0) >= {count}")


def said(folder: Path) -> list[tuple[int, str, str]]:
    return [(e.id, e.kind, e.name) for e in PageLog(folder / "page.jsonl").entries]


def focused(page: "Page", text: str) -> None:
    """Press Tab until a button with this text has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if text in page.evaluate("document.activeElement.closest('button')?.textContent ?? ''"):
            return
    raise AssertionError(text)
