import argparse
import importlib
import os
import runpy
import subprocess
import sys
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn

from al_lightning.models import ImageClassifier
from al_lightning.run.own_code import own_code
from al_lightning.strategies import Margin, Shortlist
from tests.helpers import Linear

HELPER = """
FACTOR = 2
def double(x):
    return FACTOR * x
def unused():
    return 1
"""
OWN = """
import functools
import helper
from torch import nn
from helper import double
HIDDEN = {"layers": [64, 32]}
LOSS_WEIGHTS = nn.functional.one_hot
def log(text):
    print(text)
@functools.cache
def cached():
    return 1
class Base:
    def run(self):
        return double(1)
class Own(Base):
    depth = 3
    def __init__(self, lr=0.1):
        '''Set up.'''
        self.lr = lr
    @staticmethod
    def still(): return cached()
    @property
    def size(self): return HIDDEN["layers"]
    def score(self, pool):
        # A comment.
        return [helper.double(x) + self.depth for x in pool]
make = lambda: Own(lr=0.2)
"""


def load(folder: Path, name: str, text: str) -> ModuleType:
    """Import a module from a text, whatever it was before."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.py").write_text(text)
    importlib.invalidate_caches()
    sys.modules.pop(name, None)
    return importlib.import_module(name)


@pytest.fixture
def digests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function from the edits of two modules to the digests of what they make."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def of(*edits: tuple[str, str], part: str = "Own") -> dict[str, str]:
        texts = {"helper": HELPER, "own": OWN}
        for old, new in edits:
            assert any(old in text for text in texts.values())
            texts = {name: text.replace(old, new) for name, text in texts.items()}
        load(tmp_path, "helper", texts["helper"])
        return own_code([getattr(load(tmp_path, "own", texts["own"]), part)])[0]

    yield of
    for name in ("helper", "own"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        (("return [helper", "return [-helper"), {"Own"}),
        (("depth = 3", "depth = 4"), {"Own"}),
        (("lr=0.1", "lr=0.2"), {"Own"}),
        (("return cached()", "return 2"), {"Own", "cached"}),
        (("return double(1)", "return double(2)"), {"Base"}),
        (("def cached():\n    return 1", "def cached():\n    return 5"), {"cached"}),
        (("[64, 32]", "[64, 16]"), {"HIDDEN"}),
        (("return FACTOR * x", "return x + FACTOR"), {"double"}),
        (("FACTOR = 2", "FACTOR = 3"), {"FACTOR"}),
    ],
)
def test_an_edit_of_what_is_used_is_named(
    digests: Any, edit: tuple[str, str], named: set[str]
) -> None:
    before, after = digests(), digests(edit)
    assert {key for key in before | after if before.get(key) != after.get(key)} == named


@pytest.mark.parametrize(
    "edit",
    [
        ("# A comment.", "# Another comment,\n        # of two lines."),
        ("Set up.", "Say otherwise."),
        ("        '''Set up.'''\n", ""),
        ("def log(text):\n    print(text)", "def log(text):\n    print(text, flush=True)"),
        ("def unused():\n    return 1", "def unused():\n    return 2"),
        ("import functools\n", "import functools\nimport json\n\n\n"),
    ],
)
def test_comments_docstrings_and_what_is_not_used_do_not_matter(
    digests: Any, edit: tuple[str, str]
) -> None:
    assert digests() == digests(edit)


def test_lambdas_and_what_they_call_are_followed(digests: Any) -> None:
    before, after = digests(part="make"), digests(("Own(lr=0.2)", "Own(lr=0.3)"), part="make")
    assert before.keys() == after.keys() >= {"<lambda>", "Own", "Base", "double", "HIDDEN"}
    assert {key for key in before if before[key] != after[key]} == {"<lambda>"}


def test_a_module_may_move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path / "a"), str(tmp_path / "b"), *sys.path])
    text = "from pathlib import Path\nHERE = Path(__file__)\ndef own():\n    return open(HERE)\n"
    before = own_code([load(tmp_path / "a", "own_place", text).own])
    after = own_code([load(tmp_path / "b", "own_moved", f"\n\n{text}").own])
    assert before == after


def test_code_without_a_file_has_a_digest() -> None:
    def made(text: str) -> dict[str, str]:
        names: dict[str, Any] = {"__name__": "__main__"}
        exec(text, names)
        return own_code([names["own"]])[0]

    assert made("def own(): return 1") == made("def own():\n  # one\n  return 1")
    assert made("def own(): return 1") != made("def own(): return 2")


def test_arguments_and_what_is_held_count() -> None:
    def held(value: Any) -> Any:
        return lambda: value

    settings = [1, 1.5, "a", (1,), [2], {"a": 1}, {1}, torch.ones(2), torch.zeros(2), torch.float16]
    settings += [argparse.Namespace(lr=1), argparse.Namespace(lr=2)]
    seen = [str(own_code([held(value)])) for value in settings]
    assert len(set(seen)) == len(settings)
    assert seen == [str(own_code([held(value)])) for value in settings]
    first, second = (own_code([partial(torch.optim.SGD, lr=lr)])[0] for lr in (0.1, 0.2))
    assert first.keys() == second.keys() == {"SGD(...)"}
    assert first != second


class OwnMargin(Margin):
    """A strategy of a user."""

    def __init__(self, weights: list[float]) -> None:
        super().__init__()
        self.weights = weights


def test_parts_inside_of_ours_are_found() -> None:
    one, two = (own_code([Shortlist(OwnMargin(w), Margin())])[0] for w in ([1.0], [2.0]))
    assert one.keys() == two.keys() == {"OwnMargin", "OwnMargin()"}
    assert one["OwnMargin"] == two["OwnMargin"]
    assert one["OwnMargin()"] != two["OwnMargin()"]

    def own_optimizer(parameters: Any) -> torch.optim.Optimizer:
        return torch.optim.SGD(parameters, lr=0.1)

    assert any(
        "own_optimizer" in key for key in own_code([ImageClassifier(Linear(), 3, own_optimizer)])[0]
    )
    assert own_code([Margin(), ImageClassifier, torch.optim.AdamW]) == ({}, {})


def test_layers_count_and_weights_do_not() -> None:
    layers = [nn.Dropout(0.1), nn.Dropout(0.1), nn.Dropout(0.2), nn.Linear(2, 3), nn.Linear(2, 3)]
    seen = [own_code([nn.Sequential(layer)])[0] for layer in layers]
    assert seen[0] == seen[1] != seen[2]
    assert seen[3] == seen[4]


def test_an_installed_package_is_its_version() -> None:
    import sklearn  # noqa: PLC0415
    from sklearn.cluster import KMeans  # noqa: PLC0415

    assert own_code([KMeans]) == ({}, {"sklearn": sklearn.__version__})


def test_an_object_that_holds_itself_ends() -> None:
    thing: list[Any] = [1]
    thing.append(thing)
    assert own_code([lambda: thing])[0]


def test_digests_are_the_same_in_every_process(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from al_lightning.run.own_code import own_code\n"
        "NAMES = {'b', 'a', 'c', 'd'}\n"
        "def own(x): return x in NAMES or x in {'e', 'f', 'g'}\n"
        "print(own_code([own]), hash('a'))\n"
    )
    runpy.run_path(str(script), run_name="__main__")
    here, order = capsys.readouterr().out.rsplit(maxsplit=1)
    there, other_order = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONHASHSEED": "1"},
        capture_output=True,
        check=True,
        text=True,
    ).stdout.rsplit(maxsplit=1)
    assert order != other_order  # so sets have another order there
    assert here == there
