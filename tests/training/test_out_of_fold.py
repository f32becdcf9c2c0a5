from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.optim import AdamW

from al_lightning import (
    EmbeddingCache,
    ImageData,
    Learner,
    OutOfFold,
    Pool,
    Recipe,
    RoundTrainers,
    UsageError,
    out_of_fold,
)
from al_lightning.strategies.evidence import Need
from al_lightning.training import embedding_cache
from al_lightning.training.embedding import embed_images
from tests.helpers import TinySource, tiny_classifier, tiny_trainer
from tests.models.zoo import tiny_pretrained

RECIPE = Recipe(lambda groups: AdamW(groups, lr=0.02), epochs=5, batch_size=8, precision="32-true")


def learner_of(source: Any = None, **options: Any) -> Learner:
    datamodule = RECIPE.datamodule(source or TinySource(normalization=None))
    make = options.pop("make_classifier", tiny_classifier)
    return Learner(datamodule, make, RoundTrainers(tiny_trainer, RECIPE), **options)


def pool_of(learner: Learner, count: int = 30) -> Pool:
    ids = torch.arange(59, 59 - count, -1)
    return Pool(60).reveal(ids, learner.data.train.labels[ids])


def test_each_row_is_predicted_by_a_fit_on_the_other_folds() -> None:
    learner = learner_of()
    pool = pool_of(learner)
    found = out_of_fold(learner, pool, index=2, folds=3)
    assert found.ids.equal(pool.labeled_ids)
    assert found.labels.equal(pool.labels)
    assert found.fold_of.bincount().tolist() == [10, 10, 10]
    assert (found.logits.dtype, found.logits.shape) == (torch.float32, (30, 3))
    for fold in range(3):
        held = found.fold_of == fold
        part = Pool(60).reveal(pool.labeled_ids[~held], pool.labels[~held])
        fitted = learner_of().fit_apart(2, part)
        expected = fitted.evidence(pool.labeled_ids[held], {Need.PROBABILITIES})
        assert found.logits[held].exp().allclose(expected.require(Need.PROBABILITIES))
    right = (found.logits.argmax(1) == found.labels).float().mean()
    assert right > 0.6  # .33 by chance: the bands can be told apart


def test_the_seed_alone_decides_and_torch_is_left_alone() -> None:
    state = torch.get_rng_state()
    learner = learner_of(seed=3)
    one = out_of_fold(learner, pool_of(learner), folds=2)
    torch.manual_seed(99)
    again = out_of_fold(learner_of(seed=3), pool_of(learner), folds=2)
    other = out_of_fold(learner_of(seed=4), pool_of(learner), folds=2)
    torch.set_rng_state(state)
    assert one.logits.equal(again.logits)
    assert not one.fold_of.equal(other.fold_of)


def test_a_wrong_label_is_not_believed_by_the_fit_that_has_not_seen_it() -> None:
    learner = learner_of()
    pool = pool_of(learner, 60)
    true = pool.labels[7]
    labels = pool.labels.clone()
    labels[7] = (true + 1) % 3
    found = out_of_fold(learner, replace(pool, labels=labels), folds=5)
    assert found.logits[7].argmax() == true


def test_a_frozen_network_uses_its_cached_embeddings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes: list[int] = []

    def counted(*arguments: Any) -> None:
        passes.append(1)
        embed_images(*arguments)

    monkeypatch.setattr(embedding_cache, "embed_images", counted)
    options = {
        "make_classifier": lambda: RECIPE.classifier(tiny_pretrained(mode="linear"), 3),
        "embeddings": EmbeddingCache(tmp_path),
    }
    learner = learner_of(**options)
    out_of_fold(learner, pool_of(learner), folds=3)
    again = learner_of(**options)
    out_of_fold(again, pool_of(again), folds=2)
    assert len(passes) == 1


def test_groups_are_held_out_as_a_whole() -> None:
    class Grouped(TinySource):
        def load(self) -> ImageData:
            data = super().load()
            return replace(data, train=replace(data.train, groups=torch.arange(60) // 6))

    learner = learner_of(Grouped())
    found = out_of_fold(learner, pool_of(learner, 60), folds=4)
    for group in range(10):
        assert len(set(found.fold_of[found.ids // 6 == group].tolist())) == 1
    with pytest.raises(UsageError, match=r"label more images, of other groups"):
        out_of_fold(learner, pool_of(learner, 6))


@pytest.mark.parametrize(("count", "folds"), [(2, 5), (1, 5), (30, 1)])
def test_too_few_labels_are_refused(count: int, folds: int) -> None:
    learner = learner_of()
    with pytest.raises(UsageError, match=f"{count} labels cannot be divided into {folds} folds"):
        out_of_fold(learner, pool_of(learner, count), folds=folds)


def test_what_was_fitted_before_sees_the_same_images_afterwards() -> None:
    """Without published constants, images are normalised by the labeled ones of a round."""
    learner = learner_of()
    pool = pool_of(learner)
    fitted = learner.fit_apart(0, pool)
    ids = torch.arange(5)
    before = fitted.evidence(ids, {Need.PROBABILITIES}).require(Need.PROBABILITIES)
    told: list[tuple[int, int]] = []
    out_of_fold(learner, pool, folds=2, on_fold=lambda *fold: told.append(fold))
    after = fitted.evidence(ids, {Need.PROBABILITIES}).require(Need.PROBABILITIES)
    assert before.equal(after)
    assert told == [(0, 2), (1, 2)]


def test_its_temperature_is_fitted_across_the_folds() -> None:
    logits = torch.tensor([[4.0, 0.0], [4.0, 0.0], [4.0, 0.0], [4.0, 0.0]])
    found = OutOfFold(
        torch.arange(4), torch.tensor([0, 1, 0, 0]), torch.tensor([0, 0, 1, 1]), logits
    ).calibration()
    assert (found.source, found.labels) == ("out_of_fold", 4)
    assert found.temperature > 1
