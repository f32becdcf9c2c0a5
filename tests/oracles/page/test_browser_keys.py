"""The page in a real browser: keys and focus, small screens, what it says."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.oracles.page.browsers import focused, opened, said, saved, shows, until
from tests.oracles.page.helpers import ask, image_data, question, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser


def test_a_button_that_has_the_focus_is_what_is_pressed(browser: "Browser", tmp_path: Path) -> None:
    with served(tmp_path) as (oracle, address):
        asked = ask(oracle, question(*range(10, 20)))  # guesses: cat, dog, owl, cat, ...
        page = opened(browser, address)
        shows(page, 10)
        for button, key, after in (
            ("dog", "Enter", 11),
            ("owl", "Space", 12),
            ("Back", "Enter", 11),
        ):
            focused(page, button)
            page.keyboard.press(key)
            shows(page, after)
        saved(page, 2)
        focused(page, "Skip")
        page.keyboard.press("Enter")
        shows(page, 12)
        saved(page, 3)
        page.click("text=Skip")  # by the pointer: the next key is one of the page
        shows(page, 13)
        page.keyboard.press("Enter")
        shows(page, 14)
        saved(page, 5)
        focused(page, "Grid")
        page.keyboard.press("Enter")
        page.wait_for_selector(".tile")
        assert said(tmp_path) == [
            *((10, "label", "dog"), (11, "label", "owl"), (11, "skip", ""), (12, "skip", "")),
            (13, "label", "cat"),
        ]
        oracle._session.stop()
        assert asked.end() is None


def test_typing_a_name(browser: "Browser", tmp_path: Path) -> None:
    with served(tmp_path, image_data(tuple(f"kind {i:02}" for i in range(40)))) as (
        oracle,
        address,
    ):
        asked = ask(oracle, question(7, 3))
        page = opened(browser, address)
        shows(page, 7)
        assert page.is_hidden(".view kbd")  # these letters are typed
        page.evaluate(
            "document.getElementById('find').dispatchEvent(new KeyboardEvent('keydown',"
            " {key: 'Enter', isComposing: true, bubbles: true}))"
        )
        page.keyboard.type("zzz")
        page.keyboard.press("Enter")
        assert page.inner_text("#nomatch") == 'No class has "zzz" in its name.'
        page.keyboard.press("Backspace")
        assert page.is_hidden("#nomatch")
        assert said(tmp_path) == []
        oracle._session.stop()
        assert asked.end() is None


def test_keys_mean_the_same_with_caps_lock(browser: "Browser", tmp_path: Path) -> None:
    with served(tmp_path) as (oracle, address):
        oracle.live.publish(project=True)
        asked = ask(oracle, question(7, 3))
        page = opened(browser, address)
        shows(page, 7)
        page.keyboard.press("Z")
        assert page.get_attribute("#frame", "aria-pressed") == "true"
        for key, view in (("G", "grid"), ("L", "list"), ("V", "review"), ("O", "one")):
            page.keyboard.press(key)
            assert page.get_attribute(f'[data-view="{view}"]', "aria-pressed") == "true"
        page.keyboard.press("N")
        assert page.is_visible("#newclass")
        oracle._session.stop()
        assert asked.end() is None


def test_long_words_and_empty_lists_fit_a_phone(browser: "Browser", tmp_path: Path) -> None:
    with served(tmp_path, image_data(("cat", "x" * 80))) as (oracle, address):
        asked = ask(oracle, question(7, guesses=2))
        page = opened(browser, address, wide=False)
        shows(page, 7)
        for view in ("one", "list"):
            page.click(f'[data-view="{view}"]')
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.wait_for_selector("text=No labels yet")
        height = "document.querySelector('.empty').getBoundingClientRect().height"
        assert page.evaluate(height) < 60  # one line
        oracle._session.stop()
        assert asked.end() is None


def test_the_end_says_how_a_label_is_corrected(browser: "Browser", tmp_path: Path) -> None:
    with served(tmp_path / "birds" / "queries") as (oracle, address):
        page = opened(browser, address)
        oracle.live.publish(phase="end")
        wait = "document.getElementById('wait').textContent"
        until(page, f"{wait}.startsWith('The run has ended')")
        told = page.inner_text("#wait")
        assert f"python -m al_lightning.labels {tmp_path / 'birds'} --set ID=CLASS" in told
        assert "budget.total" in told
