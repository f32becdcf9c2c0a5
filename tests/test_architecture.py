"""The house stays in order: imports run downwards, and nothing grows too long to be read."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "al_lightning"
TESTS = Path(__file__).parent
#: What each room may import, besides itself.
BELOW = {
    "utils": set[str](),
    "run": {"utils"},
    "data": {"run", "utils"},
    "models": {"data", "run", "utils"},
    "strategies": {"run", "utils"},
    "oracles": {"data", "run", "utils"},
    "callbacks": {"data", "run", "utils"},
    "report": {"run", "utils"},
}
BELOW["training"] = {*BELOW} - {"report"}
BELOW["inference"] = {"training", "oracles", "data", "models", "run", "utils"}
BELOW["loop"] = {*BELOW} - {"report", "inference"}
BELOW["cli"] = {*BELOW}
FILES = sorted(PACKAGE.rglob("*.py"))
COMMANDS = ("predict.py", "export.py", "cache.py", "labels.py", "classes.py", "review.py")
LIMITS = {ast.ClassDef: 250, ast.FunctionDef: 50, ast.AsyncFunctionDef: 50}  # lines


def imports(path: Path) -> Iterator[str]:
    """The modules that a file imports, wherever it does."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0]


@pytest.mark.parametrize("room", BELOW)
def test_imports_run_downwards(room: str) -> None:
    for path in (PACKAGE / room).rglob("*.py"):
        rooms = {m.split(".")[1] for m in imports(path) if m.startswith("al_lightning.")}
        assert rooms <= {room, *BELOW[room]}, path


def test_every_room_is_known() -> None:
    assert {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()} == {*BELOW}


@pytest.mark.parametrize("room", BELOW)
def test_folders_of_a_room_import_in_no_circle(room: str) -> None:
    folders = {path.parent.name for path in (PACKAGE / room).glob("*/__init__.py")}
    imported: dict[str, set[str]] = {folder: set() for folder in folders}
    for folder in folders:
        for path in (PACKAGE / room / folder).rglob("*.py"):
            parts = (module.split(".") for module in imports(path))
            found = {part[2] for part in parts if part[:2] == ["al_lightning", room] and part[2:]}
            imported[folder] |= found & folders - {folder}
    TopologicalSorter(imported).prepare()  # a CycleError names the circle


def test_hydra_is_known_in_one_room_alone() -> None:
    for path in FILES:
        if room_of(path) != "cli":
            known = {module.split(".")[0] for module in imports(path)}
            assert not known & {"hydra", "omegaconf"}, path


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_is_too_long_to_be_read(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    for node in ast.walk(ast.parse(text)):
        if limit := LIMITS.get(type(node)):
            lines = node.end_lineno - node.lineno + 1  # type: ignore[attr-defined]
            assert lines <= limit, f"{node.name} in line {node.lineno}"  # type: ignore[attr-defined]


def test_tests_mirror_the_package() -> None:
    folders = ["", *(f"{path.name}/" for path in PACKAGE.iterdir() if path.is_dir())]
    for path in TESTS.rglob("test_*.py"):
        place = path.relative_to(TESTS)
        if f"{place.parts[0]}/" in folders and len(place.parts) > 1:
            assert (PACKAGE / place.parent).is_dir(), f"{place} mirrors no folder"


def test_the_root_has_few_entries() -> None:
    others = {*COMMANDS, "py.typed", "__pycache__"}
    assert len({path.name for path in PACKAGE.iterdir()} - others) <= 14


@pytest.mark.parametrize("name", [*COMMANDS, "__main__.py"])
def test_commands_at_the_root_are_short(name: str) -> None:
    statements = ast.parse((PACKAGE / name).read_text(encoding="utf-8")).body
    assert len(statements) == 3  # the docstring, an import, a call
