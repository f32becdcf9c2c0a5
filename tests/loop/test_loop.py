import contextlib
import json
import os
import signal
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from torch import Tensor, nn

from al_lightning import (
    ActiveLearningLoop,
    Answer,
    Budget,
    DatasetOracle,
    Evidence,
    FitCache,
    ImageClassifier,
    Journal,
    JournalError,
    LoopCallback,
    Need,
    PoolDataModule,
    QueryResult,
    Question,
    RoundResult,
    ScoreStrategy,
    Selection,
    SimulatedOracle,
    Strategy,
    UsageError,
    load_trained,
)
from al_lightning.strategies import (
    Entropy,
    Euclidean,
    FarthestFirst,
    LeastConfidence,
    Margin,
    Random,
)
from al_lightning.training.calibration import Calibration
from al_lightning.training.checkpoint import Checkpoint
from tests.helpers import TinySource, same_weights, tiny_classifier
from tests.loop.parts import loop_of

BUDGET = Budget(initial=9, query=6, total=21)
REHEARSED = 16  # images that a strategy is shown before the run
QUIET: dict[str, Any] = {
    "logger": False,
    "enable_checkpointing": False,
    "enable_model_summary": False,
    "enable_progress_bar": False,
}


class TinyModel(L.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Dropout(0.2))
        self.output = nn.Linear(16, 3)

    def embed(self, images: Tensor) -> Tensor:
        embeddings: Tensor = self.hidden(images)
        return embeddings

    def classify(self, embeddings: Tensor) -> Tensor:
        logits: Tensor = self.output(embeddings)
        return logits

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        images, labels = batch
        return nn.functional.cross_entropy(self.classify(self.embed(images)), labels)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.05)


def tiny_trainer(round_index: int, labels: int) -> L.Trainer:
    return L.Trainer(accelerator="cpu", max_epochs=2, **QUIET)


def make_loop(folder: Path, strategy: Strategy | None = None, **changes: Any) -> ActiveLearningLoop:
    datamodule = PoolDataModule(TinySource(), batch_size=4, eval_batch_size=16)
    options: dict[str, Any] = {
        "datamodule": datamodule,
        "make_classifier": TinyModel,
        "make_trainer": tiny_trainer,
        "strategy": strategy or Margin(),
        "oracle": DatasetOracle(datamodule.data.train.labels),
        "journal": Journal(folder / "journal.jsonl"),
        "budget": BUDGET,
        "seed": 0,
    }
    return loop_of(**{**options, **changes})


_CHANGING = ("seconds", "peak_rss_bytes", "at")


def comparable(journal: Journal) -> list[dict[str, Any]]:
    """The events without what may differ between two runs: seconds, memory, time of day."""
    return [
        {key: value for key, value in event.items() if key not in _CHANGING}
        for event in Journal(journal.path).events
    ]


def test_a_run_buys_its_budget_and_trains_on_every_label(tmp_path: Path) -> None:
    journal = make_loop(tmp_path).run()
    assert [e["event"] for e in journal.events] == [
        *("start", "labels", "round", "labels", "round", "labels", "round", "end")
    ]
    assert [e["labels_bought"] for e in journal.rounds] == [9, 15, 21]
    assert journal.events[-1]["reason"] == "budget"
    ids = journal.pool.labeled_ids
    assert len(ids.unique()) == 21  # type: ignore[no-untyped-call]
    truth = TinySource().load().train.labels
    assert journal.pool.labels.equal(truth[ids])


def test_a_last_query_takes_what_is_left_of_the_budget(tmp_path: Path) -> None:
    journal = make_loop(tmp_path, budget=Budget(initial=9, query=6, total=20)).run()
    assert [e["labels_bought"] for e in journal.rounds] == [9, 15, 20]


@pytest.mark.parametrize(
    ("budget", "labels"),
    [
        # The last size repeats, and the last query takes what is left: 40 - 36.
        (Budget(initial=9, query=[3, 8, 8], total=40), [9, 12, 20, 28, 36, 40]),
        (Budget(initial=0, query=[5, 2, 20], total=40), [5, 7, 27, 40]),
        (Budget(initial=4, query=[6], total=16), [4, 10, 16]),
        (Budget(initial=9, query=[3, 40, 1], total="all"), [9, 12, 52, *range(53, 61)]),
        (Budget(initial=4, query=[2, 30], total=50, validation=8), [12, 14, 44, 50]),
    ],
)
def test_queries_have_the_sizes_of_the_schedule(
    tmp_path: Path, budget: Budget, labels: list[int]
) -> None:
    journal = make_loop(tmp_path, budget=budget).run()
    assert [e["labels_bought"] for e in journal.rounds] == labels


def test_a_schedule_stopped_anywhere_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    budget = Budget(initial=0, query=[9, 2, 5], total=21)
    whole = make_loop(tmp_path / "whole", budget=budget).run()
    assert [e["labels_bought"] for e in whole.rounds] == [9, 11, 16, 21]
    for lines in range(len(whole.events)):
        folder = tmp_path / str(lines)
        folder.mkdir()
        content = whole.path.read_bytes().splitlines(keepends=True)
        (folder / "journal.jsonl").write_bytes(b"".join(content[:lines]))
        assert comparable(make_loop(folder, budget=budget).run()) == comparable(whole)


def test_a_schedule_is_recorded_and_another_one_is_another_run(tmp_path: Path) -> None:
    budget = Budget(initial=9, query=[3, 9], total=21)
    start = make_loop(tmp_path, budget=budget).run().start
    assert start is not None
    assert start["config"]["budget"]["query"] == [3, 9]
    assert make_loop(tmp_path, budget=Budget(9, (3, 9), 21)).run().finished
    with pytest.raises(JournalError, match=r"config\.budget\.query: \[3, 9\] -> \[3, 8\]"):
        make_loop(tmp_path, budget=Budget(9, [3, 8], 21)).run()


def test_a_run_ends_when_the_pool_is_empty(tmp_path: Path) -> None:
    journal = make_loop(tmp_path, budget=Budget(initial=40, query=15, total="all")).run()
    assert [e["labels_bought"] for e in journal.rounds] == [40, 55, 60]
    assert journal.events[-1]["reason"] == "pool_empty"


def test_all_labels_at_once_is_one_round(tmp_path: Path) -> None:
    journal = make_loop(tmp_path, budget=Budget(initial="all", query=1, total="all")).run()
    assert [e["labels_bought"] for e in journal.rounds] == [60]
    assert journal.pool.labeled_ids.tolist() == [*range(60)]  # nothing is drawn


def test_validation_labels_are_bought_counted_and_never_trained_on(tmp_path: Path) -> None:
    journal = make_loop(tmp_path, budget=Budget(initial=9, query=6, total=25, validation=10)).run()
    assert [e["labels_bought"] for e in journal.rounds] == [19, 25]
    pool = journal.pool
    assert len(pool.validation_ids) == 10
    assert not set(pool.validation_ids.tolist()) & set(pool.labeled_ids.tolist())
    assert set(journal.rounds[0]["validation"]) == set(journal.rounds[0]["metrics"])
    for event in journal.rounds:
        found = Calibration(**event["calibration"])
        assert (found.labels, found.source) == (10, "validation")
        assert found.ece_before == pytest.approx(event["validation"]["ece"], abs=1e-6)
        assert 1 / 20 <= found.temperature <= 20
    assert "calibration" not in make_loop(tmp_path / "without").run().rounds[0]


def test_two_strategies_are_paired(tmp_path: Path) -> None:
    budget = Budget(initial=9, query=6, total=30, validation=6)
    first = make_loop(tmp_path / "a", Random(), budget=budget).run()
    second = make_loop(tmp_path / "b", FarthestFirst(Euclidean()), budget=budget).run()
    one, two = comparable(first), comparable(second)
    assert one[1:4] == two[1:4]  # validation labels, initial labels, round 0 with its metrics
    assert one[4]["ids"] != two[4]["ids"]


def test_the_first_round_sees_the_same_weights_and_batches_under_every_strategy(
    tmp_path: Path,
) -> None:
    seen: list[Tensor] = []

    class Watched(TinyModel):
        def on_train_start(self) -> None:
            seen.append(torch.cat([p.detach().flatten() for p in self.parameters()]))

        def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
            seen.append(torch.cat([batch[0].flatten(), batch[1].float()]))
            return super().training_step(batch, batch_idx)

    def first_round(name: str, strategy: Strategy) -> list[Tensor]:
        seen.clear()
        budget = Budget(initial=9, query=6, total=9)
        make_loop(tmp_path / name, strategy, budget=budget, make_classifier=Watched).run()
        return list(seen)

    one, two = first_round("a", Random()), first_round("b", FarthestFirst(Euclidean()))
    assert len(one) == len(two) == 1 + 2 * 3  # the weights, then two epochs of three batches
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


def test_the_query_seed_moves_the_queries_and_nothing_before_them(tmp_path: Path) -> None:
    one = comparable(make_loop(tmp_path / "a", Random(), query_seed=1).run())
    two = comparable(make_loop(tmp_path / "b", Random(), query_seed=2).run())
    assert one[1:3] == two[1:3]
    assert one[3]["ids"] != two[3]["ids"]


def test_one_query_seed_draws_otherwise_under_every_seed(tmp_path: Path) -> None:
    """Else the seeds of a comparison would share their luck, and count as independent all the same."""
    generators: list[int] = []

    class Watched(Random):
        def choose(self, *arguments: Any) -> Any:
            if len(arguments[0]) > REHEARSED:
                generators.append(arguments[-1].initial_seed())
            return super().choose(*arguments)

    for seed in range(3):
        make_loop(tmp_path / str(seed), Watched(), query_seed=1, seed=seed).run()
    assert len(set(generators)) == len(generators) == 6


def test_the_first_fit_is_shared_by_strategies_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits: list[int] = []
    fit = L.Trainer.fit

    def counted(trainer: L.Trainer, *arguments: Any, **options: Any) -> None:
        fits.append(1)
        fit(trainer, *arguments, **options)

    monkeypatch.setattr(L.Trainer, "fit", counted)

    def play(name: str, strategy: Strategy, **options: Any) -> tuple[int, list[dict[str, Any]]]:
        fits.clear()
        journal = make_loop(tmp_path / name, strategy, **options).run()
        return len(fits), comparable(journal)

    shared: dict[str, Any] = {"fit_cache": FitCache(tmp_path / "cache"), "config": {"lr": 0.05}}
    assert play("a", Random(), **shared)[0] == 3
    _, alone = play("b", Margin(), config=shared["config"])
    assert play("c", Margin(), **shared) == (2, alone)
    assert play("d", Margin(), **shared, seed=1)[0] == 3
    assert play("e", Margin(), **{**shared, "config": {"lr": 0.1}})[0] == 3
    monkeypatch.setattr("al_lightning.training.identity.code_digest", lambda module: "edited since")
    assert play("f", Margin(), **shared)[0] == 3


def test_a_cache_without_a_configuration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="config"):
        make_loop(tmp_path, fit_cache=FitCache(tmp_path))


def test_a_path_is_no_journal(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="journal must be a Journal"):
        make_loop(tmp_path, journal=str(tmp_path / "journal.jsonl"))


def test_seeds_differ(tmp_path: Path) -> None:
    first = make_loop(tmp_path / "a").run()
    second = make_loop(tmp_path / "b", seed=1).run()
    assert first.labels("initial")[0]["ids"] != second.labels("initial")[0]["ids"]


def test_the_global_random_state_neither_matters_nor_changes(tmp_path: Path) -> None:
    torch.manual_seed(1)
    first = make_loop(tmp_path / "a").run()
    torch.manual_seed(2)
    before = torch.get_rng_state()
    second = make_loop(tmp_path / "b").run()
    assert comparable(first) == comparable(second)
    assert torch.get_rng_state().equal(before)


class _StopError(Exception):
    pass


class _Stopper(LoopCallback):
    """Stops a run at its n-th callback."""

    def __init__(self, calls: int) -> None:
        self.calls = calls

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("on_") and name != "on_run_end":
            self.calls -= 1
            if self.calls == 0:
                raise _StopError
        return super().__getattribute__(name)


@pytest.mark.parametrize("warm_start", [False, True])
def test_a_run_stopped_anywhere_ends_as_if_it_had_not_been(
    tmp_path: Path, warm_start: bool
) -> None:
    whole = make_loop(tmp_path / "whole", warm_start=warm_start).run()
    for calls in range(1, 13):
        folder = tmp_path / str(calls)
        with pytest.raises(_StopError):
            make_loop(folder, warm_start=warm_start, callbacks=[_Stopper(calls)]).run()
        assert comparable(make_loop(folder, warm_start=warm_start).run()) == comparable(whole)


def cut_after(path: Path, lines: int) -> None:
    content = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(content[:lines]))


@pytest.mark.parametrize("warm_start", [False, True])
@pytest.mark.parametrize("checkpoint", ["kept", "lost", "damaged"])
def test_a_journal_cut_at_any_line_is_completed_to_the_same(
    tmp_path: Path, warm_start: bool, checkpoint: str
) -> None:
    whole = comparable(make_loop(tmp_path, warm_start=warm_start).run())
    weights = tmp_path / "checkpoints" / "last.ckpt"
    for lines in (0, 1, 4, 6, 7):
        cut_after(tmp_path / "journal.jsonl", lines)
        if checkpoint == "lost":
            weights.unlink()
        if checkpoint == "damaged":
            weights.write_bytes(weights.read_bytes()[:1000])
            with pytest.warns(UserWarning, match=r"last\.ckpt cannot be used"):
                journal = make_loop(tmp_path, warm_start=warm_start).run()
        else:
            journal = make_loop(tmp_path, warm_start=warm_start).run()
        assert comparable(journal) == whole


def test_a_fitted_round_is_not_fitted_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_loop(tmp_path).run()
    cut_after(tmp_path / "journal.jsonl", 6)  # the last round is fitted, but not written down

    def no_fit(*args: Any, **kwargs: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(L.Trainer, "fit", no_fit)
    assert make_loop(tmp_path).run().finished


def test_code_of_the_user_that_was_edited_is_named_and_not_gone_on_with(tmp_path: Path) -> None:
    def make_trainer(round_index: int, labels: int, epochs: int = 2) -> L.Trainer:
        return L.Trainer(accelerator="cpu", max_epochs=epochs, **QUIET)

    class Edited(Margin):
        def score(self, pool: Evidence) -> Tensor:
            return -super().score(pool)

    class Own(Margin):
        pass

    make_loop(tmp_path, Own(), make_trainer=make_trainer).run()
    Edited.__qualname__ = Own.__qualname__
    with pytest.raises(JournalError, match=r"code\.queries\.\S*Own: \w+ -> \w+\n"):
        make_loop(tmp_path, Edited(), make_trainer=make_trainer).run()
    with pytest.raises(JournalError, match=r"trainer\.max_epochs: 2 -> 1"):
        make_loop(tmp_path, Own(), make_trainer=partial(make_trainer, epochs=1)).run()
    loop = make_loop(tmp_path, Edited(), make_trainer=make_trainer, irrelevant=["code"])
    with pytest.warns(UserWarning, match=r"code\.queries\.\S*Own"):
        assert loop.run().finished


def test_an_optimizer_that_was_changed_is_named_and_not_gone_on_with(tmp_path: Path) -> None:
    class Saved(TinyModel):
        def __init__(self, rate: float) -> None:
            super().__init__()
            self.save_hyperparameters()

    def made(smoothing: float) -> ImageClassifier:
        backbone = tiny_classifier().backbone
        return ImageClassifier(backbone, 3, label_smoothing=smoothing)

    make_loop(tmp_path / "ours", make_classifier=partial(made, 0.0)).run()
    with pytest.raises(JournalError, match=r"config\.classifier\.label_smoothing: 0\.0 -> 0\.1\n"):
        make_loop(tmp_path / "ours", make_classifier=partial(made, 0.1)).run()
    make_loop(tmp_path / "own", make_classifier=partial(Saved, 0.1)).run()
    with pytest.raises(JournalError, match=r"config\.classifier\.rate: 0\.1 -> 0\.2\n"):
        make_loop(tmp_path / "own", make_classifier=partial(Saved, 0.2)).run()


def test_a_finished_run_changes_nothing(tmp_path: Path) -> None:
    make_loop(tmp_path).run()
    files = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    make_loop(tmp_path).run()
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == files


def test_a_journal_of_another_configuration_is_refused_naming_the_keys(tmp_path: Path) -> None:
    make_loop(tmp_path).run()
    with pytest.raises(JournalError, match=r"config\.budget\.query: 6 -> 5"):
        make_loop(tmp_path, budget=Budget(initial=9, query=5, total=21)).run()
    config = {"a": {"b": 1}, "place": "here"}
    make_loop(tmp_path / "own", config=config, irrelevant=["place"]).run()
    moved = {"a": {"b": 1}, "place": "there"}
    assert make_loop(tmp_path / "own", config=moved, irrelevant=["place"]).run().finished
    with pytest.raises(JournalError, match=r"config\.a\.b: 1 -> 2"):
        make_loop(tmp_path / "own", config={"a": {"b": 2}}, irrelevant=["place"]).run()


def test_a_journal_of_other_data_is_refused(tmp_path: Path) -> None:
    make_loop(tmp_path).run()
    loop = make_loop(tmp_path)
    pixels = loop.learner.datamodule.data.train.pixels[:]
    pixels[0] = 255 - pixels[0]
    with pytest.raises(JournalError, match=r"data\.fingerprint"):
        loop.run()


def test_a_data_set_that_is_too_small_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    loop = make_loop(tmp_path, budget=Budget(initial=61, query=1, total=100))
    with pytest.raises(UsageError, match="training set has 60 images"):
        loop.run()
    assert not (tmp_path / "journal.jsonl").exists()


def test_a_module_without_the_two_halves_is_refused_by_name(tmp_path: Path) -> None:
    class Headless(L.LightningModule):
        def embed(self, images: Tensor) -> Tensor:
            return images

    with pytest.raises(UsageError, match=r"Headless .* no `classify`"):
        make_loop(tmp_path, make_classifier=Headless).run()


class _Recorder(LoopCallback):
    def __init__(self) -> None:
        self.hooks: list[str] = []
        self.queries: list[QueryResult] = []
        self.results: list[RoundResult] = []
        self.weights: list[Tensor] = []

    def on_fit_start(self, index: int, pool: Any) -> None:
        self.hooks.append(f"fit {index}")

    def on_fit_end(self, index: int, classifier: L.LightningModule) -> None:
        self.hooks.append(f"fitted {index}")

    def on_round_end(self, result: RoundResult) -> None:
        self.hooks.append(f"round {result.index}")
        self.results.append(result)

    def on_query(self, query: QueryResult) -> None:
        self.hooks.append(f"query {query.round}")
        self.queries.append(query)


def test_callbacks_see_each_step_in_order(tmp_path: Path) -> None:
    recorder = _Recorder()
    journal = make_loop(tmp_path, callbacks=[recorder], budget=Budget(9, 6, 15)).run()
    assert recorder.hooks == [
        *("fit 0", "fitted 0", "round 0", "query 1", "fit 1", "fitted 1", "round 1")
    ]
    (query,) = recorder.queries
    assert query.ids.tolist() == journal.labels("query")[0]["ids"]
    assert query.predicted.shape == (6,)
    confusion = recorder.results[0].confusion
    assert confusion is not None
    assert int(confusion.sum()) == 30


class _Ascending(ScoreStrategy):
    """Prefers high ids, and needs nothing."""

    def score(self, pool: Evidence) -> Tensor:
        return pool.ids.float()


def _counting(passes: list[int]) -> Callable[[int, int], L.Trainer]:
    """Make trainers that note how many images each pass has."""

    def make_trainer(round_index: int, labels: int) -> L.Trainer:
        trainer = tiny_trainer(round_index, labels)
        predict: Callable[..., Any] = trainer.predict

        def counted(model: Any, dataloaders: Any, **options: Any) -> Any:
            passes.append(sum(len(images) for images, _ in dataloaders))
            return predict(model, dataloaders=dataloaders, **options)

        trainer.predict = counted  # type: ignore[method-assign, assignment]
        return trainer

    return make_trainer


class _Listening(DatasetOracle):
    def __init__(self) -> None:
        super().__init__(TinySource().load().train.labels)
        self.asked: list[Question] = []

    def present(self, question: Question) -> None:
        self.asked.append(question)


def test_what_is_known_of_queried_images_costs_no_second_pass(tmp_path: Path) -> None:
    passes, oracle, budget = list[int](), _Listening(), Budget(initial=9, query=6, total=15)
    options = {"make_trainer": _counting(passes), "oracle": oracle, "budget": budget}
    loop = make_loop(tmp_path, LeastConfidence(), **options)
    loop.run()
    assert passes == [51, 30, 30]  # the pool, the test set of either round
    (question,) = oracle.asked
    assert question.scores is not None
    assert question.confidence is not None
    torch.testing.assert_close(question.scores, 1 - question.confidence)
    fresh = loop.learner.fit(0, loop.journal.pool_in).probabilities(question.ids)
    assert question.predicted is not None
    assert torch.equal(question.predicted, fresh.argmax(1))


def test_a_strategy_that_needs_nothing_costs_no_pass(tmp_path: Path) -> None:
    passes, budget = list[int](), Budget(initial=9, query=6, total=15)
    journal = make_loop(tmp_path, _Ascending(), make_trainer=_counting(passes), budget=budget).run()
    assert passes == [6, 30, 30]  # the six queried images, the test set of either round
    assert journal.labels("query")[0]["ids"] == sorted(journal.labels("query")[0]["ids"])[::-1]


class _Spy(Strategy):
    needs = frozenset({Need.EMBEDDINGS})
    labeled_needs = frozenset({Need.PROBABILITIES})

    def choose(
        self, pool: Evidence, labeled: Evidence, count: int, generator: torch.Generator
    ) -> Selection:
        self.pool, self.labeled = pool, labeled
        return Selection(pool.ids[:count], torch.zeros(count))


def test_a_strategy_gets_what_it_declares_by_dataset_ids(tmp_path: Path) -> None:
    spy = _Spy()
    journal = make_loop(tmp_path, spy, budget=Budget(9, 6, 15)).run()
    assert spy.pool.quantities().keys() == {Need.EMBEDDINGS}
    assert spy.labeled.quantities().keys() == {Need.PROBABILITIES}
    assert sorted(spy.labeled.ids.tolist()) == sorted(journal.labels("initial")[0]["ids"])
    assert not set(spy.pool.ids.tolist()) & set(spy.labeled.ids.tolist())
    assert len(spy.pool) == 51


def test_a_strategy_is_shown_a_subset_of_the_pool_of_its_own(tmp_path: Path) -> None:
    def shown(name: str, **options: Any) -> list[int]:
        spy = _Spy(pool_subset=20)
        make_loop(tmp_path / name, spy, budget=Budget(9, 6, 15), **options).run()
        return sorted(spy.pool.ids.tolist())

    one, same, seed, query_seed = (
        *(shown("one"), shown("same")),
        *(shown("seed", seed=1), shown("query_seed", query_seed=1)),
    )
    assert len(set(one)) == 20
    assert one == same
    assert len({tuple(one), tuple(seed), tuple(query_seed)}) == 3


def test_a_subset_is_drawn_anew_in_every_round(tmp_path: Path) -> None:
    seen: list[list[int]] = []

    class Watching(_Spy):
        def choose(self, *arguments: Any) -> Selection:
            chosen = super().choose(*arguments)
            if len(self.pool) > REHEARSED:
                seen.append(self.pool.ids.tolist())
            return chosen

    journal = make_loop(tmp_path, Watching(pool_subset=20)).run()
    first, second = (set(ids) for ids in seen)
    assert len(first) == len(second) == 20
    assert first - set(journal.labels("query")[0]["ids"]) != second


def test_queries_that_cannot_be_made_are_refused_before_any_work(tmp_path: Path) -> None:
    for strategy, budget, reason in (
        (Margin(pool_subset=5), BUDGET, r"pool_subset=5 .* the 6 of budget\.query"),
        (
            Margin(pool_subset=5),
            Budget(9, [4, 7, 2], 21),
            r"pool_subset=5 .* the 7 of budget\.query",
        ),
        (Margin(), Budget(9, 6, 21, memory_limit=100), "100 bytes are available .* 51 unlabeled"),
    ):
        loop = make_loop(tmp_path, strategy, budget=budget)
        with pytest.raises(UsageError, match=reason):
            loop.run()
        assert not loop.journal.events


def test_the_memory_limit_and_new_settings_that_are_not_set_do_not_keep_a_run_from_going_on(
    tmp_path: Path,
) -> None:
    config = {"strategy": {"type": "margin"}, "budget": {"query": 6}}
    make_loop(tmp_path, config=config).run()
    later = {
        "strategy": {"type": "margin", "pool_subset": None},
        "budget": {"query": 6, "memory_limit": "auto"},
    }
    assert make_loop(tmp_path, config=later).run().finished
    assert make_loop(tmp_path / "plain").run().finished
    budget = Budget(9, 6, 21, memory_limit="1GB")
    assert make_loop(tmp_path / "plain", budget=budget).run().finished


def test_a_strategy_decides_the_number_of_dropout_samples(tmp_path: Path) -> None:
    class Sampling(_Spy):
        needs = frozenset({Need.MC_PROBABILITIES})
        mc_samples = 3

    spy = Sampling()
    make_loop(tmp_path, spy, budget=Budget(9, 6, 15)).run()
    assert spy.pool.require(Need.MC_PROBABILITIES).shape == (51, 3, 3)


def test_a_round_starts_from_the_initial_weights_unless_it_is_warm(tmp_path: Path) -> None:
    def first_weights(folder: Path, warm_start: bool) -> list[Tensor]:
        seen: list[Tensor] = []

        class Watched(TinyModel):
            def on_train_start(self) -> None:
                seen.append(self.output.weight.detach().clone())

        make_loop(folder, make_classifier=Watched, warm_start=warm_start).run()
        return seen

    cold = first_weights(tmp_path / "cold", False)
    warm = first_weights(tmp_path / "warm", True)
    assert cold[0].equal(cold[1])
    assert cold[1].equal(cold[2])
    assert warm[0].equal(cold[0])
    assert not warm[0].equal(warm[1])


def test_a_noisy_oracle_decides_what_is_trained_on(tmp_path: Path) -> None:
    class AlwaysZero(SimulatedOracle):
        def annotate(self, ids: Tensor) -> Tensor:
            return torch.zeros_like(ids)

    journal = make_loop(tmp_path, Entropy(), oracle=AlwaysZero()).run()
    assert journal.pool.labels.eq(0).all()
    assert journal.rounds[-1]["metrics"]["accuracy"] == pytest.approx(1 / 3, abs=0.15)


def test_an_interrupted_trainer_is_a_keyboard_interrupt_and_the_run_goes_on(tmp_path: Path) -> None:
    stop = tmp_path / "stop"

    class Interrupted(TinyModel):
        def on_train_epoch_end(self) -> None:
            if stop.exists():
                os.kill(os.getpid(), signal.SIGINT)

    whole = make_loop(tmp_path / "whole", make_classifier=Interrupted).run()
    stop.touch()
    with pytest.raises(KeyboardInterrupt):
        make_loop(tmp_path / "cut", make_classifier=Interrupted).run()
    stop.unlink()
    gone_on = make_loop(tmp_path / "cut", make_classifier=Interrupted).run()
    assert comparable(gone_on) == comparable(whole)


def test_the_start_event_says_what_the_run_was_made_with(tmp_path: Path) -> None:
    start = make_loop(tmp_path).run().events[0]
    assert start["data"]["train"] == 60
    assert start["data"]["test"] == 30
    assert start["model"]["trainable_parameters"] == 64 * 16 + 16 + 16 * 3 + 3
    assert start["hardware"]["threads"] == torch.get_num_threads()
    assert start["versions"]["torch"] == version("torch")
    assert len(start["classes"]) == 3
    written = json.loads((tmp_path / "journal.jsonl").read_text().splitlines()[0])
    assert {**start, "digest": written["digest"]} == written


@pytest.mark.parametrize("strategy", [Margin, "margin", Evidence])
def test_what_is_no_strategy_is_refused_before_anything_is_begun(
    tmp_path: Path, strategy: Any
) -> None:
    with pytest.raises(UsageError, match=r"^strategy must be an? "):
        make_loop(tmp_path, strategy)
    assert not list(tmp_path.rglob("journal.jsonl"))


class _Greedy(Strategy):
    def choose(
        self, pool: Evidence, labeled: Evidence, count: int, generator: torch.Generator
    ) -> Selection:
        return Selection(pool.ids[: 5 * count], torch.zeros(5 * count))


def test_a_strategy_that_selects_too_much_is_refused_before_anything_is_begun(
    tmp_path: Path,
) -> None:
    with pytest.raises(
        UsageError, match=r"_Greedy\.choose must select exactly \d+ distinct images"
    ):
        make_loop(tmp_path, _Greedy()).run()
    assert not list(tmp_path.rglob("journal.jsonl"))


def test_one_trainer_for_all_rounds_is_refused_before_the_first_one(tmp_path: Path) -> None:
    trainer = tiny_trainer(0, 9)
    with pytest.raises(UsageError, match="the same trainer twice"):
        make_loop(tmp_path, make_trainer=lambda index, labels: trainer).run()
    assert not Journal(tmp_path / "journal.jsonl").rounds


def test_one_model_for_all_rounds_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    model = TinyModel()
    with pytest.raises(UsageError, match=r"gave hidden\.1\.weight of a classifier"):
        make_loop(tmp_path, make_classifier=lambda: model).run()
    assert not (tmp_path / "journal.jsonl").exists()


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"PL_TRAINER_LIMIT_TRAIN_BATCHES": "0"}, "PL_TRAINER_LIMIT_TRAIN_BATCHES=0"),
        ({"SLURM_NTASKS": "2", "SLURM_PROCID": "1"}, "srun --ntasks=1"),
    ],
)
def test_an_environment_that_would_change_the_run_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], named: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=named):
        make_loop(tmp_path).run()
    assert not (tmp_path / "journal.jsonl").exists()


def test_a_fit_that_something_cuts_short_is_no_result(tmp_path: Path) -> None:
    class Stopper(L.Callback):
        def on_train_batch_end(self, trainer: L.Trainer, *arguments: Any) -> None:
            trainer.should_stop = True

    def cut(index: int, labels: int) -> L.Trainer:
        return L.Trainer(
            accelerator="cpu",
            max_epochs=2,
            callbacks=[Stopper()],
            logger=False,
            enable_checkpointing=False,
            enable_model_summary=False,
            enable_progress_bar=False,
        )

    with pytest.raises(UsageError, match="round 0 took 1 steps, and 6 were asked for"):
        make_loop(tmp_path, make_trainer=cut).run()
    assert Journal(tmp_path / "journal.jsonl").rounds == []


def test_a_finished_run_without_its_last_weights_fits_its_last_round_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_loop(tmp_path / "whole").run()
    whole = TinyModel.load_from_checkpoint(tmp_path / "whole" / "checkpoints" / "last.ckpt")
    save = Checkpoint.save

    def full(self: Checkpoint, classifier: Any, identity: str, facts: Any) -> None:
        if facts["round"] == 0:  # later, the disk is full
            save(self, classifier, identity, facts)

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "save", full)
        journal = make_loop(tmp_path / "a").run()
    before = journal.path.read_bytes()
    assert journal.finished
    with pytest.raises(UsageError, match="not have the weights of the run's last round, 2"):
        load_trained(tmp_path / "a", TinyModel())
    with pytest.warns(UserWarning, match="it is fitted again"):
        make_loop(tmp_path / "a").run()
    assert journal.path.read_bytes() == before
    again = load_trained(tmp_path / "a", TinyModel()).network.classifier
    assert same_weights(again, whole)


@pytest.mark.filterwarnings("ignore:The weights")
def test_missing_weights_that_cannot_be_saved_again_are_an_error(tmp_path: Path) -> None:
    before = make_loop(tmp_path).run().path.read_bytes()
    last = tmp_path / "checkpoints" / "last.ckpt"
    last.unlink()
    (last / "something").mkdir(parents=True)
    with pytest.raises(UsageError, match="weights of round 2 could not be saved: `predict`"):
        make_loop(tmp_path).run()
    assert (tmp_path / "journal.jsonl").read_bytes() == before


def test_weights_of_the_round_that_is_being_played_are_newer_than_its_record(
    tmp_path: Path,
) -> None:
    journal = make_loop(tmp_path).run()
    lines = journal.path.read_bytes().splitlines(keepends=True)
    journal.path.write_bytes(b"".join(lines[:-2]))  # without the last round and the end
    load_trained(tmp_path, TinyModel())


def test_a_run_can_be_made_step_by_step_and_answered_in_between(tmp_path: Path) -> None:
    whole = make_loop(tmp_path / "whole").run()
    loop = make_loop(tmp_path / "steps", oracle=None)
    labels = loop.learner.data.train.labels
    for asked in (9, 6, 6):
        assert loop.step()
        question = loop.question
        assert question is not None
        assert len(question.ids) == asked
        assert not loop.step()  # it waits
        loop.answer(labels[question.ids].tolist())
        assert loop.question is None
    assert loop.step()
    assert not loop.step()
    assert loop.journal.finished
    assert [e["metrics"] for e in loop.journal.rounds] == [e["metrics"] for e in whole.rounds]
    assert loop.journal.pool.labeled_ids.equal(whole.pool.labeled_ids)


def test_a_part_of_a_question_can_be_answered_and_the_rest_goes_back(tmp_path: Path) -> None:
    loop = make_loop(tmp_path, oracle=None)
    loop.step()
    assert loop.question is not None
    ids = loop.question.ids[:5]
    loop.answer(loop.learner.data.train.labels[ids], ids)
    assert loop.journal.pool.labeled_ids.equal(ids)


def test_the_round_decides_the_size_of_a_query_whatever_answers_leave_open(tmp_path: Path) -> None:
    loop = make_loop(tmp_path, oracle=None, budget=Budget(initial=9, query=[6, 3, 8], total=30))
    labels, asked = loop.learner.data.train.labels, []
    for answered in (9, 2, 3, 8, 8):  # of the first query's six images, two are labeled
        loop.step()
        assert loop.question is not None
        ids = loop.question.ids
        asked.append(len(ids))
        loop.answer(labels[ids[:answered]], ids[:answered])
        loop.step()
    assert asked == [9, 6, 3, 8, 8]
    assert [e["labels_bought"] for e in loop.journal.rounds] == [9, 11, 14, 22, 30]


def test_a_query_of_images_that_cannot_be_labeled_is_made_again_in_the_same_size(
    tmp_path: Path,
) -> None:
    class Skips(SimulatedOracle):
        def __init__(self) -> None:
            self.asked: list[tuple[int, int]] = []

        def annotate(self, ids: Tensor) -> Tensor:
            raise NotImplementedError

        def answer(self, question: Question) -> Answer:
            self.asked.append((question.round, len(question.ids)))
            if len(self.asked) == 2:
                return Answer(question.ids[:0], question.ids[:0], skipped=question.ids)
            return Answer(question.ids, truth[question.ids])

    truth, oracle = TinySource().load().train.labels, Skips()
    journal = make_loop(tmp_path, oracle=oracle, budget=Budget(9, [6, 3, 8], 30)).run()
    assert oracle.asked == [(0, 9), (1, 6), (1, 6), (2, 3), (3, 8), (4, 4)]
    assert [e["labels_bought"] for e in journal.rounds] == [9, 15, 18, 26, 30]


def test_answers_that_do_not_fit_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    loop = make_loop(tmp_path, oracle=None)
    with pytest.raises(UsageError, match="No question is open"):
        loop.answer([0])
    loop.step()
    before = loop.journal.path.read_bytes()
    with pytest.raises(UsageError, match="9 images, but 1 labels"):
        loop.answer([0])
    with pytest.raises(UsageError, match="no classes: labels goes from 7 to 7"):
        loop.answer([7] * 9)
    assert loop.journal.path.read_bytes() == before


@pytest.mark.parametrize("by", ["loop", "callback"])
def test_a_run_that_is_stopped_ends_after_the_round_which_is_recorded(
    tmp_path: Path, by: str
) -> None:
    class Stops(LoopCallback):
        rounds = 0

        def on_round_end(self, result: RoundResult) -> None:
            self.rounds += 1
            if by == "loop" and self.rounds == 2:
                loop.stop()

        def wants_to_stop(self) -> bool:
            return by == "callback" and self.rounds == 2

    loop = make_loop(tmp_path, callbacks=[Stops()])
    journal = loop.run()
    assert [e["labels_bought"] for e in journal.rounds] == [9, 15]
    assert journal.events[-1] == {"event": "end", "reason": "stopped"}
    before = journal.path.read_bytes()
    assert make_loop(tmp_path).run().path.read_bytes() == before


def test_only_fits_and_passes_take_trainers_and_none_is_thrown_away(tmp_path: Path) -> None:
    made: list[L.Trainer] = []

    def make_trainer(round_index: int, labels: int) -> L.Trainer:
        made.append(tiny_trainer(round_index, labels))
        return made[-1]

    make_loop(tmp_path, make_trainer=make_trainer).run()
    assert len(made) == 4  # one for all passes, three for the rounds
    assert [trainer.global_step > 0 for trainer in made] == [False, True, True, True]


def test_a_fit_that_is_cut_off_goes_on_inside_its_round(tmp_path: Path) -> None:
    class CutOff(TinyModel):
        left = 1_000_000

        def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
            CutOff.left -= 1
            if CutOff.left < 0:
                raise KeyboardInterrupt
            return super().training_step(batch, batch_idx)

    options: dict[str, Any] = {"make_classifier": CutOff, "save_minutes": 0.0}
    whole = make_loop(tmp_path / "whole", **options).run()
    steps = 1_000_000 - CutOff.left
    starts = 0
    while not Journal(tmp_path / "cut" / "journal.jsonl").finished and starts < steps:
        CutOff.left, starts = 3, starts + 1  # fewer than a fit has
        with contextlib.suppress(KeyboardInterrupt, SystemExit):
            make_loop(tmp_path / "cut", **options).run()
    cut = Journal(tmp_path / "cut" / "journal.jsonl")
    assert [e["metrics"] for e in cut.rounds] == [e["metrics"] for e in whole.rounds]
    assert cut.pool.labeled_ids.equal(whole.pool.labeled_ids)
    assert starts >= steps // 3
    assert [path.name for path in (tmp_path / "cut" / "checkpoints").iterdir()] == ["last.ckpt"]
