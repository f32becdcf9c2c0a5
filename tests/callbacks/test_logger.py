import csv
import os
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from inspect import signature
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from filelock import FileLock, Timeout
from hydra.utils import instantiate
from lightning.pytorch.loggers import Logger
from omegaconf import OmegaConf

from al_lightning import Budget, Journal, RoundResult, UsageError
from al_lightning.callbacks.logger import ScalarLogger, hyperparameters, round_scalars
from tests.helpers import round_event
from tests.loop.test_loop import make_loop

BUDGET = Budget(initial=9, query=6, total=21)


class Recorder(Logger):
    """Remembers what it is told."""

    name = version = None

    def __init__(self) -> None:
        super().__init__()
        self.hyperparameters: dict[str, Any] = {}
        self.points: list[tuple[int | None, dict[str, float]]] = []
        self.status = "open"
        self.saved = 0

    def log_hyperparams(
        self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any
    ) -> None:
        assert isinstance(params, dict)
        self.hyperparameters.update(params)

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        self.points.append((step, metrics))

    def save(self) -> None:
        self.saved = len(self.points)

    def finalize(self, status: str) -> None:
        self.status = status


class Shelf:
    """Makes recorders, and keeps them in order."""

    def __init__(self) -> None:
        self.made: list[Recorder] = []

    def __call__(self) -> Recorder:
        self.made.append(Recorder())
        return self.made[-1]


def run(folder: Path, make: Callable[[], Logger], **changes: Any) -> Journal:
    with closing(ScalarLogger(make)) as logger:
        return make_loop(folder, **{"budget": BUDGET, "callbacks": [logger], **changes}).run()


def cut_after_round(folder: Path, index: int) -> None:
    """Leave what the journal of a run that was killed after this round would hold."""
    path = folder / "journal.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    rounds = [i for i, line in enumerate(lines) if b'"event": "round"' in line]
    path.write_bytes(b"".join(lines[: rounds[index] + 1]))


# Hyperparameters


def test_names_and_seed_come_first_and_nested_classes_go_by_their_names() -> None:
    config = {
        "budget": {"_target_": "al_lightning.run.budget.Budget", "initial": 50, "total": "all"},
        "recipe": {
            "_target_": "al_lightning.training.recipe.Recipe",
            "optimizer": {"_target_": "torch.optim.AdamW", "_partial_": True, "lr": 0.003},
            "scheduler": None,
            "warm_start": False,
        },
        "model": {"_target_": "al_lightning.models.CNN", "filters": [[32], [64]]},
        "strategy": {"_target_": "al_lightning.strategies.Margin"},
        "seed": 3,
        "threads": 2,
        "data_root": "data",
        "dataset": {"_target_": "x.Y", "root": "data", "path": "my", "horizontal_flip": True},
        "logger": {"_target_": "x.Z", "tracking_uri": "http://..."},
        "names": {"dataset": "digits", "model": "cnn", "strategy": "margin"},
    }
    values = hyperparameters(config)
    assert values == {
        "dataset": "digits",
        "model": "cnn",
        "strategy": "margin",
        "seed": 3,
        "budget.initial": 50,
        "budget.total": "all",
        "recipe.optimizer": "AdamW",
        "recipe.optimizer.lr": 0.003,
        "recipe.scheduler": "null",
        "recipe.warm_start": False,
        "model.filters": "[[32], [64]]",
        "dataset.horizontal_flip": True,
    }
    assert list(values)[:4] == ["dataset", "model", "strategy", "seed"]


def test_a_configuration_without_names_is_flattened_too() -> None:
    config = {"seed": 1, "strategy": {"type": "Margin"}, "batch_size": 8, "empty": {}}
    assert hyperparameters(config) == {"seed": 1, "strategy.type": "Margin", "batch_size": 8}
    assert hyperparameters({}) == {}


# Scalars


def test_the_figures_of_a_round_are_those_of_the_last_with_the_area_so_far() -> None:
    rounds = [round_event(0, 10, 0.5), round_event(1, 20, 0.7), round_event(2, 40, 0.9)]
    assert round_scalars(rounds[:1]) == {
        "labels/accuracy": 0.5,
        "labels/nll": 1.25,
        "seconds/fit": 1.0,
        "seconds/test": 0.5,
        "seconds/score": 0.25,
        "seconds/select": 0.125,
    }
    scalars = round_scalars(rounds)
    assert scalars["labels/accuracy"] == 0.9
    assert scalars["labels/aubc"] == pytest.approx((0.6 * 10 + 0.8 * 20) / 30)


def test_validation_may_be_bought_later() -> None:
    rounds = [round_event(index, 10 * (index + 1)) for index in range(3)]
    for event, accuracy in zip(rounds[1:], (0.4, 0.6), strict=True):
        event["validation"] = {"accuracy": accuracy}
    assert "validation/aubc" not in round_scalars(rounds[:2], validation_labels=20)
    assert round_scalars(rounds, validation_labels=20)["validation/aubc"] == pytest.approx(0.5)


def test_validation_has_figures_of_its_own() -> None:
    rounds = [
        {**round_event(0, 10), "validation": {"accuracy": 0.4}},
        {**round_event(1, 20), "validation": {"accuracy": 0.6}},
    ]
    scalars = round_scalars(rounds)
    assert scalars["validation/accuracy"] == 0.6
    assert scalars["validation/aubc"] == pytest.approx(0.5)
    assert scalars["labels/aubc"] == pytest.approx(0.5)
    assert "validation/accuracy_low" not in scalars
    scalars = round_scalars(rounds, validation_labels=20)
    assert scalars["validation/accuracy_low"] == pytest.approx(0.3866, abs=5e-5)
    assert scalars["validation/accuracy_high"] == pytest.approx(0.7812, abs=5e-5)


def test_figures_are_plain_numbers() -> None:
    event = round_event(0, 10)
    event["metrics"] = {"accuracy": np.float32(0.5), "count": np.int64(3)}
    scalars = round_scalars([event])
    assert all(type(value) is float for value in scalars.values())
    assert scalars["labels/count"] == 3.0


# The callback


def test_a_logger_is_told_of_the_run_round_by_round(tmp_path: Path) -> None:
    shelf = Shelf()
    journal = run(tmp_path, shelf)
    (recorder,) = shelf.made
    assert recorder.hyperparameters["seed"] == 0
    assert recorder.hyperparameters["budget.query"] == 6
    assert [step for step, _ in recorder.points] == [9, 15, 21]
    for (_, metrics), event in zip(recorder.points, journal.rounds, strict=True):
        assert metrics["labels/macro_f1"] == event["metrics"]["macro_f1"]
        assert metrics["seconds/fit"] == event["seconds"]["fit"]
    assert recorder.points[2][1] == round_scalars(journal.rounds)
    assert recorder.saved == 3
    assert recorder.status == "success"


def test_a_run_that_goes_on_is_told_as_a_whole(tmp_path: Path) -> None:
    shelf = Shelf()
    run(tmp_path, shelf)
    cut_after_round(tmp_path, 1)
    run(tmp_path, shelf)
    _, recorder = shelf.made
    assert [step for step, _ in recorder.points] == [9, 15, 21]
    assert "labels/aubc" not in recorder.points[0][1]
    assert recorder.status == "success"


def test_a_finished_run_makes_no_logger(tmp_path: Path) -> None:
    shelf = Shelf()
    run(tmp_path, shelf)
    run(tmp_path, shelf)
    assert len(shelf.made) == 1


class Interrupted(ScalarLogger):
    """A user presses Ctrl-C after the round with 15 labels."""

    def on_round_end(self, result: RoundResult) -> None:
        super().on_round_end(result)
        if result.index == 1:
            raise KeyboardInterrupt


def test_an_interrupted_run_is_reported_as_failed(tmp_path: Path) -> None:
    shelf = Shelf()
    with pytest.raises(KeyboardInterrupt), closing(Interrupted(shelf)) as logger:
        make_loop(tmp_path, callbacks=[logger]).run()
    assert shelf.made[0].status == "failed"
    assert [step for step, _ in shelf.made[0].points] == [9, 15]


def test_a_missing_package_names_the_extra(tmp_path: Path) -> None:
    def missing() -> Logger:
        raise ModuleNotFoundError("No module named 'mlflow'")

    with pytest.raises(UsageError, match=r"'mlflow'.*pip install \"al-lightning\[mlflow\]\""):
        run(tmp_path, missing)


def test_a_service_that_cannot_be_reached_is_a_usage_error(tmp_path: Path) -> None:
    def unreachable() -> Logger:
        raise ConnectionError("nobody answers")

    with pytest.raises(UsageError, match=r"ConnectionError: nobody answers.*logger=null"):
        run(tmp_path, unreachable)


def test_loggers_are_started_one_after_the_other(tmp_path: Path) -> None:
    path = tmp_path / "shared" / ".lock"

    def make() -> Logger:
        with pytest.raises(Timeout):
            FileLock(path).acquire(blocking=False)
        return Recorder()

    with closing(ScalarLogger(make, lock=path)) as logger:
        make_loop(tmp_path, budget=BUDGET, callbacks=[logger]).run()
    with FileLock(path).acquire(blocking=False):
        pass  # it is free again


# The services

CONF = Path(__file__).parents[2] / "conf" / "logger"


def from_yaml(choice: str, folder: Path) -> partial[Logger]:
    """What the command line makes of a choice of logger, for a run in this folder."""
    text = (CONF / f"{choice}.yaml").read_text(encoding="utf-8")
    logger = OmegaConf.create(text.replace("${hydra:runtime.output_dir}", str(folder)))
    names = {"dataset": "digits", "model": "cnn", "strategy": "margin"}
    run = {"names": names, "seed": 3, "output_root": "outputs", "logger": logger}
    factory: partial[Logger] = instantiate(OmegaConf.create(run).logger, _convert_="all")
    return factory


@pytest.mark.parametrize("choice", sorted(path.stem for path in CONF.glob("*.yaml")))
def test_a_choice_gives_its_logger_what_it_takes(tmp_path: Path, choice: str) -> None:
    factory = from_yaml(choice, tmp_path)
    assert issubclass(factory.func, Logger)  # type: ignore[arg-type]
    signature(factory.func).bind(**factory.keywords)


def test_services_call_a_run_by_its_names(tmp_path: Path) -> None:
    mlflow, wandb = (from_yaml(choice, tmp_path).keywords for choice in ("mlflow", "wandb"))
    assert (mlflow["experiment_name"], wandb["project"]) == ("al_lightning", "al_lightning")
    assert mlflow["run_name"] == wandb["name"] == "margin seed=3"
    assert mlflow["tags"]["group"] == wandb["group"] == "digits/cnn"
    assert mlflow["tracking_uri"] == "sqlite:///outputs/mlflow.db"


def test_the_table_holds_every_round_once_after_a_kill(tmp_path: Path) -> None:
    make = from_yaml("csv", tmp_path)
    run(tmp_path, make)
    cut_after_round(tmp_path, 0)
    with pytest.warns(UserWarning, match="exists and is not empty"):
        journal = run(tmp_path, make)
    with (tmp_path / "csv" / "metrics.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["9", "15", "21"]
    wanted = [event["metrics"]["accuracy"] for event in journal.rounds]
    assert [float(row["labels/accuracy"]) for row in rows] == pytest.approx(wanted)
    assert rows[0]["labels/aubc"] == ""
    assert "budget.query: 6\n" in (tmp_path / "csv" / "hparams.yaml").read_text(encoding="utf-8")


def test_mlflow_keeps_runs_in_a_local_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("mlflow")
    from mlflow.tracking import MlflowClient  # noqa: PLC0415 - an extra

    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")  # which MLflow sets; it is put back
    monkeypatch.chdir(tmp_path)
    store = f"sqlite:///{tmp_path}/mlflow.db"
    make = partial(from_yaml("mlflow", tmp_path), tracking_uri=store)
    with pytest.raises(KeyboardInterrupt), closing(Interrupted(make)) as logger:
        make_loop(tmp_path, callbacks=[logger]).run()
    journal = run(tmp_path, make)

    client = MlflowClient(store)
    experiment = client.get_experiment_by_name("al_lightning")
    assert experiment is not None
    whole, part = client.search_runs([experiment.experiment_id], order_by=["start_time DESC"])
    assert (part.info.status, whole.info.status) == ("FAILED", "FINISHED")
    assert whole.info.run_name == "margin seed=3"
    assert whole.data.tags["group"] == "digits/cnn"
    assert whole.data.params["budget.query"] == "6"
    points = client.get_metric_history(whole.info.run_id, "labels/accuracy")
    assert [point.step for point in points] == [9, 15, 21]
    wanted = [event["metrics"]["accuracy"] for event in journal.rounds]
    assert [point.value for point in points] == pytest.approx(wanted)


@pytest.fixture
def wandb() -> Iterator[Any]:
    """The service's package, whose process, threads and variables are gone afterwards."""
    package = pytest.importorskip("wandb")
    with patch.dict(os.environ, WANDB_SILENT="true"):
        yield package
        package.teardown()


def test_weights_and_biases_ends_its_run_with_ours(tmp_path: Path, wandb: Any) -> None:
    made: list[Logger] = []

    def makes(folder: Path) -> Callable[[], Logger]:
        def make() -> Logger:
            made.append(from_yaml("wandb", folder)(offline=True))
            return made[-1]

        return make

    one, two = tmp_path / "one", tmp_path / "two"
    with pytest.raises(KeyboardInterrupt), closing(Interrupted(makes(one))) as logger:
        make_loop(one, callbacks=[logger]).run()
    run(one, makes(one))
    run(two, makes(two))
    interrupted, resumed, other = (logger.version for logger in made)
    assert interrupted == resumed != other
    assert wandb.run is None


def test_a_service_that_fails_stops_no_run_and_is_told_of_all_rounds_later(tmp_path: Path) -> None:
    class Gone(Recorder):
        def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
            if step == 15:
                raise RuntimeError("server is gone (503)")
            super().log_metrics(metrics, step)

    gone = Gone()
    with pytest.warns(UserWarning, match=r"has not taken round 1 \(RuntimeError: server is gone"):
        journal = run(tmp_path, lambda: gone)
    assert journal.finished
    assert [step for step, _ in gone.points] == [9, 21]
    cut_after_round(tmp_path, 1)
    shelf = Shelf()
    run(tmp_path, shelf)
    assert [step for step, _ in shelf.made[0].points] == [9, 15, 21]
