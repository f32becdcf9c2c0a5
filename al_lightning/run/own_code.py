"""The user's code that a run depends on, so that a run is not continued after an edit.

Versions cover the code of installed packages. What a user has written has no version: it is followed
from the parts that a loop was given to the functions, classes and global values that they use. The
compiled code is read, not the source, which notebooks and interactive sessions may lack; so comments,
docstrings and the place of a file do not matter.
"""

import argparse
import dis
import functools
import hashlib
import sys
import types
from collections.abc import Iterable, Mapping, Set
from enum import Enum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from al_lightning.run.code_parts import (
    array_text,
    attributes,
    cell_content,
    global_names,
    is_code,
    layer_settings,
    state_of,
    used_names,
)

_OURS = "al_lightning"
_VERSIONED = frozenset(
    f"{_OURS} torch torchvision lightning pytorch_lightning torchmetrics lightning_fabric "
    "lightning_utilities hydra omegaconf numpy builtins".split()
)
_INSTALLED = ("site-packages", "dist-packages")  # folders of packages
_COMPILED = (".so", ".pyd")
_PLAIN = (bool, int, float, complex, str, bytes, type(None), type(...), Enum)
_PLAIN_ARRAYS = (np.generic, torch.dtype, torch.device)
_FUNCTION = types.FunctionType
_NAMESPACES = (argparse.Namespace, types.SimpleNamespace)
_NOT_CODE = frozenset(["__doc__", "__module__", "__qualname__", "__dict__", "__weakref__"])


def own_code(parts: Iterable[object]) -> tuple[dict[str, str], dict[str, str]]:
    """Describe the code outside versioned packages that some objects use.

    Args:
        parts: Functions, classes, partials and instances.

    Returns:
        A digest of each function, class, extension module, global value and instance of the user's, by
        its qualified name without its module; and the versions of the other installed packages that are
        used.
    """
    walk = _Walk()
    for part in parts:
        walk.start(part)
    found = {name: _digest("".join(sorted(texts))) for name, texts in walk.found.items()}
    return dict(sorted(found.items())), dict(sorted(walk.packages.items()))


class _Walk:
    """Follows objects to the code they use; each becomes a text that is equal for equal code."""

    def __init__(self) -> None:
        self.found: dict[str, set[str]] = {}
        self.packages: dict[str, str] = {}
        self._open: dict[int, object] = {}  # being described now: they may refer to themselves
        self._done: dict[int, object] = {}  # has its entry; kept, so that its id stays its own

    def start(self, part: object) -> None:
        """Follow one of the objects that the walk begins with."""
        text = self._text(part)
        if isinstance(part, functools.partial):
            self._note(f"{getattr(part.func, '__qualname__', 'partial')}(...)", text)
        elif isinstance(part, nn.Module):
            self._note(f"{type(part).__qualname__}()", text)

    def _note(self, name: str, text: str) -> None:
        self.found.setdefault(name, set()).add(_digest(text))

    # What an object is, as a text

    def _text(self, value: object) -> str:
        if isinstance(value, _PLAIN + _PLAIN_ARRAYS):
            return repr(value)
        if id(value) in self._open:
            return "(itself)"
        self._open[id(value)] = value
        try:
            return self._compound(value)
        finally:
            del self._open[id(value)]

    def _compound(self, value: object) -> str:  # noqa: PLR0911 - one line a kind
        match value:
            case _FUNCTION() | type():
                return self._code_object(value)
            case types.ModuleType():
                return value.__name__.rpartition(".")[2]
            case types.MethodType():
                return self._all("method", [value.__func__, value.__self__])
            case functools.partial():
                return self._all("partial", [value.func, value.args, value.keywords])
            case Mapping():
                return f"{{{','.join(sorted(self._all('', pair) for pair in value.items()))}}}"
            case Set():
                return f"{{{','.join(sorted(map(self._text, value)))}}}"
            case list() | tuple():
                return self._all("", value)
            case Tensor() | np.ndarray():
                return array_text(value)
            case property():
                return self._all("property", [value.fget, value.fset, value.fdel])
            case classmethod() | staticmethod():
                return self._all(type(value).__name__, [value.__func__])
            case functools.cached_property():
                return self._all("property", [value.func])
            case types.BuiltinFunctionType():
                self._home(value.__module__)
                return value.__name__
        wrapped = attributes(value).get("__wrapped__")  # such as functools.cache
        return self._instance(value) if wrapped is None else self._all("wrapped", [wrapped])

    def _all(self, name: str, values: Iterable[object]) -> str:
        return f"{name}({','.join(map(self._text, values))})"

    def _instance(self, value: object) -> str:
        kind = type(value)
        name, home = self._code_object(kind), self._home(kind.__module__)
        children = dict(value.named_children()) if isinstance(value, nn.Module) else {}
        if home is None or isinstance(value, _NAMESPACES):
            text = self._all(name, [state_of(value), children])
            # A layer is part of its model's entry.
            if home is None and not isinstance(value, nn.Module):
                self._note(f"{name}()", text)
            return text
        if home == _OURS:
            self._enter(value)
        elif children or isinstance(value, nn.Module):
            return self._all(name, [layer_settings(value), children])
        return self._all(name, [children])

    def _enter(self, value: object) -> None:
        """Follow an object of this package, which may hold parts of the user's, such as a strategy."""
        if id(value) in self._done:
            return
        self._done[id(value)] = value
        for inner in attributes(value).values():
            self._text(inner)

    # Code

    def _code_object(self, code: Any) -> str:
        """Return the name of a function or class; add its digest, if it is the user's."""
        name = str(getattr(code, "__qualname__", code))
        if self._home(code.__module__) is None and id(code) not in self._done:
            self._done[id(code)] = code
            self._note(name, self._members(code) if isinstance(code, type) else self._body(code))
        return name

    def _members(self, kind: type) -> str:
        members = {
            key: value
            for key, value in sorted(vars(kind).items())
            if key not in _NOT_CODE and (not key.startswith("__") or callable(value))
        }
        texts = [f"{key}={self._member(value)}" for key, value in members.items()]
        return self._all("bases", kind.__bases__) + ";".join(texts)

    def _member(self, value: object) -> str:
        """Return a method as a part of its class, whose name the entry has."""
        function = value.__func__ if isinstance(value, classmethod | staticmethod) else value
        if isinstance(function, _FUNCTION) and self._home(function.__module__) is None:
            return f"{type(value).__name__} {self._body(function)}"
        return self._text(value)

    def _body(self, function: types.FunctionType) -> str:
        names = set(used_names(function.__code__))
        for name in sorted(set(global_names(function.__code__))):
            if name in function.__globals__ and not name.startswith("__"):
                self._global(name, function.__globals__[name], names)
        held = [cell_content(cell) for cell in function.__closure__ or ()]
        return self._all(
            self._instructions(function.__code__),
            [function.__defaults__, function.__kwdefaults__, *held],
        )

    def _instructions(self, code: types.CodeType) -> str:
        """Return a function's instructions, without its place and its docstring."""
        return "\n".join(
            f"{step.opname} {self._instructions(value) if is_code(value) else self._text(value)}"
            for step in dis.get_instructions(code)
            for value in (step.argval,)
        )

    def _global(self, name: str, value: object, names: Set[str]) -> None:
        """Follow a global value of a function."""
        if isinstance(value, types.ModuleType):
            if self._home(value.__name__) is None:  # what is looked up in it, and maybe more
                for inner in sorted(names & vars(value).keys()):
                    if not inner.startswith("__"):
                        self._global(inner, vars(value)[inner], frozenset())
            return
        text = self._text(value)
        has_its_own = (
            isinstance(value, _FUNCTION | type) or self._home(type(value).__module__) is None
        )
        if not has_its_own and not isinstance(value, Path):
            self._note(name, text)

    def _home(self, module: str | None) -> str | None:
        """Return the package that a version covers; None where the user has written the module."""
        top = (module or "builtins").partition(".")[0]
        if top in _VERSIONED or top in sys.stdlib_module_names:
            return top
        if top == "__main__":  # a script, a notebook or a session
            return None
        file = Path(getattr(sys.modules.get(str(module)), "__file__", None) or "")
        if not set(file.parts).isdisjoint(_INSTALLED):
            self.packages.setdefault(top, _version(top))
            return top
        if file.suffix in _COMPILED:  # there is no code to read
            self._note(str(module).rpartition(".")[2], _file_digest(file))
            return top
        return None


def _file_digest(file: Path) -> str:
    """Return a digest of a file's content."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


@functools.cache  # a search of the whole installation
def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # it is called otherwise than what is imported
        return str(getattr(sys.modules.get(package), "__version__", "unknown"))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
