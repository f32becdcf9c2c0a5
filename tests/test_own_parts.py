"""docs/own_parts.md, run as it stands: its files in an empty folder, then its commands."""

import json
import re
import runpy
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from al_lightning import Evidence
from tests.command_line import QUICK

PAGE = (Path(__file__).parents[1] / "docs" / "own_parts.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^```(?:python|yaml)\n# (\S+)\n(.*?)^```", PAGE, re.M | re.S))
SGD = {
    "_target_": "torch.optim.SGD",
    "_partial_": True,
    "lr": 0.1,
    "momentum": 0.9,
    "fused": True,
}
COMMANDS = re.findall(r"^python -m (al_lightning .*)$", PAGE, re.M)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        monkeypatch.delitem(sys.modules, path.stem, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)  # as `python -m` does
    return tmp_path


def test_every_part_has_a_file_a_configuration_and_a_command() -> None:
    listed = re.findall(r"^```\n(my_strategy.*?)^```", PAGE, re.M | re.S)
    assert {*FILES} == {*listed[0].split(), "watch.py"}
    groups = [
        re.findall(r"(strategy|model|dataset|oracle|recipe)=(\w+)", line) for line in COMMANDS
    ]
    assert [f"my_conf/{group}/{name}.yaml" for ((group, name),) in groups] == [
        name for name in FILES if name.endswith(".yaml")
    ]


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_runs_with_the_part(
    folder: Path, line: str, here: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Fits are shortened, and nothing else: the budgets are those of the page.
    shorter = [a for a in QUICK if not a.startswith("budget.")]
    arguments = [a for a in shorter if "model=" not in line or not a.startswith("model.")]
    monkeypatch.setattr(sys, "argv", [*shlex.split(line), *arguments])
    runpy.run_module("al_lightning", run_name="__main__", alter_sys=True)
    (path,) = folder.glob("outputs/**/journal.jsonl")
    events = [json.loads(text) for text in path.read_text().splitlines()]
    assert events[-1]["event"] == "end"
    config = events[0]["config"]
    assert "my_" in json.dumps(config) or config["recipe"]["optimizer"] == SGD


@pytest.mark.parametrize("labeled", [[], [[9.0, 0.0]]])
def test_centers_are_far_from_each_other(folder: Path, labeled: list[list[float]]) -> None:
    strategy = runpy.run_path("my_centers.py")["Centers"]()
    pool = Evidence(
        torch.arange(10, 15), embeddings=torch.tensor([[0.0, 0], [0, 8], [0, 8], [9, 1], [8, 0]])
    )
    known = torch.tensor(labeled).reshape(-1, 2)
    of_labeled = Evidence(torch.arange(len(known)), embeddings=known)
    found = strategy.select(pool, of_labeled, 5, torch.Generator())
    assert sorted(found.ids.tolist()) == [10, 11, 12, 13, 14]
    assert found.scores[:-1].ge(found.scores[1:]).all()
    # Nothing else is as far from what is known; of the copies, one is last.
    assert found.ids[0] == (11 if labeled else 13)


def test_the_callback_stops_the_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = runpy.run_path("watch.py")["journal"]
    assert journal.finished
    assert journal.rounds[-1]["metrics"]["accuracy"] > 0.5
    assert len(journal.rounds) < 9  # the budget would be spent
    assert f"round {len(journal.rounds) - 1}: 0." in capsys.readouterr().out
