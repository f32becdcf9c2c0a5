"""Every public class and function shows how it is used, and what it shows is run."""

import doctest
import inspect
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

PUBLIC = tuple(
    f"al_lightning{package}"
    for package in ("", ".strategies", ".data", ".models", ".oracles", ".callbacks", ".report")
)
EXTRAS = {"TimmBackbone": "timm", "EfficientNetLite0": "timm", "load": "pandas"}
WITHOUT = {"require_embedder", "summarize"}  # functions that need no example


def public_objects() -> dict[str, Any]:
    """All public classes and functions by the name that they are imported by; each once."""
    modules = [import_module(name) for name in PUBLIC]
    names = [(module, name) for module in modules for name in module.__all__]
    objects = {f"{module.__name__}.{name}": getattr(module, name) for module, name in names}
    seen: set[int] = set()
    return {
        path: thing
        for path, thing in objects.items()
        if (inspect.isclass(thing) or inspect.isfunction(thing))
        and not (id(thing) in seen or seen.add(id(thing)))  # type: ignore[func-returns-value]
        and thing.__name__ not in WITHOUT
    }


OBJECTS = public_objects()


@pytest.mark.parametrize("path", OBJECTS)
def test_the_example_of_a_public_name_runs(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    thing = OBJECTS[path]
    extra = EXTRAS.get(thing.__name__)
    if extra is not None and find_spec(extra) is None:
        pytest.skip(f"{extra} is not installed")
    monkeypatch.chdir(tmp_path)
    test = doctest.DocTestParser().get_doctest(thing.__doc__ or "", {}, path, None, 0)
    assert test.examples, f"{path} has no example in its docstring"
    said: list[str] = []
    failed, _ = doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    assert not failed, "".join(said)
    assert [*tmp_path.iterdir()] == []  # it leaves nothing behind
