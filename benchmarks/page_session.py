"""Sessions on the page, driven by a browser that answers at once; run it by hand.

    python benchmarks/page_session.py all --folder FOLDER

Writes 2,000 images of CIFAR-10 (from AL_LIGHTNING_DATA) as PNG files into FOLDER, unlabeled, and 500
as test images, where they are not there. Then, each by its name:

- page: 300 labels in batches of 20 with efficientnet_lite0_linear, given by real keys in headless
  Chromium: labels a minute, the wait between batches, and milliseconds from a key to the next image;
- csv: the same through the sheet of oracle=csv: seconds from the last label to the next question;
- kills: a session that is killed 30 times, at times that are drawn: labels that were lost or asked for
  twice, and whether the whole journal is made again by its own labels;
- steps: keystrokes and clicks a label, counted on the questions of the first session;
- attacks: requests that are not the page's own, and what became of them;
- pictures: the screenshots of docs/labeling.md.

Figures go to benchmarks/results/page_session.json, those of other parts stay. The browser needs
`pip install playwright` and Chromium.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from page_kills import kills_part
from page_runs import BATCH, LABELS, Requests, Run, command, fresh, journal_of, write_images
from PIL import Image
from raw import record_part
from sheets import open_sheets, write_rows

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

DOCS = Path(__file__).parents[1] / "docs"


def main() -> None:
    """Run parts, print and keep what they have measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="+", choices=[*PARTS, "all"])
    parser.add_argument("--folder", type=Path, required=True, help="of the images and runs")
    arguments = parser.parse_args()
    folder: Path = arguments.folder.resolve()
    truth, classes = write_images(folder / "images")
    for name in PARTS if "all" in arguments.parts else arguments.parts:
        found = PARTS[name](folder, truth, classes)
        print(name, json.dumps(found, indent=2))
        record_part("page_session", name, found)
        record_part("page_session", "load", round(os.getloadavg()[0], 1))


# What a browser answers to "which image is next?": its id, -1 at the end, or null.
_NEXT = """(last) => {
  const body = document.body.dataset, label = document.getElementById("label");
  if (!label.hidden && body.image !== undefined && body.image !== String(last))
    return Number(body.image);
  return body.phase === "end" ? -1 : null;
}"""
# Times in the page itself: of the key, and of the frame in which the next image is shown.
_WATCH = """() => {
  window.times = [];
  let key = null;
  addEventListener("keydown", (event) => { key = event.timeStamp; }, true);
  new MutationObserver(() => {
    if (document.body.dataset.image === undefined) return;
    const from = key, image = Number(document.body.dataset.image);
    const note = () => { if (from !== null) window.times.push([image, performance.now() - from]); };
    requestAnimationFrame(note);
  }).observe(document.body, { attributes: true, attributeFilter: ["data-image"] });
}"""


def page_part(folder: Path, truth: list[int], classes: tuple[str, ...]) -> dict[str, Any]:
    """Label by real keys in a browser."""
    found = {}
    for name, every in (("whole_batches", "null"), ("beside", "10")):
        place = fresh(folder, f"page_{name}")
        run = Run(place, classes, f"oracle.retrain_every={every}")
        times, seconds = drive(run, truth)
        run.end()
        events = journal_of(place)
        first = {e["ids"][0] for e in events if e["event"] == "question"}
        shown = {int(image): ms for image, ms in times}
        asked = [e["ids"] for e in events if e["event"] == "question" and e["round"] > 0]
        waits = [max(shown.get(i, 0) for i in ids) / 1000 for ids in asked]
        within = [ms for image, ms in times if image not in first]
        found[name] = {
            "labels": sum(len(e["ids"]) for e in events if e["event"] == "labels"),
            "accuracy": round(events[-2]["metrics"]["accuracy"], 4),
            "labels_a_minute": round(60 * (LABELS - BATCH) / seconds),
            "wait_between_batches_seconds": spread(waits),
            "round_seconds": spread(
                [sum(e["seconds"].values()) for e in events if e["event"] == "round"][1:]
            ),
            "key_to_next_image_ms": spread(within),
        }
    return found


def drive(run: Run, truth: list[int]) -> tuple[list[tuple[float, float]], float]:
    """Answer until the end; return the times of images, and seconds without the first batch."""
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(run.address)
        page.evaluate(_WATCH)
        last = answer(page, truth, BATCH)
        began = time.monotonic()
        last = answer(page, truth, LABELS - BATCH, last)
        ended = time.monotonic()
        times = page.evaluate("window.times")
        while page.evaluate(_NEXT, last) != -1:
            page.wait_for_timeout(20)
    return times, ended - began


@contextmanager
def chromium() -> "Iterator[Browser]":
    """Start a browser."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - of these parts alone

    path = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def answer(page: "Page", truth: list[int], count: int, last: int = -2) -> int:
    """Label so many images by keys, each as soon as it is shown; return the last one."""
    keys = page.evaluate("JSON.parse(document.getElementById('about').textContent).keys")
    while count:
        image = page.evaluate(_NEXT, last)
        if image is None:
            page.wait_for_timeout(2)
            continue
        page.keyboard.press(keys[truth[image]])
        last, count = image, count - 1
    return last


def csv_part(folder: Path, truth: list[int], classes: tuple[str, ...]) -> dict[str, Any]:
    """Label through sheets, some rounds of them."""
    place, seconds = fresh(folder, "csv"), []
    for index in range(5):
        began = time.monotonic()
        subprocess.run(
            command(place, classes, "oracle=csv"), cwd=place, check=True, capture_output=True
        )
        if index > 0:
            seconds.append(time.monotonic() - began)
        ((sheet, rows),) = open_sheets(place / "outputs")
        for row in rows:
            row["label"] = classes[truth[int(row["id"])]]
        write_rows(sheet, rows)
    return {"last_label_to_next_question_seconds": spread(seconds)}


def steps_part(folder: Path, truth: list[int], classes: tuple[str, ...]) -> dict[str, Any]:
    """Count keystrokes and clicks a label on the questions of the first session."""
    events = journal_of(folder / "page_whole_batches")
    questions = [e for e in events if e["event"] == "question" and e["predicted"] is not None]
    labels = sum(len(e["ids"]) for e in questions)
    wrong, groups = 0, 0
    for event in questions:
        wrong += sum(truth[i] != p for i, p in zip(event["ids"], event["predicted"], strict=True))
        groups += len(set(event["predicted"]))
    batches = len(questions)
    return {
        "labels": labels,
        "guess_is_right": round(1 - wrong / labels, 3),
        # A wrong image of the grid is marked, and then labeled by a key; two keys change views.
        "page_one_by_one": {"keystrokes_and_clicks_a_label": 1.0, "steps_a_batch": 0},
        "page_grid": {
            "keystrokes_and_clicks_a_label": round((2 * wrong + groups + 2 * batches) / labels, 2),
            "steps_a_batch": 0,
        },
        "csv": {
            "keystrokes_and_clicks_a_label": round(
                sum(len(classes[truth[i]]) + 1 for e in questions for i in e["ids"]) / labels, 2
            ),
            "steps_a_batch": 4,  # open the page of images, open the sheet, save it, run the command
        },
        "label_studio": {"keystrokes_and_clicks_a_label": 2.0, "steps_a_batch": 3},
    }


def attacks_part(folder: Path, _truth: list[int], classes: tuple[str, ...]) -> dict[str, Any]:
    """Try what the page must refuse."""
    place = fresh(folder, "attacks")
    run = Run(place, classes)
    client = Requests(run.address)
    next(client.images())
    base = run.address.partition("/?")[0]
    http, stranger = client.http, httpx.Client(base_url=base, timeout=120)
    own = {"origin": base}

    def label(image: int, name: str, **headers: str) -> httpx.Response:
        labels = [{"id": image, "before": None, "after": name}]
        return http.post("/submit", json={"tab": "t", "by": "", "labels": labels}, headers=headers)

    def raw(content: bytes, kind: str) -> httpx.Response:
        return http.post("/submit", content=content, headers={**own, "content-type": kind})

    def host(name: str) -> httpx.Response:
        return http.get("/status", headers={"host": name})

    one, form = classes[0], "application/x-www-form-urlencoded"
    tried: dict[str, Callable[[], httpx.Response]] = {
        "page without the token": lambda: stranger.get("/"),
        "image without the token": lambda: stranger.get("/image/0/large"),
        "events without the token": lambda: stranger.get("/events"),
        "wrong token": lambda: stranger.get("/", params={"token": "x" * 32}),
        "label without the cookie": lambda: stranger.post("/submit", json={}, headers=own),
        "another name in Host (DNS rebinding)": lambda: host("evil.example"),
        "another address in Host": lambda: host("10.1.2.3"),
        "label from another origin": lambda: label(0, one, origin="http://evil.example"),
        "label from another port": lambda: label(0, one, origin="http://127.0.0.1:1"),
        "label without an origin": lambda: label(0, one),
        "label as a form of another site": lambda: raw(b"id=0", form),
        "path traversal in a static file": lambda: http.get("/static/..%2f..%2foracle.py"),
        "path traversal in an image": lambda: http.get("/image/..%2f..%2fetc%2fpasswd/large"),
        "image that does not exist": lambda: http.get("/image/999999/large"),
        "label of an image that is not asked for": lambda: label(999999, one, **own),
        "HTML as a class": lambda: label(0, "<script>", **own),
        "2 MiB as a label": lambda: raw(b" " * 2**21, "application/json"),
        "another method": lambda: http.request("DELETE", "/status", headers=own),
    }
    found = {name: attempt().status_code for name, attempt in tried.items()}
    written = list(place.glob("outputs/**/page.jsonl"))
    run.stop()
    return {
        "status": found,
        "all_refused": min(found.values()) >= 400,
        "labels_written": len(written),
    }


def pictures_part(folder: Path, truth: list[int], classes: tuple[str, ...]) -> dict[str, Any]:
    """Take the screenshots of the documentation; of random images some guesses are sure and wrong."""
    run = Run(fresh(folder, "pictures"), classes, "budget.total=400", "strategy=random")
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(f"{run.address}&name=Ada")
        answer(page, truth, 3 * BATCH + 6)
        page.wait_for_timeout(3000)
        shots: dict[str, Callable[[], None]] = {
            "page_one.png": lambda: None,
            "page_grid.png": lambda: page.keyboard.press("g"),
            "page_review.png": lambda: page.keyboard.press("v"),
            "page_phone.png": lambda: on_a_phone(page),
        }
        for name, prepare in shots.items():
            prepare()
            page.wait_for_timeout(1500)
            path = DOCS / name
            page.screenshot(path=path)
            with Image.open(path) as shot:
                shot.convert("RGB").quantize(128).save(path, optimize=True)
    run.stop()
    return {name: (DOCS / name).stat().st_size for name in shots}


def on_a_phone(page: "Page") -> None:
    """Show one image at the size of a phone, in dark colors."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark")
    page.keyboard.press("o")


def spread(values: list[float]) -> dict[str, float]:
    """Return the median and the 95th percentile."""
    ordered = sorted(values)
    high = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return {
        "median": round(statistics.median(ordered), 3),
        "p95": round(high, 3),
        "count": len(ordered),
    }


PARTS: dict[str, Callable[[Path, list[int], tuple[str, ...]], dict[str, Any]]] = {
    "page": page_part,
    "csv": csv_part,
    "kills": kills_part,
    "steps": steps_part,
    "attacks": attacks_part,
    "pictures": pictures_part,
}

if __name__ == "__main__":
    main()
