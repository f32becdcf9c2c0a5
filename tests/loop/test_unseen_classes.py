"""A class that has no label yet is no error: first labels are drawn without a look at the classes."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra.utils import instantiate
from rich.console import Console

from al_lightning import (
    Budget,
    DatasetOracle,
    EmbeddingCache,
    Journal,
    Recipe,
    RoundTrainers,
    Strategy,
    load_trained,
)
from al_lightning.callbacks.console import ConsoleProgress
from al_lightning.callbacks.tensorboard import TensorBoardDashboard
from al_lightning.loop.first_labels import draw_uniform
from al_lightning.report.page.write import write_report
from al_lightning.strategies import Margin, Random
from tests.helpers import TinySource, tiny_classifier, tiny_trainer
from tests.loop.parts import loop_of
from tests.models.zoo import tiny_pretrained
from tests.strategies.test_contract import CONFIGS, composed

RECIPE = Recipe(epochs=1, min_steps=4, batch_size=8, precision="32-true")
BUDGET = Budget(initial=2, query=4, total=6)


def seed_of_one_class(count: int) -> int:
    """A seed under which so many first labels are of one class."""
    labels = TinySource().load().train.labels
    drawn = (labels[draw_uniform(torch.arange(60), count, seed)] for seed in range(99))
    return next(seed for seed, first in enumerate(drawn) if len(set(first.tolist())) == 1)


def run(folder: Path, strategy: Strategy, **options: Any) -> Journal:
    datamodule = RECIPE.datamodule(TinySource(normalization=None))
    loop = loop_of(
        **{
            "datamodule": datamodule,
            "make_classifier": tiny_classifier,
            "make_trainer": RoundTrainers(tiny_trainer, RECIPE),
            "strategy": strategy,
            "oracle": DatasetOracle(datamodule.data.train.labels),
            "journal": Journal(folder / "journal.jsonl"),
            "budget": BUDGET,
            "seed": seed_of_one_class(2),
            **options,
        }
    )
    return loop.run()


def check(journal: Journal) -> None:
    """That the first round saw one class, and that all was measured."""
    assert len(set(journal.pool_in(0).labels.tolist())) == 1
    assert journal.finished
    for event in journal.rounds:
        assert all(math.isfinite(value) for value in event["metrics"].values())
        assert all(len(values) == 3 for values in event["per_class"].values())


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_strategy_goes_on_from_two_labels_of_one_class(tmp_path: Path, path: Path) -> None:
    journal = run(tmp_path, instantiate(composed(path.stem), _convert_="all"))
    check(journal)
    assert [event["labels_bought"] for event in journal.rounds] == [2, 6]


def test_a_head_on_frozen_embeddings_is_fitted_to_as_few_labels_as_there_are_classes(
    tmp_path: Path,
) -> None:
    def frozen() -> Any:
        return RECIPE.classifier(tiny_pretrained(0, mode="linear"), 3)

    few = {"budget": Budget(initial=3, query=3, total=6), "seed": seed_of_one_class(3)}
    embeddings = EmbeddingCache(tmp_path / "cache")
    check(run(tmp_path, Margin(), make_classifier=frozen, embeddings=embeddings, **few))


def test_validation_labels_of_one_class_measure_what_they_can(tmp_path: Path) -> None:
    journal = run(tmp_path, Margin(), budget=Budget(initial=2, query=4, total=7, validation=1))
    for event in journal.rounds:
        assert event["validation"]["accuracy"] in (0.0, 1.0)
        assert all(math.isfinite(value) for value in event["validation"].values())


def test_what_watches_a_run_says_which_classes_have_no_label(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    console = ConsoleProgress(Console(width=200), "a run", BUDGET, tmp_path, bars=False)
    watching = [console, TensorBoardDashboard(tmp_path / "tensorboard")]
    check(run(tmp_path, Margin(), callbacks=watching))
    assert "2 class(es) have no label yet: " in capsys.readouterr().out
    trained = load_trained(tmp_path, tiny_classifier())
    assert trained.predict(torch.zeros(2, 1, 8, 8, dtype=torch.uint8)).shape == (2, 3)


def test_a_report_compares_runs_that_began_with_one_class(tmp_path: Path) -> None:
    strategies = {"margin": Margin(), "random": Random()}
    for name, strategy in strategies.items():
        for seed in range(seed_of_one_class(2), seed_of_one_class(2) + 3):
            run(tmp_path / f"{name}{seed}", strategy, seed=seed)
    report = write_report([tmp_path], tmp_path / "report")
    assert not report.problems
    (analysis,) = report.analyses
    assert {name: len(runs) for name, runs in analysis.setting.runs.items()} == {
        "random": 3,
        "margin": 3,
    }
