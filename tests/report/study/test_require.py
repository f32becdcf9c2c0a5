import json
import os
from collections.abc import Callable
from copy import deepcopy
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from al_lightning.report.study.require import NotReportableError, require_reportable
from al_lightning.report.study.runs import read_runs
from tests.helpers import round_event, start_event
from tests.report.helpers import a_run, write_run

Change = Callable[[dict[str, Any], dict[str, Any]], Any]


def nested(depth: int) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for _ in range(depth):
        tree = {"a": tree}
    return tree


def events() -> tuple[dict[str, Any], dict[str, Any]]:
    return deepcopy(start_event()), {"event": "round", **deepcopy(round_event(0, 5))}


def test_what_a_run_writes_is_reportable() -> None:
    start, finished = events()
    start["config"]["note"] = "two\nlines"
    start["overrides"] = ["strategy=margin"]
    finished["metrics"]["macro_f1"] = 1.0000001192092896  # a mean in float32
    require_reportable(start, [finished], lambda _: start["classes"])
    require_reportable(start, [], lambda _: start["classes"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s, r: s.update(config=[]), "config must be a mapping"),
        (lambda s, r: s["config"].update(names=3), r"config\.names must be a mapping"),
        (
            lambda s, r: s["config"].update(names={"strategy": "x" * 100_000}),
            r"config\.names\.strategy must have at most 200 characters, not 100,000",
        ),
        (lambda s, r: s["config"].update(names={"model": ["a"]}), "model must be a name"),
        (lambda s, r: s["config"].update(a="\x1b[31m"), "config has a character that cannot be"),
        (lambda s, r: s["config"].update({"\x01": 1}), "config has a character that cannot be"),
        (lambda s, r: s["config"].update(a="\ud800"), "config has a character that cannot be"),
        (lambda s, r: s["config"].update(a=float("inf")), "config has a number that is not finite"),
        (lambda s, r: s["config"].update(a=nested(900)), "config is nested more than 50 deep"),
        (lambda s, r: s["config"].update(a=10**300), "config has a whole number of absurd size"),
        (lambda s, r: s["config"].update(a="x" * 100_000), "config has a text of 100,000"),
        (lambda s, r: s["config"].update(a=[0] * 100_001), "config has more than 100,000 values"),
        (lambda s, r: s.update(versions=["2.6"]), "versions must be a mapping"),
        (lambda s, r: s.update(versions={"torch": "\x00"}), "versions has a character"),
        (lambda s, r: s.update(hardware=1), "hardware must be a mapping"),
        (lambda s, r: s.update(model=1), "model must be a mapping"),
        (lambda s, r: r.update(test={"accuracy": 2}), r"test\.accuracy must be from 0 to 1"),
        (lambda s, r: s.update(model={"trainable_parameters": "3"}), "must be a whole number"),
        (lambda s, r: s.update(overrides="seed=0"), "overrides must be a list of texts"),
        (lambda s, r: s["data"].update(test=-1), r"data\.test must be a whole number"),
        (lambda s, r: s["classes"].__setitem__(1, "\x07"), r"classes\[1\] has a character"),
        (lambda s, r: s["classes"].__setitem__(1, "\n"), r"classes\[1\] has a character"),
        (lambda s, r: s["classes"].__setitem__(1, "x" * 201), r"classes\[1\] must have at most"),
        (lambda s, r: s["classes"].__setitem__(1, None), r"classes\[1\] must be a name"),
        (lambda s, r: r.update(steps="10"), "round 0: steps must be a whole number"),
        (lambda s, r: r.update(steps=True), "round 0: steps must be a whole number"),
        (lambda s, r: r.update(metrics=[0.5]), "round 0: metrics must be a mapping"),
        (lambda s, r: r["metrics"].update(nll="1"), r"metrics\.nll must be a number"),
        (lambda s, r: r["metrics"].update(nll=1e300), r"metrics\.nll must be a number up to"),
        (lambda s, r: r["metrics"].update(nll=float("nan")), r"metrics\.nll must be a number up"),
        (lambda s, r: r["metrics"].update(accuracy=1.5), r"accuracy must be from 0 to 1"),
        (lambda s, r: r["metrics"].pop("accuracy"), r"metrics must have an accuracy"),
        (lambda s, r: r["metrics"].update(macro_f1=7), r"macro_f1 must be from 0 to 1, not 7"),
        (lambda s, r: r["metrics"].update(nll=10**400), r"metrics\.nll must be a number up to"),
        (lambda s, r: s["data"].update(train=2**61), r"data\.train must be a whole number from 0"),
        (lambda s, r: s["classes"].__setitem__(1, s["classes"][0]), "two classes have one name"),
        (lambda s, r: r["per_class"].update(recall=[0.5, -0.5, 1]), "recall must be from 0 to 1"),
        (lambda s, r: r["seconds"].update(fit=-1.0), "seconds must not be negative"),
        (lambda s, r: r["metrics"].update({"\x1b": 1.0}), "a name in metrics has a character"),
        (lambda s, r: r.update(per_class="good"), "per_class must be a mapping"),
        (lambda s, r: r["per_class"].update(recall=0.5), "recall must be a list of a number"),
        (lambda s, r: r["per_class"].update(recall=[0.5]), "recall must be a list of a number"),
        (lambda s, r: r["per_class"].update(f1=[0.5, None, 1]), "f1 must be a number"),
        (lambda s, r: r["seconds"].update(fit=None), r"seconds\.fit must be a number"),
    ],
)
def test_what_a_report_could_not_take_is_named(change: Change, said: str) -> None:
    start, finished = events()
    change(start, finished)
    with pytest.raises(NotReportableError, match=said):
        require_reportable(start, [finished], lambda _: start["classes"])


def rewrite(path: Path, change: Callable[[list[dict[str, Any]]], Any]) -> None:
    """Change a journal's events, and forge the digests."""
    changed = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for event in changed:
        del event["digest"]
    change(changed)
    before, lines = "", []
    for event in changed:
        before = sha256((before + json.dumps(event)).encode()).hexdigest()[:16]
        lines.append(json.dumps({**event, "digest": before}))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_bad_journals_are_named_and_do_not_take_the_others_away(tmp_path: Path) -> None:
    write_run(tmp_path, a_run(folder="fine"))
    for name, change in {
        "deep": lambda e: e[0]["config"].update(a=nested(400)),
        "loud": lambda e: e[0]["classes"].__setitem__(0, "\x1b[2J"),
        "typed": lambda e: e[2].update(steps={}),
        "advised": lambda e: e[0]["config"].update(advice={"images": -1}),
    }.items():
        rewrite(write_run(tmp_path, a_run(folder=name)) / "journal.jsonl", change)
    for name in ("pipe", "endless", "huge", "\x1b]0;title\x07"):
        (tmp_path / name).mkdir()
    os.mkfifo(tmp_path / "pipe" / "journal.jsonl")
    (tmp_path / "endless" / "journal.jsonl").symlink_to("/dev/zero")
    with (tmp_path / "huge" / "journal.jsonl").open("wb") as file:
        file.truncate(2**30)
    (tmp_path / "\x1b]0;title\x07" / "journal.jsonl").write_text("{}\n", encoding="utf-8")
    deepest = '{"event": "start", "config": ' + '{"a": ' * 5000 + "1" + "}" * 5001 + "\n"
    (tmp_path / "endless" / "deeper").mkdir()
    (tmp_path / "endless" / "deeper" / "journal.jsonl").write_text(deepest, encoding="utf-8")
    runs, problems = read_runs([tmp_path])
    assert [run.folder.name for run in runs] == ["fine"]
    for name in ("deep", "loud", "typed", "advised", "pipe", "endless", "deeper", "huge"):
        assert sum(f"/{name}/journal.jsonl" in problem for problem in problems) == 1, name
    assert len(problems) == 9
    assert all(problem.isprintable() for problem in problems)
    assert all(len(problem) < 1100 for problem in problems)
