from typing import Any

import pytest
from lightning.pytorch.callbacks import Callback

from al_lightning import LoopCallback, UsageError
from al_lightning.callbacks.loop_callback import CallbackList, require_callbacks


class Silent(LoopCallback):
    def on_round_end(self) -> None:  # type: ignore[override]
        """Take no result."""


class Misspelled(LoopCallback):
    on_gpu = True

    def on_round_ended(self, result: Any) -> None:
        """Never called."""


class Lacking:
    def on_run_start(self, journal: Any, data: Any) -> None:
        """Look."""


@pytest.mark.parametrize(
    ("callbacks", "message"),
    [
        (LoopCallback(), "must be a list of LoopCallback"),
        (None, "must be a list of LoopCallback, not None"),
        ([LoopCallback], r"must hold LoopCallback\(\.\.\.\)"),
        ([Callback()], "let make_trainer give it"),
        ([Lacking()], "Lacking cannot watch a run: it has no `on_fit_start`"),
        ([Misspelled()], "on_round_ended would never be called; did you mean on_round_end?"),
        ([Silent()], r"Silent\.on_round_end takes 1 arguments"),
    ],
)
def test_what_cannot_watch_a_run_is_named(callbacks: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        require_callbacks(callbacks)


def test_every_hook_reaches_every_callback_in_order() -> None:
    calls: list[tuple[str, str, tuple[Any, ...]]] = []
    hooks = [name for name in vars(LoopCallback) if name.startswith("on_")]

    def recorder(name: str) -> LoopCallback:
        watching = LoopCallback()
        for hook in hooks:
            setattr(watching, hook, lambda *facts, hook=hook: calls.append((name, hook, facts)))
        return watching

    together = CallbackList([recorder("first"), recorder("second")])
    for hook in hooks:
        count = getattr(LoopCallback, hook).__code__.co_argcount - 1
        getattr(together, hook)(*range(count))
        assert calls == [(name, hook, tuple(range(count))) for name in ("first", "second")]
        calls.clear()


def test_one_callback_that_wants_to_stop_suffices() -> None:
    class Stops(LoopCallback):
        def wants_to_stop(self) -> bool:
            return True

    assert not CallbackList([LoopCallback()]).wants_to_stop()
    assert CallbackList([LoopCallback(), Stops()]).wants_to_stop()
