import gc
import pickle
import weakref

import pytest
import torch

from al_lightning.data.pixels import resident
from al_lightning.data.pixels.resident import Resident
from al_lightning.data.pixels.stored import PixelStore
from tests.data.pixels.test_stored import PIXELS, Counted

META = torch.device("meta")  # stands for a device with memory of its own


@pytest.fixture(autouse=True)
def room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resident, "_free_on", lambda device: 200)


class Quick(Counted):
    workers = 0


@pytest.mark.parametrize("pixels", [PIXELS, Quick()], ids=["memory", "mapped"])
def test_pixels_are_moved_once(pixels: torch.Tensor | PixelStore) -> None:
    here = Resident()
    moved = here.on(META, pixels)
    assert isinstance(moved, torch.Tensor)
    assert (moved.device, moved.shape, moved.dtype) == (META, PIXELS.shape, torch.uint8)
    assert here.on(META, pixels) is moved


def test_what_does_not_fit_or_is_slow_to_read_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Counted()
    assert Resident().on(META, slow) is slow
    assert Resident().on(torch.device("cpu"), PIXELS) is PIXELS
    monkeypatch.setattr(resident, "_free_on", lambda device: 179)  # half of it is for other things
    assert Resident().on(META, PIXELS) is PIXELS


def test_another_process_begins_with_nothing() -> None:
    here = Resident()
    moved = here.on(META, PIXELS)
    there = pickle.loads(pickle.dumps(here))
    assert there.on(META, PIXELS) is not moved


def test_a_copy_goes_where_its_pixels_go() -> None:
    here, pixels = Resident(), PIXELS.clone()
    copy = weakref.ref(here.on(META, pixels))
    assert copy() is not None
    del pixels
    gc.collect()
    assert copy() is None
