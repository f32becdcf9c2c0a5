import json
import re
import subprocess
import sys
import threading
from contextlib import closing
from functools import partial
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import lightning as L
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.custom_scalar.layout_pb2 import Layout
from tensorboard.plugins.hparams import metadata

from al_lightning import Budget, FitCache, Journal, LoopCallback, Recipe, RoundResult, RoundTrainers
from al_lightning.callbacks.tensorboard import TensorBoardDashboard, hparams_summaries, overlays
from tests.background import DEADLINE
from tests.helpers import tiny_classifier, tiny_trainer
from tests.loop.test_loop import make_loop

BUDGET = Budget(initial=9, query=6, total=21)


def events(folder: Path) -> EventAccumulator:
    accumulator = EventAccumulator(str(folder))
    accumulator.Reload()
    return accumulator


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Journal, EventAccumulator]:
    folder = tmp_path_factory.mktemp("run")
    dashboard = TensorBoardDashboard(folder / "tensorboard")
    journal = make_loop(folder, budget=BUDGET, callbacks=[dashboard]).run()
    return journal, events(folder / "tensorboard")


def test_metrics_stand_over_labels_bought(run: tuple[Journal, EventAccumulator]) -> None:
    journal, found = run
    for name in ("accuracy", "macro_f1", "balanced_accuracy"):
        points = [(point.step, point.value) for point in found.Scalars(f"labels/{name}")]
        assert [step for step, _ in points] == [9, 15, 21]
        wanted = [event["metrics"][name] for event in journal.rounds]
        assert [value for _, value in points] == pytest.approx(wanted)


def test_figures_stand_at_the_labels_they_belong_to(run: tuple[Journal, EventAccumulator]) -> None:
    _, found = run
    assert [image.step for image in found.Images("test/confusion_matrix")] == [9, 15, 21]
    assert [image.step for image in found.Images("queries/images")] == [9, 15]
    assert [image.step for image in found.Images("queries/classes")] == [9, 15]


def test_hyperparameters_can_be_sorted_by_the_metrics(
    run: tuple[Journal, EventAccumulator],
) -> None:
    _, found = run
    assert "_hparams_/experiment" in found.summary_metadata
    assert [point.step for point in found.Scalars("labels/aubc")] == [15, 21]


def test_names_and_settings_are_the_columns_of_the_hyperparameters() -> None:
    config = {
        "budget": {"_target_": "x.Budget", "initial": 50},
        "recipe": {"warm_start": False},
        "data_root": "data",
        "seed": 7,
        "names": {"dataset": "digits", "strategy": "margin"},
    }
    experiment, start, _ = (
        summary.value[0].metadata.plugin_data.content for summary in hparams_summaries(config)
    )
    columns = metadata.parse_experiment_plugin_data(experiment)
    assert {info.name for info in columns.hparam_infos} == {
        *("dataset", "strategy", "seed", "budget.initial", "recipe.warm_start")
    }
    assert columns.metric_infos[0].name.tag == "labels/aubc"
    row = metadata.parse_session_start_info_plugin_data(start).hparams
    assert set(row) == {"dataset", "strategy", "seed", "budget.initial", "recipe.warm_start"}
    assert (row["seed"].string_value, row["budget.initial"].number_value) == ("7", 50.0)
    assert row["recipe.warm_start"].string_value == "false"


def test_a_run_that_has_ended_says_so(run: tuple[Journal, EventAccumulator]) -> None:
    _, found = run
    assert metadata.SESSION_END_INFO_TAG in found.summary_metadata


def test_charts_overlay_all_runs(run: tuple[Journal, EventAccumulator]) -> None:
    _, found = run
    *_, event = found.Tensors("custom_scalars__config__")
    layout = Layout.FromString(event.tensor_proto.string_val[0])
    test, seconds = layout.category
    assert test.title == "Test set, over labels bought"
    assert [chart.title for chart in test.chart][:2] == ["Accuracy", "Balanced accuracy"]
    assert list(test.chart[0].multiline.tag) == ["^labels/accuracy$"]
    assert [chart.title for chart in seconds.chart] == ["Fit", "Test", "Score", "Select"]


def test_validation_figures_have_charts_where_there_are_any(tmp_path: Path) -> None:
    budget = Budget(initial=9, query=6, total=21, validation=6)
    dashboard = TensorBoardDashboard(tmp_path / "tensorboard")
    make_loop(tmp_path, budget=budget, callbacks=[dashboard]).run()
    found = events(tmp_path / "tensorboard")
    *_, event = found.Tensors("custom_scalars__config__")
    layout = Layout.FromString(event.tensor_proto.string_val[0])
    assert layout.category[1].title == "Validation labels, over labels bought"
    assert [point.step for point in found.Scalars("validation/aubc")] == [21]


def test_figures_of_others_have_charts_beside_those_of_the_rounds(tmp_path: Path) -> None:
    folder = tmp_path / "tensorboard"
    dashboard = TensorBoardDashboard(folder)

    class Agreement(LoopCallback):
        def on_round_end(self, result: RoundResult) -> None:
            dashboard.write_scalars({"stopping/kappa": 0.5}, result.event["labels_bought"])

    make_loop(tmp_path, callbacks=[dashboard, Agreement()]).run()
    found = events(folder)
    assert [(p.step, p.value) for p in found.Scalars("stopping/kappa")] == [
        (9, 0.5), (15, 0.5), (21, 0.5),
    ]  # fmt: skip
    *_, event = found.Tensors("custom_scalars__config__")
    titles = [each.title for each in Layout.FromString(event.tensor_proto.string_val[0]).category]
    assert titles[0] == "Test set, over labels bought"
    assert titles[-1] == "Agreement with the round before, over labels bought"


def test_every_chart_matches_its_own_tag_alone() -> None:
    layout = overlays(["labels/nll", "labels/top-1.acc", "own/macro_f1"])
    assert layout == {
        "Test set, over labels bought": {
            "NLL": ("Multiline", [r"^labels/nll$"]),
            "Top-1.acc": ("Multiline", [r"^labels/top\-1\.acc$"]),
        },
        "own": {"Macro F1": ("Multiline", ["^own/macro_f1$"])},
    }


def test_a_finished_run_adds_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "tensorboard"
    make_loop(tmp_path, callbacks=[TensorBoardDashboard(folder)]).run()
    before = {path: path.read_bytes() for path in folder.rglob("*")}
    make_loop(tmp_path, callbacks=[TensorBoardDashboard(folder)]).run()
    assert {path: path.read_bytes() for path in folder.rglob("*")} == before


def play(folder: Path, stop: type[LoopCallback] = LoopCallback, cache: Path | None = None) -> None:
    """Run with training curves, and whatever may stop the run."""
    with closing(TensorBoardDashboard(folder / "tensorboard")) as board:
        make_trainer = RoundTrainers(
            partial(tiny_trainer, log_every_n_steps=1),
            Recipe(epochs=1, batch_size=4),
            board.training_curves,
        )
        make_loop(
            folder,
            make_classifier=tiny_classifier,
            make_trainer=make_trainer,
            callbacks=[board, stop()],
            config={"lr": 0.05},
            fit_cache=None if cache is None else FitCache(cache, board=board),
        ).run()


def test_training_curves_stand_under_their_round_and_overlay_each_other(tmp_path: Path) -> None:
    play(tmp_path)
    found = events(tmp_path / "tensorboard")
    curves = [tag for tag in found.Tags()["scalars"] if tag.startswith("train/loss")]
    assert curves == [f"train/loss/round_0{index}" for index in range(3)]
    assert [point.step for point in found.Scalars("train/loss/round_00")] == [0, 1, 2]
    *_, event = found.Tensors("custom_scalars__config__")
    layout = Layout.FromString(event.tensor_proto.string_val[0])
    chart = layout.category[-1].chart[0]
    assert (chart.title, list(chart.multiline.tag)) == ("train/loss", ["^train/loss/round_"])


def test_a_fit_that_is_made_again_has_curves_of_its_own(tmp_path: Path) -> None:
    class Stop(LoopCallback):
        def on_fit_end(self, index: int, classifier: L.LightningModule) -> None:
            if index == 1:
                (tmp_path / "checkpoints" / "last.ckpt").unlink(missing_ok=True)
                raise KeyboardInterrupt

    before = {*threading.enumerate()}
    with pytest.raises(KeyboardInterrupt):
        play(tmp_path, Stop)
    assert {*threading.enumerate()} <= before  # the writer's thread has ended with the run
    play(tmp_path)
    tags = events(tmp_path / "tensorboard").Tags()["scalars"]
    assert {tag for tag in tags if tag.startswith("train/loss")} == {
        *("train/loss/round_00", "train/loss/round_01"),
        *("train/loss/round_01_session_2", "train/loss/round_02"),
    }


def test_a_run_that_takes_its_first_fit_from_another_has_its_curve(tmp_path: Path) -> None:
    for name in ("first", "second"):
        play(tmp_path / name, cache=tmp_path / "cache")
    first, second = (events(tmp_path / name / "tensorboard") for name in ("first", "second"))
    for index in range(3):
        tag = f"train/loss/round_0{index}"
        points = [[(point.step, point.value) for point in e.Scalars(tag)] for e in (first, second)]
        assert points[0] == points[1]
        assert len(points[0]) >= 3
    assert Journal(tmp_path / "second" / "journal.jsonl").rounds[0]["steps"] == 3


def test_tensorboard_starts_and_has_what_shows_a_run(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(tmp_path), "--port", "0"]
    with subprocess.Popen(
        [*command, "--host", "127.0.0.1"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as server:
        try:
            assert server.stderr is not None
            said = []
            for line in server.stderr:
                said.append(line.decode())
                if address := re.search(r"http://127\.0\.0\.1:\d+/", said[-1]):
                    break
            else:
                pytest.fail("".join(said))
            direct = build_opener(ProxyHandler({}))
            with direct.open(f"{address[0]}data/plugins_listing", timeout=DEADLINE) as answer:
                plugins = json.load(answer)
        finally:
            server.kill()
    assert {"scalars", "custom_scalars", "hparams", "images"} <= plugins.keys()
