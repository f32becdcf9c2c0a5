"""The page in a real browser: whole sessions, and several people."""

import json
import os
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING, TextIO
from urllib.parse import urlsplit

import pytest

from al_lightning.data.source import ImageData
from al_lightning.oracles.page.page_log import PageLog
from al_lightning.run.pool import Pool
from tests.command_line import QUICK, only_journal
from tests.forks import Fork
from tests.oracles.page.browsers import grid_shows, opened, said, saved, shown, shows, until
from tests.oracles.page.helpers import SIZE, ask, image_data, question, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

pytestmark = pytest.mark.browser


def test_a_batch_by_keys(browser: "Browser", tmp_path: Path) -> None:
    with served(tmp_path) as (oracle, address):
        asked = ask(oracle, question(7, 3, 5, 9))
        page = opened(browser, address)
        assert page.url == f"{address.partition('?')[0]}"  # no token is left in the address
        shows(page, 7)
        page.keyboard.press("2")  # dog
        shows(page, 3)
        page.keyboard.press("Enter")  # the guess: dog
        shows(page, 5)
        page.keyboard.press("Space")
        shows(page, 9)
        page.keyboard.press("Backspace")
        page.keyboard.press("Backspace")
        shows(page, 3)
        page.keyboard.press("3")  # owl, after all
        shows(page, 5)
        page.keyboard.press("Enter")  # skipped it stays
        shows(page, 9)
        page.keyboard.press("z")
        assert page.get_attribute("#frame", "aria-pressed") == "true"
        page.keyboard.press("?")
        assert page.is_visible("#keys")
        page.keyboard.press("1")  # not while the keys are shown
        page.keyboard.press("Escape")
        shows(page, 9)
        page.keyboard.press("1")
        answer = asked.end()
        assert answer is not None
        assert dict(zip(answer.ids.tolist(), answer.labels.tolist(), strict=True)) == {
            7: 1,
            3: 2,
            9: 0,
        }
        assert answer.skipped.tolist() == [5]
        assert said(tmp_path) == [
            *((7, "label", "dog"), (3, "label", "dog"), (5, "skip", "")),
            *((3, "label", "owl"), (9, "label", "cat")),
        ]
        page.wait_for_selector("#wait:not([hidden])")


def test_a_grid_of_one_guess(browser: "Browser", tmp_path: Path) -> None:
    with served(tmp_path) as (oracle, address):
        asked = ask(oracle, question(*range(10, 20)))  # guesses 0, 1, 2, 0, ...
        page = opened(browser, address)
        shown(page)
        page.keyboard.press("g")
        grid_shows(page, 10)
        assert page.inner_text('.chip[aria-pressed="true"]') == "cat 4"
        tiles = [
            int(tile.get_attribute("data-id") or "") for tile in page.query_selector_all(".tile")
        ]
        assert tiles == [10, 13, 16, 19]
        page.click('.tile[data-id="13"]')
        page.focus('.tile[data-id="16"]')
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Space")  # marks 19
        assert page.inner_text("#gridaccept").startswith("Accept 2 as cat")
        page.keyboard.press("Enter")
        saved(page, 2)
        assert said(tmp_path) == [(10, "label", "cat"), (16, "label", "cat")]
        grid_shows(page, 11)  # the next class
        page.click("#gridaccept")
        saved(page, 5)
        grid_shows(page, 12)
        page.click("#gridaccept")
        saved(page, 8)
        page.keyboard.press("o")
        shows(page, 13)
        page.keyboard.press("2")
        shows(page, 19)
        page.keyboard.press("2")
        answer = asked.end()
        assert answer is not None
        assert answer.labels.tolist() == [0, 1, 2, 1, 1, 2, 0, 1, 2, 1]


def test_another_class_of_the_grid_is_never_accepted_for_the_images_of_before(
    browser: "Browser", tmp_path: Path
) -> None:
    with served(tmp_path) as (oracle, address):
        asked = ask(oracle, question(*range(10, 20)))  # guesses 0, 1, 2, 0, ...
        page = opened(browser, address)
        shown(page)
        page.keyboard.press("g")
        grid_shows(page, 10)
        slow: list[Route] = []
        page.route("**/take", lambda route: slow.append(route))  # noqa: PLW0108 - Playwright writes into it
        page.click(".chip:has-text('owl')")
        page.keyboard.press("Enter")  # before the images of owl are here
        page.wait_for_timeout(50)
        assert page.is_disabled("#gridaccept")
        page.click(".chip:has-text('dog')")
        page.wait_for_timeout(50)
        for route in reversed(slow):  # the first answer comes last
            route.continue_()
        grid_shows(page, 11)
        assert said(tmp_path) == []
        page.keyboard.press("Enter")
        saved(page, 3)
        assert {entry[2] for entry in said(tmp_path)} == {"dog"}
        oracle._session.stop()
        assert asked.end() is None


def test_images_of_the_grid_stay_with_their_person(browser: "Browser", tmp_path: Path) -> None:
    with served(tmp_path) as (oracle, address):
        asked = ask(oracle, question(*range(10, 40)))
        ada = opened(browser, address, "Ada")
        shown(ada)
        ada.keyboard.press("g")
        grid_shows(ada, 10)
        tiles = {
            int(tile.get_attribute("data-id") or "") for tile in ada.query_selector_all(".tile")
        }
        bob = opened(browser, address, "Bob")
        for turn in range(3):  # each of them changes the state that Ada's tab is told of
            assert shown(bob) not in tiles
            bob.keyboard.press("1")
            saved(bob, turn + 1)
        ada.wait_for_timeout(500)
        assert shown(bob) not in tiles
        ada.keyboard.press("Enter")
        saved(ada, len(tiles))
        oracle._session.stop()
        assert asked.end() is None


def test_the_list_undoes_and_corrects(browser: "Browser", tmp_path: Path) -> None:
    with served(tmp_path) as (oracle, address):
        asked = ask(oracle, question(7, 3))
        page = opened(browser, address, "Ada")
        shows(page, 7)
        page.keyboard.press("1")
        saved(page, 1)
        page.keyboard.press("l")
        page.click('[data-undo="7"]')
        page.wait_for_selector("text=No labels yet")
        page.keyboard.press("o")
        assert shown(page) == 3 or shown(page) == 7
        for _ in range(2):
            before = shown(page)
            page.keyboard.press("3")
            if before != 7:
                saved(page, 2)
        answer = asked.end()
        assert answer is not None
        assert sorted(answer.ids.tolist()) == [3, 7]
        # The model has used both: a correction, and no undo.
        oracle.corrections(Pool(SIZE).reveal(answer.ids, answer.labels))
        page.keyboard.press("l")
        page.wait_for_selector('[data-undo="7"][disabled]')
        page.select_option('select[data-id="7"]', "dog")
        until(page, "document.body.dataset.unsaved === '0'")
        assert said(tmp_path)[-1] == (7, "label", "dog")
        found = oracle.corrections(Pool(SIZE).reveal(answer.ids, answer.labels))
        assert found is not None
        assert (found.late_ids.tolist(), found.late_labels.tolist()) == ([7], [1])
        assert found.by == {7: "Ada"}


@pytest.mark.parametrize(
    ("press", "entry"),
    [("Change to cat", (7, "label", "cat")), ("owl is right", (7, "confirm", "owl"))],
)
def test_a_review_corrects_or_confirms_a_label(
    browser: "Browser", tmp_path: Path, press: str, entry: tuple[int, str, str]
) -> None:
    with served(tmp_path) as (oracle, address):
        asked = ask(oracle, question(7, 3))  # guesses: cat, dog
        page = opened(browser, address)
        shows(page, 7)
        page.keyboard.press("3")
        saved(page, 1)
        page.keyboard.press("v")
        page.click(f"text={press}")
        page.wait_for_selector("text=No label contradicts")
        assert said(tmp_path) == [(7, "label", "owl"), entry]
        oracle._session.stop()
        assert asked.end() is None


def test_a_reload_in_the_middle_shows_the_same_image(browser: "Browser", tmp_path: Path) -> None:
    with served(tmp_path) as (oracle, address):
        asked = ask(oracle, question(7, 3, 5, 9))
        page = opened(browser, address)
        shows(page, 7)
        page.keyboard.press("1")
        shows(page, 3)
        saved(page, 1)
        page.reload()
        shows(page, 3)
        oracle._session.stop()
        assert asked.end() is None


def test_two_people_never_see_the_same_image(browser: "Browser", tmp_path: Path) -> None:
    with served(tmp_path) as (oracle, address):
        asked = ask(oracle, question(*range(20)))
        pages = {name: opened(browser, address, name) for name in ("Ada", "Bob")}
        seen: dict[str, list[int]] = {name: [] for name in pages}
        for turn in range(6):
            for name, page in pages.items():
                seen[name].append(shown(page))
                page.keyboard.press("1")
                saved(page, turn + 1)
        assert not set(seen["Ada"]) & set(seen["Bob"])
        entries = PageLog(tmp_path / "page.jsonl").entries
        assert sorted(e.id for e in entries if e.by == "Ada") == sorted(seen["Ada"])
        pace = "document.getElementById('pace').textContent"
        until(pages["Bob"], f"{pace}.endsWith('Ada 6 · Bob 6')")
        oracle._session.stop()
        assert asked.end() is None


def test_many_classes_are_typed(browser: "Browser", tmp_path: Path) -> None:
    names = (*(f"kind {i:02}" for i in range(40)), "zebra", "zebu")
    with served(tmp_path, image_data(names)) as (oracle, address):
        asked = ask(oracle, question(7, 3, 5))
        page = opened(browser, address)
        shows(page, 7)
        page.keyboard.type("zeb")
        page.keyboard.press("ArrowDown")
        assert page.get_attribute("#find", "aria-activedescendant") == "class41"
        page.keyboard.press("Enter")
        shows(page, 3)
        page.keyboard.press("Space")
        shows(page, 5)
        page.keyboard.press("Enter")  # the guess: the third class
        answer = asked.end()
        assert answer is not None
        assert (answer.labels.tolist(), answer.skipped.tolist()) == ([41, 2], [3])


def test_a_new_class(browser: "Browser", tmp_path: Path) -> None:
    with served(tmp_path) as (oracle, address):
        oracle.live.publish(project=True)
        asked = ask(oracle, question(7, 3))
        page = opened(browser, address)
        shows(page, 7)
        page.keyboard.press("n")
        page.keyboard.type("<b>fox</b>")
        page.keyboard.press("Enter")
        shows(page, 3)
        assert page.inner_text(".choice:has-text('fox') .name") == "<b>fox</b>"
        page.keyboard.press("4")
        answer = asked.end()
        assert answer is not None
        assert (answer.new_classes, answer.labels.tolist()) == (("<b>fox</b>",), [3, 3])


def test_a_name_with_html_is_shown_as_it_is(browser: "Browser", tmp_path: Path) -> None:
    bad = "<img src=x onerror=\"document.title='hacked'\">"
    with served(
        tmp_path, image_data((bad, "</script><script>document.title='hacked'</script>"))
    ) as (
        oracle,
        address,
    ):
        asked = ask(oracle, question(7, guesses=2))
        page = opened(browser, address, name="%3Cb%3EAda%3C/b%3E")
        shows(page, 7)
        assert page.inner_text(".choice .name") == bad
        page.keyboard.press("1")
        assert asked.end() is not None
        until(page, "document.getElementById('pace').textContent.includes('<b>Ada</b>')")
        page.keyboard.press("l")
        page.wait_for_selector("#history select")
        assert page.title() == "Labels"


class _Gone:
    """Pixels that cannot be read any more."""

    def __init__(self, data: ImageData) -> None:
        self.shape, self.dtype = data.train.pixels.shape, data.train.pixels.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: object) -> None:
        raise OSError("gone")


def test_an_image_that_has_vanished_is_said_and_can_be_skipped(
    browser: "Browser", tmp_path: Path
) -> None:
    data = image_data()
    object.__setattr__(data.train, "pixels", _Gone(data))
    with served(tmp_path, data) as (oracle, address):
        asked = ask(oracle, question(7))
        page = opened(browser, address)
        page.wait_for_selector("#frame.lost")
        assert "cannot be shown" in page.inner_text("#caption")
        page.keyboard.press("Space")
        answer = asked.end()
        assert answer is not None
        assert answer.skipped.tolist() == [7]


def test_another_site_can_neither_read_nor_write(browser: "Browser", tmp_path: Path) -> None:
    with served(tmp_path / "a") as (oracle, address), served(tmp_path / "b") as (_, other):
        asked = ask(oracle, question(7))
        page = opened(browser, address)
        shown(page)
        page.goto(other)  # in the same browser, so with the cookie of the first page
        host = urlsplit(address).netloc
        for origin in (host, host.replace("127.0.0.1", "localhost")):
            body = '{"tab": "t", "by": "", "labels": [{"id": 7, "before": null, "after": "cat"}]}'
            tried = page.evaluate(
                "([url, body]) => fetch(url, {method: 'POST', body, mode: 'no-cors',"
                " credentials: 'include'}).then((r) => r.type, () => 'refused')",
                [f"http://{origin}/submit", body],
            )
            assert tried == "refused"
        assert not (tmp_path / "a" / "page.jsonl").exists()
        oracle._session.stop()
        assert asked.end() is None


def begin(folder: Path, *more: str) -> tuple[Fork, str, TextIO]:
    """Start a run in a process of its own; return it, the address of its page, and its output."""
    arguments = ("oracle=page", "oracle.open=false", "model=cnn", "budget.initial_policy=uniform")
    reading, writing = os.pipe()
    run = Fork(
        "al_lightning.cli.app:main",
        folder=folder,
        argv=("dataset=digits", *QUICK, *arguments, *more),
        output=writing,
    )
    os.close(writing)
    output, read = os.fdopen(reading), []
    for line in output:
        read.append(line)
        if found := re.search(r"Label at (\S+)", line):
            return run, found[1], output
    raise AssertionError("".join(read))


def test_a_run_that_is_killed_goes_on_and_loses_nothing(browser: "Browser", tmp_path: Path) -> None:
    pressed: dict[int, int] = {}

    def label(page: "Page", count: int) -> None:
        for done in range(count):
            image = shown(page)
            assert image not in pressed
            pressed[image] = image % 10
            page.keyboard.press(str(image % 10))  # the class of this name
            saved(page, done + 1)

    run, address, _ = begin(tmp_path, "oracle.retrain_every=4")
    label(opened(browser, address), 26)  # a batch, and the part of one that the model learns from
    os.kill(run.pid, signal.SIGKILL)
    assert run.wait().returncode == -signal.SIGKILL
    run, address, output = begin(tmp_path, "oracle.retrain_every=4")
    page = opened(browser, address)
    label(page, 14)
    page.wait_for_selector('body[data-phase="end"]')
    assert run.wait().returncode == 0, output.read()
    events = [json.loads(line) for line in only_journal(tmp_path).read_text().splitlines()]
    given: dict[int, int] = {}
    for event in events:
        if event["event"] == "labels":
            pairs = dict(zip(event["ids"], event["labels"], strict=True))
            assert not pairs.keys() & given.keys()
            given |= pairs
    assert given == pressed
    assert len(given) == 40
    assert events[-1]["reason"] == "budget"
    assert any("open" in event for event in events)


def test_ctrl_c_ends_the_run_while_a_browser_listens(browser: "Browser", tmp_path: Path) -> None:
    run, address, output = begin(tmp_path)
    page = opened(browser, address)
    shown(page)
    os.kill(run.pid, signal.SIGINT)
    ended = run.wait()
    assert ended.returncode == 130, output.read()
    assert "The same command continues from here" in ended.stderr
    problem = "document.getElementById('problem')"
    until(page, f"!{problem}.hidden || document.body.dataset.phase === 'stop'")


def test_it_fits_a_phone_and_a_keyboard_reaches_everything(
    browser: "Browser", tmp_path: Path
) -> None:
    with served(tmp_path) as (oracle, address):
        asked = ask(oracle, question(7, 3))
        page = opened(browser, address, wide=False)
        shown(page)
        for view in ("one", "grid", "list"):
            page.click(f'[data-view="{view}"]')
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= 390, view
        page.click('[data-view="one"]')
        shown(page)
        unnamed = page.evaluate(
            "[...document.querySelectorAll('button, input, select, img, progress')].filter((e) =>"
            " e.checkVisibility() && !(e.textContent.trim() || e.ariaLabel || e.alt"
            " || e.labels?.length)).length"
        )
        assert unnamed == 0
        reached = set()
        for _ in range(40):
            page.keyboard.press("Tab")
            reached.add(page.evaluate("document.activeElement.textContent.trim()"))
        names = {name for name in reached if isinstance(name, str)}
        for wanted in ("2dog", "Accept the guess Enter", "Skip Space", "Keys ?", "Stop for now"):
            assert wanted in names
        oracle._session.stop()
        assert asked.end() is None
