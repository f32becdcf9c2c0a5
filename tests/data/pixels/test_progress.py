import logging

import pytest

from al_lightning.data.pixels.progress import shown_progress


def test_where_nobody_watches_there_are_lines(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = iter([0.0, 4.0, 11.0, 12.0])
    monkeypatch.setattr("al_lightning.data.pixels.progress.time.monotonic", lambda: next(clock))
    caplog.set_level(logging.INFO)
    with shown_progress("Decoding", 5000, done=1000) as advance:
        for _ in range(3):
            advance(1000)
    assert caplog.messages == ["Decoding: 3,000 of 5,000, 11 s"]
