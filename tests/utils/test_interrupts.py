import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from al_lightning.utils.interrupts import Interrupted, interruptible
from tests.background import DEADLINE, Background
from tests.loop.test_loop import TinyModel, tiny_trainer

IMAGES = TensorDataset(torch.zeros(8, 1, 8, 8), torch.zeros(8, dtype=torch.int64))
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2]

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows cannot send itself these signals")


class Signalled(TinyModel):
    def __init__(self, hook: str, number: int) -> None:
        super().__init__()
        self._hook, self._number = hook, number

    def on_train_batch_end(self, *args: object) -> None:
        self._raise("on_train_batch_end")

    def on_train_end(self) -> None:
        self._raise("on_train_end")

    def _raise(self, hook: str) -> None:
        if hook == self._hook:
            os.kill(os.getpid(), self._number)


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("hook", ["on_train_batch_end", "on_train_end"])
def test_a_signal_at_any_time_stops_a_fit(hook: str, number: signal.Signals) -> None:
    before = {each: signal.getsignal(each) for each in SIGNALS}
    with pytest.raises(Interrupted) as caught, interruptible():
        tiny_trainer(0, 8).fit(Signalled(hook, number), DataLoader(IMAGES, batch_size=4))
    assert caught.value.signal is number
    assert caught.value.exit_status == 128 + number
    assert {each: signal.getsignal(each) for each in SIGNALS} == before


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_that_comes_where_python_swallows_exceptions_stops_a_block_too(
    number: signal.Signals,
) -> None:
    class Dying:
        def __del__(self) -> None:
            os.kill(os.getpid(), number)

    reached = []

    def block() -> None:
        Dying()
        reached.append("behind it")
        time.sleep(DEADLINE)

    with pytest.raises(Interrupted) as caught, interruptible():
        block()
    assert caught.value.signal is number
    assert reached


def test_what_else_is_swallowed_is_shown_as_ever() -> None:
    class Failing:
        def __del__(self) -> None:
            raise ValueError("in passing")

    before = sys.unraisablehook
    shown: list[object] = []
    sys.unraisablehook = lambda unraisable: shown.append(str(unraisable.exc_value))
    try:
        with interruptible():
            Failing()
    finally:
        sys.unraisablehook = before
    assert shown == ["in passing"]


def test_what_stops_a_library_is_a_keyboard_interrupt() -> None:
    with pytest.raises(KeyboardInterrupt), interruptible():
        os.kill(os.getpid(), signal.SIGINT)


def test_an_undisturbed_block_and_other_errors_pass_through() -> None:
    with interruptible():
        pass
    with pytest.raises(SystemExit), interruptible():
        raise SystemExit(3)


def test_a_block_in_a_block_leaves_the_signals_to_the_outer_one() -> None:
    def both() -> None:
        with interruptible():
            with interruptible():
                pass
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Interrupted):
        both()


def test_signals_that_are_handled_or_ignored_already_stay_so() -> None:
    caught: list[int] = []
    before = signal.signal(signal.SIGUSR2, lambda number, frame: caught.append(number))
    ignored = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    try:
        with interruptible():
            os.kill(os.getpid(), signal.SIGUSR2)
            os.kill(os.getpid(), signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR2, before)
        signal.signal(signal.SIGUSR1, ignored)
    assert caught == [signal.SIGUSR2]


def test_other_threads_are_left_alone() -> None:
    def block() -> None:
        with interruptible():
            pass

    Background(block).end()


def test_a_second_signal_stops_the_process_at_once() -> None:
    program = """
import os, signal
from al_lightning.utils.interrupts import interruptible
with interruptible():
    try:
        os.kill(os.getpid(), signal.SIGINT)
        signal.pause()
    finally:
        print("cleaning up", flush=True)
        os.kill(os.getpid(), signal.SIGTERM)
        print("never here")
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE,
    )
    assert done.returncode == 128 + signal.SIGTERM
    assert done.stdout == "cleaning up\n"
    assert "a second signal stops at once" in done.stderr


def test_what_python_swallows_in_a_block_in_a_block_stops_in_order_too() -> None:
    class Dying:
        def __del__(self) -> None:
            os.kill(os.getpid(), signal.SIGTERM)

    def both() -> None:
        with interruptible():
            Dying()
            time.sleep(DEADLINE)

    with pytest.raises(Interrupted), interruptible():
        both()
