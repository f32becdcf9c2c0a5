"""What README and docs/ say: commands run, and tables name the choices that there are."""

import os
import re
import runpy
import shlex
import sys
from pathlib import Path

import pytest
from PIL import Image

from al_lightning.oracles import PageOracle
from tests.command_line import QUICK

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
RUN = "outputs/digits/cnn/margin/seed=0"  # where README's first run is, whatever its budget


def commands(text: str) -> list[list[str]]:
    """The commands of a page that start this package, without their comments."""
    blocks = re.findall(r"^```\n(.*?)^```", text, re.M | re.S)
    lines = [line for block in blocks for line in block.splitlines()]
    parts = [shlex.split(line, comments=True) for line in lines]
    return [words[2:] for words in parts if words[:2] == ["python", "-m"]]


def made_quick(module: str, arguments: list[str]) -> list[str]:
    """The arguments with a tiny budget and network, where a command runs something."""
    if module != "al_lightning" or "--help" in arguments:
        return arguments
    if not arguments:
        return [*QUICK, f"hydra.run.dir='{RUN}'"]
    small = ["model=cnn", *QUICK]
    if "oracle=page" in arguments:
        small.append("oracle.open=false")
    if "dataset=fashion_mnist" in arguments:
        small.append("strategy.pool_subset=100")
    return [*arguments, *small]


def named_in_table(text: str, group: str) -> set[str]:
    """The choices that the unbroken table under a header names in its first column."""
    (table,) = re.findall(rf"^\| `{group}=` \|.*\n\| --- .*\n((?:\|.*\n)+)", text, re.M)
    cells = [row.split("|")[1] for row in table.splitlines()]
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with images in my_images and new_images."""
    names = [f"{kind}/{name}/{i}" for kind in ("train", "test") for name in "ab" for i in (0, 1)]
    images = [*names, *(f"unlabeled/{i}" for i in range(20))]
    places = [*(f"my_images/{name}.png" for name in images), "new_images/new.png"]
    for shade, place in enumerate(places):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (16, 16), 5 * shade).save(path)
    monkeypatch.chdir(tmp_path)
    # A person who stops at once.
    monkeypatch.setattr(PageOracle, "answer", lambda self, question: None)
    return tmp_path


@pytest.mark.slow
@pytest.mark.usefixtures("here")  # it restores what a command changes in this process
def test_the_commands_run_from_top_to_bottom(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    has_fashion_mnist = DEBIAN.is_dir() or bool(os.environ.get("AL_LIGHTNING_DATA"))
    found = commands(README)
    assert ["al_lightning"] in found
    for module, *arguments in found:
        if "dataset=fashion_mnist" in arguments and not has_fashion_mnist:
            continue
        monkeypatch.setattr(sys, "argv", [module, *made_quick(module, arguments)])
        code = _status(module)
        said = capfd.readouterr()
        assert not code, f"{sys.argv}: {said.out}\n{said.err}"
    assert (folder / "predictions.csv").read_text().count("new.png") == 1
    assert (folder / "model.pt2").exists()
    assert len([*folder.glob("outputs/sweeps/*/report/report.html")]) == 1
    (journal,) = folder.glob("outputs/projects/my_images/journal.jsonl")
    assert '"event": "question"' in journal.read_text()


def _status(module: str) -> int | str | None:
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        return end.code
    return 0


@pytest.mark.parametrize(
    ("page", "group"),
    [
        *(("README.md", group) for group in ("strategy", "model", "dataset")),
        *(("docs/datasets.md", "dataset"), ("docs/strategies.md", "strategy")),
        *(("docs/models.md", "model"), ("docs/labeling.md", "oracle")),
    ],
)
def test_a_table_names_the_choices_that_there_are(page: str, group: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    there = {path.stem for path in (ROOT / "conf" / group).glob("*.yaml")}
    assert named_in_table(text, group) == there


def test_the_first_two_commands_are_the_whole_set_up() -> None:
    (first, *_) = re.findall(r"^```\n(.*?)^```", README, re.M | re.S)
    assert [line.split("  ")[0] for line in first.splitlines()] == ["make run", "make test"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("run", "test"):
        assert re.search(rf"^{target}: install\b", makefile, re.M)
