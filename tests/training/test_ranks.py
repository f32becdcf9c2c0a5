"""Two ranks on the CPU, started once for all of these tests: that takes seconds."""

import os
from typing import Any

import pytest
import torch

from al_lightning.strategies import Margin
from al_lightning.strategies.evidence import Evidence, Need
from al_lightning.utils import ranks, torchrun
from al_lightning.utils.batch_sizes import batch_sizes
from al_lightning.utils.errors import UsageError
from tests.forks import Fork
from tests.helpers import TinySource
from tests.training import two_ranks


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What each of two ranks has seen."""
    folder = tmp_path_factory.mktemp("ranks")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    launch = "tests.training.two_ranks:launch"
    done = Fork(launch, str(folder), folder=folder, environment=environment).wait()
    assert done.returncode == 0, done.stderr[-4000:]
    return [torch.load(folder / f"{rank}.pt", weights_only=False) for rank in range(2)]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The same by one process."""
    return two_ranks.everything(tmp_path_factory.mktemp("alone"))


def test_ranks_train_together_what_one_would_train(
    two: list[dict[str, Any]], alone: dict[str, Any]
) -> None:
    steps, expected = alone["fit"]
    assert steps == 2 * len(batch_sizes(23, 8)) == 6
    for found in two:
        assert found["fit"][0] == steps
        torch.testing.assert_close(dict(found["fit"][1]), dict(expected))
    assert not torch.equal(
        expected["backbone.output.bias"], two_ranks.linear().state_dict()["backbone.output.bias"]
    )


def test_all_ranks_have_the_running_statistics_of_rank_zero(two: list[dict[str, Any]]) -> None:
    first, second = (found["batch norm"] for found in two)
    assert any("running_mean" in name for name in first)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_rank_zero_sees_what_one_process_would_see(
    two: list[dict[str, Any]], alone: dict[str, Any]
) -> None:
    assert alone["evidence"].keys() == {(37, False), (4, False), (30, True)}
    for sets, expected in alone["evidence"].items():
        for need, values in expected.items():
            assert torch.equal(two[0]["evidence"][sets][need], values)
            assert two[1]["evidence"][sets][need] is None


def test_the_same_evidence_comes_to_the_same_selection(
    two: list[dict[str, Any]], alone: dict[str, Any]
) -> None:
    picks = [
        Margin()
        .select(
            Evidence(torch.arange(37), found["evidence"][37, False][Need.PROBABILITIES]),
            None,
            3,
            torch.Generator().manual_seed(0),
        )
        .ids.tolist()
        for found in (two[0], alone)
    ]
    assert picks[0] == picks[1]


@pytest.mark.parametrize("name", ["run", "frozen"])
def test_all_ranks_have_the_same_journal_and_rank_zero_alone_writes(
    two: list[dict[str, Any]], name: str
) -> None:
    first, second = (found[name] for found in two)
    assert first["events"] == second["events"]
    kinds = [event["event"] for event in first["events"]]
    assert kinds == ["start", *["labels", "round"] * 3, "end"]
    assert (first["rounds"], second["rounds"]) == (3, 0)  # callbacks are rank zero's
    assert first["events"][0]["trainer"]["devices"] == "2"


@pytest.mark.parametrize("name", ["run", "frozen"])
def test_rank_zero_keeps_what_all_ranks_predict(two: list[dict[str, Any]], name: str) -> None:
    labels = TinySource(normalization=None).load().test.labels
    events = [event for event in two[0][name]["events"] if event["event"] == "round"]
    assert len(two[0][name]["predicted"]) == len(events) == 3
    for event, predicted in zip(events, two[0][name]["predicted"], strict=True):
        accuracy = float((predicted == labels).float().mean())
        assert accuracy == pytest.approx(event["metrics"]["accuracy"], abs=1e-6)


def test_a_finished_run_of_two_ranks_stays_as_it_is(two: list[dict[str, Any]]) -> None:
    for found in two:
        assert found["again"]["events"] == found["run"]["events"]
        assert found["again"]["rounds"] == 0


def test_embeddings_are_shared_out_and_trained_on(
    two: list[dict[str, Any]], alone: dict[str, Any]
) -> None:
    accuracies = [
        [e["metrics"]["accuracy"] for e in found["frozen"]["events"] if e["event"] == "round"]
        for found in (*two, alone)
    ]
    assert accuracies[0] == accuracies[1]
    assert accuracies[0] == pytest.approx(accuracies[2], abs=0.1)  # sums in another order


def test_what_rank_zero_has_and_raises_comes_to_all(two: list[dict[str, Any]]) -> None:
    for found in two:
        assert found["shared"] == 1.0
        assert found["raised"] == "division by zero"
        assert "it failed" in found["in words"]


def test_a_fit_that_diverges_on_one_rank_is_named_by_all(two: list[dict[str, Any]]) -> None:
    for found in two:
        assert "round 4 has diverged: the loss is NaN or infinite at step 2" in found["diverged"]


def test_batches_that_are_too_small_to_share_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    datamodule = two_ranks.in_round()
    monkeypatch.setattr("al_lightning.data.datamodule.world_size", lambda: 4)
    with pytest.raises(UsageError, match=r"leave 1 image\(s\) of a batch to each of 4 devices"):
        datamodule.train_dataloader()


def test_one_process_is_rank_zero_of_one() -> None:
    assert (torchrun.rank(), torchrun.world_size(), torchrun.local_world_size()) == (0, 1, 1)
    assert ranks.from_rank_zero(lambda: 3) == 3
    ranks.wait_for_all()
    assert ranks.collect_on_rank_zero(2, 5, {}) == [(2, {})]
