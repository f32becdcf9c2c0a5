from types import SimpleNamespace
from typing import Any

from al_lightning.callbacks.inner_progress import InnerLines


class Follow:
    """Calls the hooks of a callback as Lightning does, with so many seconds between two steps."""

    def __init__(self, seconds: float) -> None:
        self.now, self.seconds = 0.0, seconds
        self.lines: list[str] = []
        self.callback = InnerLines(self.lines.append, lambda: self.now)

    def passes(self, batches: int) -> None:
        trainer: Any = SimpleNamespace(num_predict_batches=[batches])
        module: Any = None
        self.callback.on_predict_start(trainer, module)
        for _ in range(batches):
            self.now += self.seconds
            self.callback.on_predict_batch_end(trainer, module)
        self.callback.on_predict_end(trainer, module)


def test_a_line_a_minute() -> None:
    follow = Follow(seconds=25)
    follow.passes(10)
    assert follow.lines == [
        "score: 3 of 10, 1:15",
        "score: 6 of 10, 2:30",
        "score: 9 of 10, 3:45",
    ]


def test_many_short_passes_are_not_silent() -> None:
    follow = Follow(seconds=20)
    for _ in range(3):
        follow.passes(2)
    assert follow.lines == ["score: 1 of 2, 0:20", "score: 2 of 2, 0:40"]


def test_what_takes_less_than_a_minute_says_nothing() -> None:
    follow = Follow(seconds=1)
    follow.passes(59)
    assert not follow.lines
