"""The loop with a pretrained classifier: frozen embeddings, and first labels chosen by a strategy."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.optim import AdamW

from al_lightning import (
    ActiveLearningLoop,
    Budget,
    DatasetOracle,
    EmbeddingCache,
    ImageClassifier,
    Journal,
    Recipe,
    RoundTrainers,
    Strategy,
    UsageError,
    load_trained,
)
from al_lightning.inference.exports import export_run
from al_lightning.loop.first_labels import draw_uniform
from al_lightning.strategies import Euclidean, FarthestFirst, Margin, Random
from tests.command_line import comparable
from tests.helpers import TinySource, tiny_classifier, tiny_trainer
from tests.loop.parts import loop_of
from tests.models.zoo import NORMALIZATION, tiny_pretrained

BUDGET = Budget(initial=9, query=6, total=21)
RECIPE = Recipe(lambda groups: AdamW(groups, lr=0.01), epochs=2, batch_size=8, precision="32-true")


def classifier(mode: str, seed: int = 0) -> ImageClassifier:
    return RECIPE.classifier(tiny_pretrained(seed, mode=mode), 3)


def make_loop(
    folder: Path, mode: str = "linear", strategy: Strategy | None = None, **options: Any
) -> ActiveLearningLoop:
    datamodule = RECIPE.datamodule(TinySource(normalization=None))
    seed = options.pop("weights", 0)
    return loop_of(
        datamodule=datamodule,
        make_classifier=options.pop("make_classifier", lambda: classifier(mode, seed)),
        make_trainer=RoundTrainers(tiny_trainer, RECIPE),
        strategy=strategy or Margin(),
        oracle=options.pop("oracle", None) or DatasetOracle(datamodule.data.train.labels),
        journal=Journal(folder / "journal.jsonl"),
        **{"budget": BUDGET, "embeddings": EmbeddingCache(folder / "cache"), **options},
    )


def first_ids(journal: Journal) -> list[int]:
    return journal.pool_in(0).labeled_ids.tolist()


def test_a_frozen_backbone_trains_on_embeddings_that_are_computed_once(tmp_path: Path) -> None:
    loop = make_loop(tmp_path)
    journal = loop.run()
    assert [event["labels_bought"] for event in journal.rounds] == [9, 15, 21]
    assert "embed" in journal.rounds[0]["seconds"]
    assert "embed" not in journal.rounds[1]["seconds"]
    assert len(list((tmp_path / "cache").glob("*.npy"))) == 1
    assert (journal.start or {})["model"] == {
        "trainable_parameters": 21,
        "weights": tiny_pretrained().pretrained_digest(),
    }
    assert loop.learner.datamodule.normalization == NORMALIZATION
    (images, _), *_ = loop.learner.datamodule.train_dataloader()
    assert images.shape[1:] == (6,)
    assert loop.learner.datamodule.data.train.pixels.shape == (
        60,
        1,
        8,
        8,
    )  # what oracles and sheets see


def test_it_comes_to_the_same_as_images_without_augmentation(tmp_path: Path) -> None:
    once = make_loop(tmp_path / "once").run()
    anew = make_loop(tmp_path / "anew", embeddings=None).run()
    for one, other in zip(once.rounds, anew.rounds, strict=True):
        assert one["metrics"]["nll"] == pytest.approx(other["metrics"]["nll"], rel=1e-4)


def test_a_resumed_run_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    whole = make_loop(tmp_path / "whole").run()
    folder = tmp_path / "cut"
    folder.mkdir()
    lines = whole.path.read_text().splitlines(keepends=True)
    (folder / "journal.jsonl").write_text("".join(lines[:4]))
    resumed = make_loop(folder).run()
    assert comparable(resumed.path) == comparable(whole.path)


def test_a_finished_run_computes_nothing(tmp_path: Path) -> None:
    make_loop(tmp_path).run()
    for path in (tmp_path / "cache").iterdir():
        path.unlink()
    make_loop(tmp_path).run()
    assert list((tmp_path / "cache").iterdir()) == []


def test_other_pretrained_weights_are_another_run(tmp_path: Path) -> None:
    make_loop(tmp_path).run()
    with pytest.raises(UsageError, match=r"model\.weights: .* -> "):
        make_loop(tmp_path, weights=1).run()


@pytest.mark.parametrize("mode", ["linear", "last_block", "finetune"])
def test_a_trained_run_says_of_new_images_what_the_run_said(tmp_path: Path, mode: str) -> None:
    loop = make_loop(tmp_path, mode)
    journal = loop.run()
    run = load_trained(tmp_path, classifier(mode))
    assert run.normalization == NORMALIZATION
    test = loop.learner.datamodule.data.test
    probabilities = run.predict(test.pixels[:])
    accuracy = float((probabilities.argmax(1) == test.labels).float().mean())
    nll = float(-probabilities[torch.arange(len(test)), test.labels].log().mean())
    metrics = journal.rounds[-1]["metrics"]
    assert accuracy == pytest.approx(metrics["accuracy"], abs=1e-6)
    assert nll == pytest.approx(metrics["nll"], rel=1e-4)
    difference = export_run(run, tmp_path / "model.pt2", "pt2")
    assert difference is not None
    assert difference < 1e-5


def test_a_checkpoint_holds_no_frozen_weights(tmp_path: Path) -> None:
    make_loop(tmp_path, "linear").run()
    path = tmp_path / "checkpoints" / "last.ckpt"
    state = torch.load(path, weights_only=True)["state_dict"]
    assert {name for name in state if "trunk" in name} == set()
    with pytest.raises(UsageError, match="no longer those in its configuration"):
        load_trained(tmp_path, classifier("linear", seed=1))


# The first labels


def test_a_strategy_chooses_the_first_labels_whatever_the_query_strategy(tmp_path: Path) -> None:
    farthest = FarthestFirst(Euclidean())
    budget = Budget(initial=9, query=6, total=15, initial_policy="l2")
    journals = [
        make_loop(
            tmp_path / str(index), strategy=strategy, budget=budget, initial_strategy=farthest
        ).run()
        for index, strategy in enumerate((Margin(), Random()))
    ]
    assert first_ids(journals[0]) == first_ids(journals[1])
    others = make_loop(tmp_path / "uniform", budget=Budget(initial=9, query=6, total=15)).run()
    assert first_ids(others) != first_ids(journals[0])
    # Farthest first: no other image is as far from the first one as the second.
    loop = make_loop(tmp_path / "look")
    loop.run()
    rows = loop.learner.datamodule.embeddings
    assert rows is not None
    first, second = first_ids(journals[0])[:2]
    distances = (rows.train - rows.train[first]).square().sum(1)
    assert int(distances.argmax()) == second


def test_it_works_on_images_too_and_an_untrained_network_is_warned_of(tmp_path: Path) -> None:
    budget = Budget(initial=6, query=6, total=6, initial_policy="l2")
    farthest = FarthestFirst(Euclidean())
    tuned = make_loop(tmp_path / "a", "finetune", budget=budget, initial_strategy=farthest).run()
    assert len(set(first_ids(tuned))) == 6
    with pytest.warns(UserWarning, match="selected with an untrained network"):
        make_loop(
            *(tmp_path / "b", "finetune"),
            budget=budget,
            initial_strategy=farthest,
            make_classifier=tiny_classifier,
        ).run()


def test_automatic_first_labels_are_chosen_where_there_is_something_to_see(tmp_path: Path) -> None:
    farthest = FarthestFirst(Euclidean())

    def first(folder: str, policy: str, **options: Any) -> list[int]:
        budget = Budget(initial=6, query=6, total=6, initial_policy=policy)
        return first_ids(make_loop(tmp_path / folder, budget=budget, **options).run())

    chosen = first("l2", "l2", initial_strategy=farthest)
    drawn = draw_uniform(torch.arange(60), 6, seed=0).tolist()
    assert chosen != drawn
    assert first("pretrained", "auto", initial_strategy=farthest) == chosen
    untrained = {"make_classifier": tiny_classifier, "mode": "finetune"}
    assert first("untrained", "auto", initial_strategy=farthest, **untrained) == drawn


def test_a_strategy_that_needs_more_is_refused(tmp_path: Path) -> None:
    budget = Budget(initial=9, query=6, total=15, initial_policy="margin")
    with pytest.raises(UsageError, match="cannot be Margin: it needs probabilities"):
        make_loop(tmp_path, budget=budget, initial_strategy=Margin())
    for policy in ("margin", "auto"):
        loop = make_loop(tmp_path, budget=replace(budget, initial_policy=policy))
        with pytest.raises(
            UsageError, match=f"{policy} needs `initial_strategy`.*uniform or balanced"
        ):
            loop.run()
