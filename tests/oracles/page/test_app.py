import json
import os
from contextlib import suppress
from pathlib import Path
from threading import Event

import httpx
import pytest

from al_lightning.oracles.page import app
from al_lightning.oracles.page.oracle import PageOracle
from al_lightning.oracles.page.page_log import PageLog
from tests.background import DEADLINE, Background
from tests.oracles.page.helpers import Client, ask, image_data, question, served


def test_a_session_without_a_browser(tmp_path: Path) -> None:
    with served(tmp_path) as (oracle, address):
        client = Client(address)
        asked = ask(oracle, question(7, 3, 5))
        images: list[int] = []
        while not images:
            images = [one["id"] for one in client.post("/take", count=9).json()["images"]]
        assert images == [7, 3, 5]
        said = [{"id": i, "before": None, "after": "owl"} for i in images]
        assert client.post("/submit", by="Ada\x1b \n", labels=said[:2]).json() == {
            "saved": 2,
            "refused": {},
        }
        assert [entry.by for entry in PageLog(tmp_path / "page.jsonl").entries] == ["Ada", "Ada"]
        state = client.http.get("/status").json()
        assert (state["labels"], state["left"], state["by_class"]) == (2, 1, [0, 0, 2])
        client.post("/submit", labels=said[2:])
        answer = asked.end()
        assert answer is not None
        assert answer.labels.tolist() == [2, 2, 2]
        history = client.http.get("/history?count=9").json()["labels"]
        assert [(one["id"], one["value"]) for one in history] == [
            (5, "owl"),
            (3, "owl"),
            (7, "owl"),
        ]


def test_images_are_files_of_their_own(tmp_path: Path) -> None:
    with served(tmp_path) as (_, address):
        client = Client(address)
        answer = client.http.get("/image/3/large")
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["cache-control"].startswith("private")
        assert answer.content.startswith(b"\x89PNG")
        assert client.http.get("/static/page.css").headers["content-type"].startswith("text/css")
        assert client.http.get("/static/none.css").status_code == 404


def test_names_with_html_stay_text(tmp_path: Path) -> None:
    names = ("</script><script>alert(1)</script>", "<img src=x onerror=alert(2)>", "a & b")
    with served(tmp_path, image_data(names)) as (_, address):
        page = Client(address).http.get("/").text
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    about = page.partition('id="about">')[2].partition("</script>")[0]
    assert json.loads(about)["classes"] == list(names)


def test_streams_end_at_once_when_the_page_closes(tmp_path: Path) -> None:
    with served(tmp_path) as (oracle, address):
        client = Client(address)
        phases: list[str] = []

        def listen() -> None:
            with client.http.stream("GET", "/events", params={"tab": "t"}) as answer:
                for line in answer.iter_lines():
                    kind, _, data = line.partition(": ")
                    phases.extend([json.loads(data)["phase"]] if kind == "data" else [])

        listening = Background(listen)
        while not phases:
            pass
        oracle.live.publish(phase="fit", round=1)
        while phases[-1] != "fit":
            pass
        oracle.close()
        listening.end()
        assert phases[-1] == "stop"


def test_a_stream_tells_of_the_end_that_comes_while_it_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, streaming = PageOracle._status, False

    def ended_meanwhile(self: PageOracle) -> dict[str, object]:
        state = status(self)
        if streaming and state["phase"] != "stop":
            self.live.publish(phase="stop")
            assert self._streams is not None
            self._streams.close()
        return state

    monkeypatch.setattr(PageOracle, "_status", ended_meanwhile)
    with served(tmp_path) as (_, address):
        client = Client(address)
        streaming = True
        with client.http.stream("GET", "/events") as answer:
            lines = [line.removeprefix("data: ") for line in answer.iter_lines() if line]
    assert [json.loads(line)["phase"] for line in lines][-1] == "stop"


def test_a_full_disk_is_said_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with served(tmp_path) as (oracle, address):
        client = Client(address)
        asked = ask(oracle, question(7))
        while client.http.get("/status").json()["left"] != 1:
            pass
        said = [{"id": 7, "before": None, "after": "cat"}]
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", full)
            answer = client.post("/submit", labels=said)
        assert answer.status_code == 507
        assert "No space left" in answer.json()["problem"]
        assert client.http.get("/status").json()["labels"] == 0
        assert client.post("/submit", labels=said).status_code == 200
        assert asked.end() is not None


def test_an_id_of_any_length_is_no_error(tmp_path: Path) -> None:
    with served(tmp_path) as (_, address):
        client = Client(address)
        for digits in ("9" * 5000, "9" * 18, "\u0663", "-1", "x"):
            assert client.http.get(f"/image/{digits}/large").status_code == 404
        for count in ("9" * 5000, "-1", ""):
            assert client.http.get(f"/history?count={count}").status_code == 400


def test_half_characters_are_replaced(tmp_path: Path) -> None:
    with served(tmp_path) as (oracle, address):
        client = Client(address)
        oracle.live.publish(project=True)
        headers = {"origin": client.base, "content-type": "application/json"}
        body = b'{"tab": "t", "by": "", "name": "\\ud800"}'
        assert client.http.post("/class", content=body, headers=headers).json()["name"] == "?"
        assert client.http.get("/status").json()["classes"][-1] == "?"
        body = b'{"tab": "t", "by": "", "labels": [{"id": 1, "before": null, "after": "\\ud800x"}]}'
        assert client.http.post("/submit", content=body, headers=headers).status_code == 409


def test_a_request_that_the_end_cuts_off_writes_nothing_on_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    begun, ends = Event(), Event()

    def slow(*_: object) -> None:
        begun.set()
        ends.wait(DEADLINE)

    monkeypatch.setattr(app, "page_image", slow)
    with served(tmp_path) as (_, address):
        client = Client(address)

        def get() -> None:
            with suppress(httpx.HTTPError):
                client.http.get("/image/1/large")

        request = Background(get)
        assert begun.wait(DEADLINE)
    ends.set()
    request.end()
    assert not [one for one in caplog.records if one.name.startswith(("uvicorn", "asyncio"))]


def test_stop_ends_the_waiting(tmp_path: Path) -> None:
    with served(tmp_path) as (oracle, address):
        client, one = Client(address), question(7)
        asked = ask(oracle, one)
        assert client.post("/stop").json() == {"stopping": True}
        assert asked.end() is None
        assert "same command" in oracle.instructions(one)
