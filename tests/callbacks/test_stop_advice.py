from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from al_lightning import ActiveLearningLoop, Budget, DatasetOracle, Journal, PoolDataModule
from al_lightning.callbacks.stop_advice import StopAdvice
from al_lightning.run.advice.of_run import agreements_in
from al_lightning.run.advice.pool_predictions import load_pool_predictions, predictions_file
from al_lightning.run.advice.settings import AdviceSettings
from al_lightning.strategies import Margin
from tests.helpers import TinySource, tiny_classifier, tiny_trainer
from tests.loop.parts import loop_of

SAMPLE = 40


class Said:
    """What a run was told, and what was logged."""

    def __init__(self) -> None:
        self.sentences: list[Sequence[str]] = []
        self.figures: list[tuple[Mapping[str, float], int]] = []

    def log(self, figures: Mapping[str, float], labels: int) -> None:
        self.figures.append((figures, labels))


def make_loop(folder: Path, said: Said | None, **changes: Any) -> ActiveLearningLoop:
    """A loop that is advised, where somebody listens."""
    data = PoolDataModule(TinySource(), batch_size=8)
    callbacks = []
    if said is not None:
        callbacks = [StopAdvice(folder, AdviceSettings(), said.sentences.append, said.log)]
    options = {
        "datamodule": data,
        "make_classifier": tiny_classifier,
        "make_trainer": lambda index, labels: tiny_trainer(max_epochs=2),
        "oracle": DatasetOracle(data.data.train.labels),
        "strategy": Margin(),
        "journal": Journal(folder / "journal.jsonl"),
        "budget": Budget(initial=9, query=6, total=27, validation=6),
        "pool_sample": SAMPLE if said is not None else 0,
        "callbacks": callbacks,
    }
    return loop_of(**{**options, **changes})


def without_costs(journal: Journal) -> list[dict[str, Any]]:
    costs = ("seconds", "peak_rss_bytes", "hardware")
    return [{k: v for k, v in event.items() if k not in costs} for event in journal.events]


@pytest.fixture(scope="module")
def advised(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Said, Journal]:
    """A run with advice: its folder, what was said, and its journal."""
    folder, said = tmp_path_factory.mktemp("advised"), Said()
    return folder, said, make_loop(folder, said).run()


def test_each_round_is_advised_and_logged(advised: tuple[Path, Said, Journal]) -> None:
    folder, said, journal = advised
    assert len(said.sentences) == len(journal.rounds) == 3
    agreements = agreements_in(folder, journal.rounds)
    logged = [(figures["stopping/kappa"], labels) for figures, labels in said.figures]
    expected = [
        (each and each.kappa, event["labels_bought"])
        for each, event in zip(agreements, journal.rounds, strict=True)
    ]
    assert [(None, 15), *logged] == expected
    assert said.sentences[0] == [
        "More labels: what they bring cannot be said yet, before 4 rounds."
    ]
    assert said.sentences[-1][0].startswith("Predictions: ")


def test_the_files_hold_what_the_classifier_predicts(advised: tuple[Path, Said, Journal]) -> None:
    folder, _, journal = advised
    loop = make_loop(folder, None)
    loop.run()
    fitted = loop.learner.fit(2, journal.pool_in)
    found = load_pool_predictions(predictions_file(folder, 2))
    assert len(found.ids) == SAMPLE
    loop.learner.serve()
    probabilities = fitted.evidence(found.ids, loop.query.needs).probabilities
    assert probabilities is not None
    assert torch.equal(found.predicted, probabilities.argmax(1))


def test_advice_changes_no_result(advised: tuple[Path, Said, Journal], tmp_path: Path) -> None:
    plain = make_loop(tmp_path, None).run()
    assert without_costs(plain) == without_costs(advised[2])
    assert not (tmp_path / "agreement").exists()
    assert "advice" in advised[2].rounds[0]["seconds"]
    assert "advice" not in plain.rounds[0]["seconds"]


def test_a_run_that_is_continued_is_advised_as_if_it_had_not_stopped(
    advised: tuple[Path, Said, Journal], tmp_path: Path
) -> None:
    folder, whole, _ = advised
    said = Said()
    for _ in range(20):  # a process for each step
        if not make_loop(tmp_path, said).step():
            break
    assert said.sentences == whole.sentences
    for index in range(3):
        content = predictions_file(tmp_path, index).read_bytes()
        assert content == predictions_file(folder, index).read_bytes()


def test_without_a_sample_predictions_are_not_compared(tmp_path: Path) -> None:
    said = Said()
    make_loop(tmp_path, said, pool_sample=0).run()
    assert said.figures == []
    assert len(said.sentences) == 3
    assert not (tmp_path / "agreement").exists()
