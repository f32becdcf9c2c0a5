import warnings
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from torch import Tensor

from al_lightning.data.source import ImageData
from al_lightning.loop.first_labels import (
    FirstLabels,
    draw_balanced,
    draw_held_out,
    draw_uniform,
)
from al_lightning.loop.plain import plain_loop
from al_lightning.oracles.manual import ManualOracle
from al_lightning.run.budget import Budget
from al_lightning.run.pool import Pool
from al_lightning.strategies import Margin
from tests.helpers import TinySource


def classes_of(*sizes: int) -> Tensor:
    """So many images of class 0, of class 1, ..., shuffled."""
    classes = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    return classes[torch.randperm(len(classes), generator=torch.Generator().manual_seed(9))]


def counts_of(ids: Tensor, classes: Tensor) -> list[int]:
    return classes[ids].bincount(minlength=int(classes.max()) + 1).tolist()


@pytest.mark.parametrize("count", [1, 2, 7, 10, 23, 50])
def test_classes_come_in_equal_numbers(count: int) -> None:
    classes = classes_of(*[9] * 10)
    for seed in range(5):
        counts = counts_of(draw_balanced(torch.arange(90), classes, count, seed), classes)
        assert sum(counts) == count
        assert max(counts) - min(counts) <= 1


@pytest.mark.parametrize(
    ("count", "expected"),
    [(6, [2, 2, 2]), (12, [2, 5, 5]), (20, [2, 5, 13]), (57, [2, 5, 50])],
)
def test_classes_that_run_out_are_passed_over(count: int, expected: list[int]) -> None:
    classes = classes_of(2, 5, 50)
    drawn = draw_balanced(torch.arange(57), classes, count, seed=3)
    assert counts_of(drawn, classes) == expected


def test_a_class_without_images_is_passed_over() -> None:
    classes = classes_of(4, 0, 4)
    assert counts_of(draw_balanced(torch.arange(8), classes, 6, seed=0), classes) == [3, 0, 3]


def test_a_turn_that_is_not_completed_goes_to_random_classes() -> None:
    classes, extra = classes_of(20, 20, 20).sort().values, torch.zeros(3)
    for seed in range(300):
        drawn = draw_balanced(torch.arange(60), classes, 4, seed)
        extra += torch.tensor(counts_of(drawn, classes)) - 1
    assert all(abs(times - 100) < 41 for times in extra.tolist())  # 5 standard deviations


def test_every_image_of_a_class_is_as_likely() -> None:
    classes, times = classes_of(3, 3), torch.zeros(6)
    for seed in range(600):
        times[draw_balanced(torch.arange(6), classes, 2, seed)] += 1
    assert all(abs(t - 200) < 58 for t in times.tolist())  # 5 standard deviations


def test_balanced_draws_distinct_ids_of_those_given() -> None:
    ids = 100 + 7 * torch.randperm(30, generator=torch.Generator().manual_seed(1))
    drawn = draw_balanced(ids, classes_of(10, 10, 10), 17, seed=0).tolist()
    assert len(set(drawn)) == 17
    assert set(drawn) <= set(ids.tolist())


def test_balanced_depends_on_ids_classes_and_seed_alone() -> None:
    ids, classes = torch.arange(100, 160), classes_of(20, 20, 20)
    draws = []
    for global_seed in (1, 2):
        torch.manual_seed(global_seed)
        draws.append(draw_balanced(ids, classes, 10, seed=5))
    assert torch.equal(*draws)
    assert not torch.equal(draws[0], draw_balanced(ids, classes, 10, seed=6))


def test_balanced_draws_nothing_of_nothing() -> None:
    nothing = torch.empty(0, dtype=torch.int64)
    assert draw_balanced(nothing, nothing, 0, seed=0).tolist() == []


def test_uniform_draws_every_id_as_often() -> None:
    ids, times = torch.tensor([3, 11, 5, 8]), torch.zeros(12)
    for seed in range(400):
        drawn = draw_uniform(ids, 2, seed)
        assert len(set(drawn.tolist())) == 2
        times[drawn] += 1
    assert times.sum() == times[ids].sum() == 800
    assert all(abs(t - 200) < 50 for t in times[ids].tolist())  # 5 standard deviations


def test_uniform_depends_on_ids_and_seed_alone() -> None:
    draws = []
    for global_seed in (1, 2):
        torch.manual_seed(global_seed)
        draws.append(draw_uniform(torch.arange(50), 10, seed=5))
    assert torch.equal(*draws)
    assert not torch.equal(draws[0], draw_uniform(torch.arange(50), 10, seed=6))


def test_validation_is_distinct_and_depends_on_size_and_seed_alone() -> None:
    draws = []
    for global_seed in (1, 2):
        torch.manual_seed(global_seed)
        draws.append(draw_held_out(torch.arange(50), 20, seed=5))
    assert torch.equal(*draws)
    assert len(set(draws[0].tolist())) == 20
    assert set(draws[0].tolist()) <= set(range(50))
    assert not torch.equal(draws[0], draw_held_out(torch.arange(50), 20, seed=6))


def test_validation_draws_every_image_as_often() -> None:
    times = torch.zeros(4)
    for seed in range(400):
        times[draw_held_out(torch.arange(4), 2, seed)] += 1
    assert all(abs(t - 200) < 50 for t in times.tolist())  # 5 standard deviations


@pytest.mark.parametrize("balanced", [False, True])
def test_the_initial_set_is_drawn_beside_the_validation_set(balanced: bool) -> None:
    classes = classes_of(20, 20, 20)
    for seed in range(10):
        validation = draw_held_out(torch.arange(60), 25, seed)
        free = Pool(60).reveal(validation, classes[validation], validation=True).unlabeled_ids
        initial = (
            draw_balanced(free, classes[free], 20, seed)
            if balanced
            else draw_uniform(free, 20, seed)
        )
        assert not set(initial.tolist()) & set(validation.tolist())


def test_validation_and_initial_draws_are_not_the_same_stream() -> None:
    assert (
        draw_held_out(torch.arange(50), 50, 0).tolist()
        != draw_uniform(torch.arange(50), 50, 0).tolist()
    )


# What a run draws


class Unlabeled(TinySource):
    """The same images, and nobody knows their classes."""

    def load(self) -> ImageData:
        data = super().load()
        unknown = torch.full_like(data.train.labels, -1)
        return replace(data, train=replace(data.train, labels=unknown))


def asked_first(folder: Path, source: TinySource, **policy: str) -> list[int]:
    """The ids of the first question of a run."""
    budget = Budget(initial=9, query=3, total=12, **policy)  # type: ignore[arg-type]
    loop = plain_loop(source, Margin(), folder, budget, oracle=ManualOracle())
    loop.step()
    assert loop.question is not None
    return loop.question.ids.tolist()


def test_first_labels_are_drawn_without_a_look_at_the_classes(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = asked_first(tmp_path, TinySource())
    assert drawn == draw_uniform(torch.arange(60), 9, seed=0).tolist()


def test_balanced_first_labels_say_that_they_know_all_classes(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="classes of all images, which nobody has bought"):
        drawn = asked_first(tmp_path, TinySource(), initial_policy="balanced")
    labels = TinySource().load().train.labels
    assert labels[drawn].bincount().tolist() == [3, 3, 3]


def test_where_no_class_is_known_balanced_knows_nothing(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = asked_first(tmp_path, Unlabeled(), initial_policy="balanced")
    assert drawn == draw_uniform(torch.arange(60), 9, seed=0).tolist()


def test_images_that_come_to_a_known_group_are_not_drawn_for_validation() -> None:
    groups = torch.cat([torch.arange(20) // 4, torch.arange(20) // 4, 5 + torch.arange(20) // 4])
    train = SimpleNamespace(groups=groups)
    data: Any = SimpleNamespace(train=train, given_ids=torch.arange(0))
    learner: Any = SimpleNamespace(seed=0, data=data)
    journal: Any = SimpleNamespace(
        is_project=False, arrivals=[(20, 60, {"budget": {"validation": 8}})], given_labels=int
    )
    budget = Budget(initial=4, query=4, total=60, validation=8)
    held_out = torch.arange(4, 12)
    pool = Pool(
        60,
        torch.arange(4),
        torch.zeros(4, dtype=torch.int64),
        validation_ids=held_out,
        validation_labels=torch.zeros_like(held_out),
    )
    found = FirstLabels(learner, cast("Any", None), budget, journal).missing(pool)
    assert found is not None
    origin, ids = found
    assert (origin, len(ids)) == ("validation", 16)
    assert int(ids.min()) >= 40  # the groups of the first twenty are taken
    assert {*groups[ids].bincount().tolist()} == {0, 4}
