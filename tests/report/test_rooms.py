"""The folders of the report stand in a row: none imports one that comes later."""

from pathlib import Path

import pytest

from tests.test_architecture import PACKAGE, imports

REPORT = PACKAGE / "report"
LEAVES = {"rules", "wording"}
#: What each folder may import, besides itself.
BELOW = {
    "statistics": LEAVES,
    "study": {*LEAVES, "statistics"},
    "analysis": {*LEAVES, "statistics", "study"},
    "words": {*LEAVES, "statistics", "study", "analysis"},
    "figures": {*LEAVES, "statistics", "study", "analysis", "words"},
    "tables": {*LEAVES, "statistics", "study", "analysis", "words"},
}


def parts_of_the_report(path: Path) -> set[str]:
    """What a file imports of the report, by folder or module."""
    modules = (m for m in imports(path) if m.startswith("al_lightning.report."))
    return {module.split(".")[2] for module in modules}


@pytest.mark.parametrize("folder", BELOW)
def test_imports_go_one_way(folder: str) -> None:
    for path in (REPORT / folder).rglob("*.py"):
        assert parts_of_the_report(path) <= {folder, *BELOW[folder]}, path


def test_leaves_import_nothing_of_the_report() -> None:
    for name in LEAVES:
        assert not parts_of_the_report(REPORT / f"{name}.py")


def test_every_folder_but_the_last_is_known() -> None:
    assert {path.parent.name for path in REPORT.glob("*/__init__.py")} == {*BELOW, "page"}
