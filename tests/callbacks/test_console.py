import io
import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console
from rich.progress import Progress, TaskID

from al_lightning import Budget, Journal, Pool, RoundResult
from al_lightning.callbacks.console import ConsoleProgress
from al_lightning.callbacks.end_of_run import next_steps, results_table
from al_lightning.data.project.known_project import ImageUpdate
from al_lightning.data.project.manifest import Manifest
from al_lightning.run.image_change import ImageChange
from al_lightning.utils.intervals import wilson_interval
from tests.helpers import TinySource, round_event
from tests.loop.test_loop import make_loop, tiny_trainer

BUDGET = Budget(initial=9, query=6, total=20)


def run(folder: Path, bars: bool, **options: Any) -> tuple[Journal, str]:
    output = io.StringIO()
    console = Console(file=output, width=130, force_terminal=bars)
    with ConsoleProgress(console, "margin on tiny", BUDGET, folder, bars, **options) as progress:

        def make_trainer(round_index: int, labels: int) -> object:
            trainer = tiny_trainer(round_index, labels)
            trainer.callbacks.extend(progress.trainer_callbacks())  # type: ignore[attr-defined]
            return trainer

        loop = make_loop(folder, budget=BUDGET, make_trainer=make_trainer, callbacks=[progress])
        return loop.run(), re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output.getvalue())


def test_lines_say_whose_they_are_where_others_print_too(tmp_path: Path) -> None:
    _, output = run(tmp_path, bars=False, named_lines=True)
    assert len(re.findall(r"margin on tiny: round +\d", output)) == 3


@pytest.mark.parametrize("bars", [False, True])
def test_every_round_is_a_line_and_a_row(tmp_path: Path, bars: bool) -> None:
    journal, output = run(tmp_path, bars)
    for event in journal.rounds:
        assert f"{event['labels_bought']:,} labels" in output
        assert f"{event['metrics']['macro_f1']:.4f}" in output
    assert "AUBC of the accuracy over [9, 20] labels" in output
    assert "journal.jsonl" in output


def test_bars_count_rounds_epochs_and_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: dict[TaskID, dict[str, float | None]] = {}
    update = Progress.update

    def watched(progress: Progress, task_id: TaskID, **changes: Any) -> None:
        update(progress, task_id, **changes)
        task = next(task for task in progress.tasks if task.id == task_id)
        shown.setdefault(task_id, {})[task.description] = task.completed

    monkeypatch.setattr(Progress, "update", watched)
    run(tmp_path, bars=True)
    rounds, first_fit, first_pass = list(shown.values())[:3]
    assert list(rounds) == ["round 0, 9 labels", "round 1, 15 labels", "round 2, 20 labels"]
    assert rounds["round 2, 20 labels"] == 3
    assert first_fit == {"  fit, epoch 1": 3, "  fit, epoch 2": 6}
    assert first_pass == {"  score": 4}  # 51 images of the pool in batches of 16


@pytest.mark.parametrize(
    ("budget", "totals"),
    [
        (Budget(initial=9, query=6, total=20), [3] * 4),
        (Budget(initial=9, query=[1, 3, 2], total=20), [7] * 8),  # 9 10 13 15 17 19 20
        (Budget(initial=0, query=[9, 10, 1], total=20), [3] * 4),
    ],
)
def test_the_bar_knows_how_many_rounds_there_will_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, budget: Budget, totals: list[int]
) -> None:
    found: list[float | None] = []
    add, update = Progress.add_task, Progress.update

    def added(progress: Progress, description: str, **options: Any) -> TaskID:
        found.extend([options["total"]] if description == "rounds" else [])
        return add(progress, description, **options)

    def updated(progress: Progress, task_id: TaskID, **changes: Any) -> None:
        found.extend([changes["total"]] if "total" in changes else [])
        update(progress, task_id, **changes)

    monkeypatch.setattr(Progress, "add_task", added)
    monkeypatch.setattr(Progress, "update", updated)
    console = Console(file=io.StringIO(), force_terminal=True)
    with ConsoleProgress(console, "margin on tiny", budget, tmp_path, bars=True) as progress:
        make_loop(tmp_path, budget=budget, callbacks=[progress]).run()
    assert found == totals


def test_a_run_that_goes_on_says_from_where(tmp_path: Path) -> None:
    run(tmp_path, bars=False)
    journal = tmp_path / "journal.jsonl"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:5]))
    _, output = run(tmp_path, bars=False)
    assert "Continuing after round 1, 15 labels bought" in output


@pytest.mark.filterwarnings("ignore:.*has not the weights of the last round")
def test_a_finished_run_says_whether_its_weights_were_fitted_again(tmp_path: Path) -> None:
    run(tmp_path, bars=False)
    _, output = run(tmp_path, bars=False)
    assert "nothing is left to do, nothing was changed." in output
    (tmp_path / "checkpoints" / "last.ckpt").unlink()
    _, output = run(tmp_path, bars=False)
    assert "nothing is left to do, only its last weights were fitted again." in output


def test_the_table_has_a_row_for_each_round(tmp_path: Path) -> None:
    journal, _ = run(tmp_path, bars=False)
    assert results_table(journal, "title").row_count == len(journal.rounds) == 3


def show(folder: Path, hook: str, *facts: Any) -> str:
    output = io.StringIO()
    console = Console(file=output, width=130)
    progress = ConsoleProgress(console, "margin on tiny", BUDGET, folder, bars=False)
    data = TinySource().load()
    progress.on_run_start(Journal(folder / "journal.jsonl"), data)
    getattr(progress, hook)(*facts)
    return output.getvalue()


def test_accuracies_have_intervals(tmp_path: Path) -> None:
    journal, output = run(tmp_path, bars=False)
    for event in journal.rounds:
        low, high = wilson_interval(event["metrics"]["accuracy"], 30)
        assert f"accuracy {event['metrics']['accuracy']:.4f} [{low:.3f}, {high:.3f}]" in output
    assert "on 30 test images, 95% interval [" in output


def test_names_are_shown_as_they_are_called(tmp_path: Path) -> None:
    """Rich would take [/] for the end of a style."""
    output = io.StringIO()
    console = Console(file=output, width=130)
    progress = ConsoleProgress(console, "margin on [/b]", BUDGET, tmp_path, bars=False)
    data = replace(TinySource().load(), classes=("[/x]", "[bold]", "plain"))
    progress.on_run_start(Journal(tmp_path / "journal.jsonl"), data)
    pool = Pool(60).reveal(torch.tensor([1, 2]), torch.tensor([2, 2]))
    progress.on_round_end(RoundResult(0, pool, {**round_event(0, 9), "metrics": {}}, None))
    assert "margin on [/b]" in output.getvalue()
    assert "2 class(es) have no label yet: [/x], [bold]" in output.getvalue()


def test_what_is_to_be_done_is_said_as_it_is(tmp_path: Path) -> None:
    text = "Fill in [red] queries/round_01.csv " + "x" * 200
    assert text in show(tmp_path, "on_wait", Journal(tmp_path / "journal.jsonl"), text)


def test_a_round_without_test_images_shows_what_there_is(tmp_path: Path) -> None:
    event = {**round_event(0, 9), "metrics": {}, "diverged_at_step": 17}
    pool = Pool(60).reveal(torch.arange(9), torch.ones(9, dtype=torch.int64))
    line = show(tmp_path, "on_round_end", RoundResult(0, pool, event, None))
    assert "no test images" in line
    assert "2 class(es) have no label yet: top, bottom" in line
    assert "diverged at step 17" in line
    event["validation"] = {"accuracy": 0.625}
    validated = torch.arange(20, 36)
    pool = pool.reveal(validated, torch.zeros_like(validated), validation=True)
    line = show(tmp_path, "on_round_end", RoundResult(0, pool, event, None))
    low, high = wilson_interval(0.625, 16)
    assert f"validation 0.6250 [{low:.3f}, {high:.3f}]" in line
    assert "no test images" not in line


def test_a_round_whose_fit_was_there_already_is_not_said_to_take_its_time(tmp_path: Path) -> None:
    output = io.StringIO()
    event = {**round_event(0, 9), "metrics": {}}
    event["seconds"]["fit"] = 100_000.0
    pool = Pool(60).reveal(torch.arange(9), torch.ones(9, dtype=torch.int64))
    with ConsoleProgress(Console(file=output, width=130), "x", BUDGET, tmp_path, False) as progress:
        progress.on_round_end(RoundResult(0, pool, event, None))
    assert "round  0" in output.getvalue()
    assert "100000" not in output.getvalue()


def test_what_may_be_done_next_is_a_command(tmp_path: Path) -> None:
    journal, output = run(tmp_path, bars=False)
    commands = [command for _, command in next_steps(journal, tmp_path)]
    folder = shlex.quote(str(tmp_path))
    assert f"python -m al_lightning.predict {folder} <folder of images>" in commands
    assert f"python -m al_lightning.predict {folder} --pool" in commands
    assert f"python -m al_lightning.review {folder}" in commands
    assert f"python -m al_lightning.export {folder}" in commands
    for command in commands:
        assert command in output


def test_advice_is_a_line_each_below_the_round_of_its_run(tmp_path: Path) -> None:
    output = io.StringIO()
    console = Console(file=output, width=40)
    progress = ConsoleProgress(console, "margin", BUDGET, tmp_path, False, named_lines=True)
    long = "Weak classes: [red] " + "x" * 60
    progress.advise(["You can stop.", long])
    assert output.getvalue().splitlines() == [
        f"margin:           {sentence}" for sentence in ("You can stop.", long)
    ]


def test_brackets_in_the_name_of_a_folder_are_printed(tmp_path: Path) -> None:
    folder = tmp_path / "classes=[cat,dog] [/b]"
    _, output = run(folder, bars=False)
    assert str(folder / "journal.jsonl") in output


def test_test_images_that_have_gone_or_changed_are_named(tmp_path: Path) -> None:
    output = io.StringIO()
    console = Console(file=output, width=130)
    change = ImageChange(9, 1, tests={"gone": 2, "changed": 1})
    names = {"gone": ["cat/a.png", "cat/[b].png"], "changed": ["c.png"]}
    update = ImageUpdate(change, Manifest(tmp_path / "images.csv"), b"", test_names=names)
    with ConsoleProgress(console, "pets", BUDGET, tmp_path, bars=False) as progress:
        progress.on_images(update, ())
    assert output.getvalue().splitlines() == [
        "Images since the last start: 2 test image(s) gone, 1 test image(s) changed",
        "  Test images gone: cat/a.png, cat/[b].png",
        "  Test images changed: c.png",
    ]


def test_changed_images_are_named_where_they_have_a_label(tmp_path: Path) -> None:
    output = io.StringIO()
    change = ImageChange(9, 0, gone=[3], changed=[4, 7])
    names = {3: "three.png", 4: "four.png", 7: "seven.png"}
    update = ImageUpdate(change, Manifest(tmp_path / "images.csv"), b"", names=names)
    console = Console(file=output, width=130)
    with ConsoleProgress(console, "pets", BUDGET, tmp_path, bars=False) as progress:
        progress.on_images(update, {1, 7})
    assert output.getvalue().splitlines()[1:] == [
        "  Set aside: three.png (id 3)",
        "  Changed, to be reviewed: seven.png (id 7)",
    ]
