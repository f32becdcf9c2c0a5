import os
import signal
from collections.abc import Iterator

import lightning as L
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from al_lightning.interrupts import interrupts_raise
from tests.test_loop import TinyModel, tiny_trainer

IMAGES = TensorDataset(torch.zeros(8, 1, 8, 8), torch.zeros(8, dtype=torch.int64))


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGINT, before[0])
    signal.signal(signal.SIGTERM, before[1])


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


def fit(module: L.LightningModule) -> None:
    trainer = tiny_trainer(0, 8)
    with interrupts_raise(trainer):
        trainer.fit(module, DataLoader(IMAGES, batch_size=4))


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot send itself these signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("hook", ["on_train_batch_end", "on_train_end"])
def test_a_signal_at_any_time_is_a_keyboard_interrupt(hook: str, number: signal.Signals) -> None:
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        fit(Signalled(hook, number))
    assert signal.getsignal(signal.SIGINT) is handler  # Ctrl-C works again


def test_an_undisturbed_fit_and_other_errors_pass_through() -> None:
    fit(TinyModel())
    with pytest.raises(SystemExit), interrupts_raise(tiny_trainer(0, 8)):
        raise SystemExit(3)
