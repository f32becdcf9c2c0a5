from threading import Event

import pytest

from tests import background
from tests.background import Background, at_once


def test_calls_are_made_and_waited_for() -> None:
    calls: list[int] = []
    at_once(lambda: calls.append(1), 3)
    assert calls == [1, 1, 1]


def test_what_a_thread_raises_arrives() -> None:
    def fail() -> None:
        pytest.fail("in the thread")

    with pytest.raises(pytest.fail.Exception, match="in the thread"):
        at_once(fail, 2)


def test_a_call_that_hangs_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    release = Event()
    thread = Background(release.wait)
    monkeypatch.setattr(background, "DEADLINE", 0.01)
    with pytest.raises(AssertionError, match="hangs"):
        thread.end()
    release.set()
    thread.join()
