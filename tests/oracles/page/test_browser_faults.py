"""The page in a real browser, where something goes wrong or somebody else is faster."""

import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from al_lightning.data.source import ImageData
from al_lightning.oracles.page import app
from al_lightning.oracles.page.images import page_image
from tests.oracles.page.browsers import grid_shows, opened, said, saved, shown, shows, until
from tests.oracles.page.helpers import Client, ask, question, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

pytestmark = pytest.mark.browser


def test_an_image_whose_label_another_person_takes_back_is_asked_again(
    browser: "Browser", tmp_path: Path
) -> None:
    with served(tmp_path) as (oracle, address):
        asked = ask(oracle, question(7, 3))
        ada, bob = opened(browser, address, "Ada"), Client(address)
        shows(ada, 7)
        ada.keyboard.press("1")
        shows(ada, 3)
        saved(ada, 1)
        undo = [{"id": 7, "before": "cat", "after": None}]
        assert bob.post("/submit", by="Bob", labels=undo).status_code == 200
        ada.keyboard.press("2")
        shows(ada, 7)
        assert "labeled" not in ada.inner_text("#caption")
        ada.keyboard.press("3")
        answer = asked.end()
        assert answer is not None
        assert (answer.ids.tolist(), answer.labels.tolist()) == ([7, 3], [2, 1])


def test_a_forgotten_tab_gives_its_images_to_whoever_waits(
    browser: "Browser", tmp_path: Path
) -> None:
    with served(tmp_path) as (oracle, address):
        asked = ask(oracle, question(7, 3))
        oracle.live.publish(phase="wait")
        ada = opened(browser, address, "Ada")
        shows(ada, 7)
        bob = opened(browser, address, "Bob")
        wait = "document.getElementById('wait').textContent"
        until(bob, f"{wait}.startsWith('The last images of this batch are with Ada.')")
        session = oracle._session
        with session._changed:  # five minutes pass
            (tab,) = (tab for tab, name in session._names.items() if name == "Ada")
            session._leases._active[tab] -= 301
        shows(bob, 7)
        ada.keyboard.press("1")  # she is back, too late
        until(ada, "document.getElementById('problem').textContent === 'Bob has this image'")
        assert said(tmp_path) == []
        session.stop()
        assert asked.end() is None


def test_a_grid_takes_what_is_free_and_names_the_rest(browser: "Browser", tmp_path: Path) -> None:
    with served(tmp_path) as (oracle, address):
        asked = ask(oracle, question(*range(10, 20)))
        ada, bob = opened(browser, address, "Ada"), Client(address)
        shown(ada)
        ada.keyboard.press("g")
        grid_shows(ada, 16)  # 10, 13, 16, 19
        ada.click('.tile[data-id="16"]')
        with oracle._session._changed:
            oracle._session._leases._held.clear()  # as after minutes without a key
        label = [{"id": 13, "before": None, "after": "dog"}]
        assert bob.post("/submit", by="Bob", labels=label).status_code == 200
        ada.keyboard.press("Enter")
        saved(ada, 2)
        assert [(i, name) for i, _, name in said(tmp_path)] == [
            (13, "dog"),
            (10, "cat"),
            (19, "cat"),
        ]
        problem = ada.inner_text("#problem")
        assert problem.startswith(
            "2 labels are saved, 1 are not (image 13: Somebody else has labeled"
        )
        until(ada, "document.querySelectorAll('.tile').length === 1")
        assert ada.get_attribute('.tile[data-id="16"]', "aria-pressed") == "true"  # the mark stays
        oracle._session.stop()
        assert asked.end() is None


def test_an_image_that_was_lost_before_it_was_shown_gets_no_class(
    browser: "Browser", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def some(data: ImageData, image: int, size: str) -> tuple[bytes, str, bool] | None:
        return None if image == 3 else page_image(data, image, size)

    monkeypatch.setattr(app, "page_image", some)
    with served(tmp_path) as (oracle, address):
        asked = ask(oracle, question(7, 3, 5))
        page = opened(browser, address)
        shows(page, 7)
        page.wait_for_timeout(600)  # it was tried twice
        page.keyboard.press("1")
        page.wait_for_selector("#frame.lost")
        assert page.inner_text("#caption").startswith("Image 3 cannot be shown: its file has gone")
        for key in ("2", "Enter"):
            page.keyboard.press(key)
        page.click(".choice:has-text('owl')")
        page.keyboard.press("Space")
        shows(page, 5)
        assert page.get_attribute("#frame", "class") == "frame"
        saved(page, 2)
        assert said(tmp_path) == [(7, "label", "cat"), (3, "skip", "")]
        oracle._session.stop()
        assert asked.end() is None


def test_what_the_grid_cannot_show_is_not_accepted(
    browser: "Browser", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def some(data: ImageData, image: int, size: str) -> tuple[bytes, str, bool] | None:
        return None if image == 13 else page_image(data, image, size)

    monkeypatch.setattr(app, "page_image", some)
    with served(tmp_path) as (oracle, address):
        asked = ask(oracle, question(*range(10, 20)))
        page = opened(browser, address)
        shown(page)
        slow: list[Route] = []
        page.route("**/image/16/small*", lambda route: slow.append(route))  # noqa: PLW0108 - Playwright writes into it
        page.keyboard.press("g")
        page.wait_for_selector('.tile[data-id="13"].lost')  # 10, 13, 16, 19
        until(page, "document.getElementById('gridhint').textContent.includes('1 still loading')")
        page.keyboard.press("Enter")
        assert page.is_disabled("#gridaccept")
        slow.pop().continue_()
        grid_shows(page, 16)
        assert page.inner_text("#gridaccept").startswith("Accept 3 as cat")
        assert page.inner_text("#gridhint").endswith("1 cannot be shown: label one by one.")
        page.keyboard.press("Enter")
        saved(page, 3)
        assert said(tmp_path) == [(i, "label", "cat") for i in (10, 16, 19)]
        grid_shows(page, 11)  # the next class
        page.keyboard.press("o")
        shows(page, 11)
        oracle._session.stop()
        assert asked.end() is None


def test_an_image_that_is_not_there_yet_gets_no_class(browser: "Browser", tmp_path: Path) -> None:
    with served(tmp_path) as (oracle, address):
        asked = ask(oracle, question(7, 3))
        page = browser.new_context().new_page()
        slow: list[Route] = []
        away = True
        # One handler to the end: `unroute` may go on with a request that is still in the list.
        page.route("**/image/**", lambda r: slow.append(r) if away else r.continue_())
        page.goto(address)
        page.wait_for_selector("#label:not([hidden])")
        page.keyboard.press("1")
        assert "it is being loaded" in page.inner_text("#caption")
        for _ in range(5):  # the network is away: that says nothing of the file
            while slow:
                slow.pop().abort()
            page.wait_for_timeout(100)
        assert "it is being loaded" in page.inner_text("#caption")
        away = False
        while slow:
            slow.pop().continue_()
        shows(page, 7)
        assert said(tmp_path) == []
        page.keyboard.press("1")
        shows(page, 3)
        saved(page, 1)
        oracle._session.stop()
        assert asked.end() is None


def test_the_last_try_before_the_network_is_back_loses_no_image(
    browser: "Browser", tmp_path: Path
) -> None:
    with served(tmp_path) as (oracle, address):
        asked = ask(oracle, question(7, 3))
        page = browser.new_context().new_page()
        away = ["load", "check", "load"]  # what fails; the check after it is answered
        page.route("**/image/7/**", lambda r: r.abort() if away and away.pop() else r.continue_())
        page.goto(address)
        shows(page, 7)
        assert away == []
        assert page.get_attribute("#frame", "class") == "frame"
        page.keyboard.press("1")
        shows(page, 3)
        saved(page, 1)
        assert said(tmp_path) == [(7, "label", "cat")]
        oracle._session.stop()
        assert asked.end() is None


def test_a_run_that_stops_before_a_label_is_saved_says_so(
    browser: "Browser", tmp_path: Path
) -> None:
    with served(tmp_path) as (oracle, address):
        asked = ask(oracle, question(7, 3))
        page = opened(browser, address)
        shows(page, 7)
        page.route("**/submit", lambda route: route.abort())
        page.keyboard.press("1")
        shows(page, 3)
        page.keyboard.press("2")
        oracle._session.stop()
        assert asked.end() is None
        until(page, "document.getElementById('wait').textContent.startsWith('Stopped')")
        assert "Stopped, and 2 of the last labels are not saved" in page.inner_text("#wait")
        assert page.inner_text("#saved") == "Saving 2 ..."


def test_labels_that_wait_survive_a_new_start_at_the_same_port(
    browser: "Browser", tmp_path: Path
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with served(tmp_path, port=port) as (oracle, address):
        asked = ask(oracle, question(7, 3))
        page = opened(browser, address)
        shows(page, 7)
        oracle._session.stop()
        assert asked.end() is None
    page.keyboard.press("1")
    until(page, "document.body.dataset.unsaved === '1'")
    with served(tmp_path, port=port) as (oracle, address):
        asked = ask(oracle, question(7, 3))
        problem = "document.getElementById('problem').textContent"
        until(page, f"{problem}.startsWith('The run was started again: open the address')")
        assert page.inner_text("#saved") == "Saving 1 ..."
        page.context.new_page().goto(address)  # which lets the first tab write, too
        saved(page, 1)
        assert said(tmp_path) == [(7, "label", "cat")]
        oracle._session.stop()
        assert asked.end() is None


def test_a_label_that_the_list_has_changed_is_shown_so_when_one_goes_back(
    browser: "Browser", tmp_path: Path
) -> None:
    with served(tmp_path) as (oracle, address):
        asked = ask(oracle, question(7, 3))
        page = opened(browser, address)
        shows(page, 7)
        page.keyboard.press("1")
        shows(page, 3)
        saved(page, 1)
        page.keyboard.press("Backspace")
        shows(page, 7)
        page.keyboard.press("l")
        page.select_option('select[data-id="7"]', "dog")
        until(page, "document.body.dataset.unsaved === '0'")
        page.keyboard.press("o")
        until(page, "document.getElementById('caption').textContent.includes('labeled dog')")
        page.keyboard.press("3")
        saved(page, 2)
        assert page.is_hidden("#problem")
        assert said(tmp_path)[-1] == (7, "label", "owl")
        oracle._session.stop()
        assert asked.end() is None
