from pathlib import Path
from typing import Any

import pytest
import torch
from sklearn import metrics as sklearn
from torch.utils.data import TensorDataset

from al_lightning import (
    ActiveLearningLoop,
    Budget,
    DatasetSource,
    Journal,
    LoopCallback,
    PredictionFiles,
    RoundResult,
    load_predictions,
    plain_loop,
)
from al_lightning.data import Images, ImageSource
from al_lightning.models.metrics import ExpectedCalibrationError
from al_lightning.strategies import Margin
from tests.helpers import TinySource, tiny_classifier

SOURCE = TinySource(test=300)
BUDGET = Budget(initial=9, query=6, total=21)


def loop(
    folder: Path, *others: LoopCallback, source: ImageSource = SOURCE, **options: Any
) -> ActiveLearningLoop:
    """A loop that keeps predictions, before others look."""
    callbacks = [PredictionFiles(folder / "predictions"), *others]
    making = {"make_classifier": tiny_classifier, "epochs": 2, "callbacks": callbacks, **options}
    return plain_loop(source, Margin(), folder, BUDGET, **making)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run and its predictions."""
    place = tmp_path_factory.mktemp("run")
    loop(place).run()
    return place


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "predictions").iterdir()}


def rounds(folder: Path) -> list[tuple[dict[str, Any], Path]]:
    """The events of the rounds, each with its file."""
    journal = Journal(folder / "journal.jsonl")
    files = sorted((folder / "predictions").iterdir())
    return list(zip(map(dict, journal.rounds), files, strict=True))


def test_every_round_has_a_file(folder: Path) -> None:
    assert [path.name for _, path in rounds(folder)] == [f"round_0{k}.npz" for k in range(3)]


def truth() -> Images:
    return SOURCE.load().test


def test_the_metrics_that_count_predictions_follow_exactly(folder: Path) -> None:
    labels = truth().labels.numpy()
    for event, path in rounds(folder):
        found = load_predictions(path)
        predicted = found.predicted.numpy()
        assert found.ids.tolist() == list(range(300))
        assert found.labels is not None
        assert found.labels.tolist() == labels.tolist()
        precision, recall, f1, _ = sklearn.precision_recall_fscore_support(
            labels, predicted, zero_division=0
        )
        per_class = {"precision": precision, "recall": recall, "f1": f1}
        for name, values in per_class.items():
            assert event["per_class"][name] == pytest.approx(values.tolist(), abs=1e-6)
        expected = {
            "accuracy": sklearn.accuracy_score(labels, predicted),
            "balanced_accuracy": sklearn.balanced_accuracy_score(labels, predicted),
            "macro_precision": precision.mean(),
            "macro_recall": recall.mean(),
            "macro_f1": f1.mean(),
        }
        for name, value in expected.items():
            assert event["metrics"][name] == pytest.approx(value, abs=1e-6), name


def test_the_metrics_of_probabilities_follow_as_exactly_as_float16_allows(folder: Path) -> None:
    labels = truth().labels
    for event, path in rounds(folder):
        logarithms = load_predictions(path).log_probabilities
        nll = float(-logarithms.gather(1, labels[:, None]).mean())
        assert nll == pytest.approx(event["metrics"]["nll"], rel=2**-11)
        ece = ExpectedCalibrationError()
        ece.update(logarithms.exp(), labels)
        confidence = 15 * logarithms.exp().amax(1)
        # p is off by 2^-11 p |ln p|, at most 0.0002; what is as near to an end of a bin may change it.
        near = int(((confidence - confidence.round()).abs() < 15 * 2e-4).sum())
        allowed = 2e-4 + 2 * near / len(labels)
        assert float(ece.compute()) == pytest.approx(event["metrics"]["ece"], abs=allowed)
        assert allowed < 0.03


def test_a_file_is_there_before_the_journal_has_its_round(tmp_path: Path) -> None:
    seen: list[tuple[int, bool]] = []

    class Look(LoopCallback):
        def on_round_end(self, result: RoundResult) -> None:
            there = (tmp_path / "predictions" / f"round_{result.index:02d}.npz").is_file()
            seen.append((len(Journal(tmp_path / "journal.jsonl").rounds), there))

    loop(tmp_path, Look()).run()
    assert seen == [(0, True), (1, True), (2, True)]


def test_a_round_that_is_played_again_is_written_again_the_same(
    folder: Path, tmp_path: Path
) -> None:
    class Killed(LoopCallback):
        def on_round_end(self, result: RoundResult) -> None:
            if result.index == 1:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        loop(tmp_path, Killed()).run()
    assert len(Journal(tmp_path / "journal.jsonl").rounds) == 1
    begun = contents(tmp_path)
    assert begun.keys() == {"round_00.npz", "round_01.npz"}
    (tmp_path / "predictions" / "round_01.npz").write_bytes(b"of a round that nobody knows")
    loop(tmp_path).run()
    assert contents(tmp_path) == contents(folder)
    assert begun.items() <= contents(tmp_path).items()


def test_a_finished_run_is_left_alone(folder: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in (folder / "predictions").iterdir()}
    loop(folder).run()
    assert {p: p.stat().st_mtime_ns for p in (folder / "predictions").iterdir()} == before


def test_without_test_images_nothing_is_written(tmp_path: Path) -> None:
    alone = DatasetSource(TensorDataset(torch.rand(60, 1, 8, 8), torch.arange(60) % 3))
    journal = loop(tmp_path, source=alone).run()
    assert journal.finished
    assert not (tmp_path / "predictions").exists()


def test_validation_labels_are_no_test_images(tmp_path: Path) -> None:
    result: list[RoundResult] = []

    class Keep(LoopCallback):
        def on_round_end(self, given: RoundResult) -> None:
            result.append(given)

    parts = loop(tmp_path)
    budget = Budget(initial=9, query=6, total=12, validation=3)
    ActiveLearningLoop(
        parts.learner, parts.query, parts.oracle, parts.journal, budget, [Keep()]
    ).run()
    probabilities = result[0].probabilities
    assert probabilities is not None
    assert probabilities.shape == (300, 3)
    torch.testing.assert_close(probabilities.sum(1), torch.ones(300))
