import time

import pytest

from al_lightning.utils.stopwatch import PHASES, Stopwatch


def set_clock(monkeypatch: pytest.MonkeyPatch, *readings: float) -> None:
    monkeypatch.setattr(time, "perf_counter", iter(readings).__next__)


def test_phases_start_at_zero() -> None:
    assert PHASES == ("fit", "test", "score", "select")
    assert Stopwatch().seconds == {"fit": 0.0, "test": 0.0, "score": 0.0, "select": 0.0}


def test_seconds_of_an_earlier_fit_count() -> None:
    assert Stopwatch(fit=2.5).seconds == {"fit": 2.5, "test": 0.0, "score": 0.0, "select": 0.0}


def test_seconds_of_a_phase_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch, 10.0, 11.5, 20.0, 20.25, 30.0, 34.0)
    watch = Stopwatch(fit=1.0)
    for phase in ("fit", "score", "fit"):
        with watch.time(phase):
            pass
    assert watch.seconds == {"fit": 6.5, "test": 0.0, "score": 0.25, "select": 0.0}


def test_a_block_that_fails_counts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch, 1.0, 3.0)
    watch = Stopwatch()
    with pytest.raises(ZeroDivisionError), watch.time("select"):
        _ = 1 / 0
    assert watch.seconds["select"] == 2.0


def test_a_phase_that_not_every_round_has_counts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch, 1.0, 3.0)
    watch = Stopwatch()
    with watch.time("advice"):
        pass
    assert watch.seconds == {"fit": 0.0, "test": 0.0, "score": 0.0, "select": 0.0, "advice": 2.0}


def test_what_another_watch_has_measured_is_added() -> None:
    watch, other = Stopwatch(fit=1.0), Stopwatch()
    other.seconds |= {"score": 0.5, "select": 0.25, "advice": 3.0}
    watch.seconds["select"] = 1.0
    watch.add(other)
    assert watch.seconds == {"fit": 1.0, "test": 0.0, "score": 0.5, "select": 1.25, "advice": 3.0}
    assert other.seconds["select"] == 0.25
