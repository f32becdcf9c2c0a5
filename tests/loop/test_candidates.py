from dataclasses import replace

import pytest
import torch

from al_lightning.loop.candidates import (
    Candidates,
    apart_from_held_out,
    candidates_of_round,
    draw_candidates,
    next_candidates,
    require_enough_candidates,
)
from al_lightning.run.budget import Budget
from al_lightning.run.pool import Pool
from al_lightning.utils.errors import UsageError

IDS = torch.arange(30, 90, 2)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("pool_subset", [None, 30, 31])
def test_all_are_candidates_and_nothing_is_drawn(pool_subset: int | None) -> None:
    generator = seeded()
    assert draw_candidates(IDS, pool_subset, generator) is IDS
    assert torch.equal(generator.get_state(), seeded().get_state())


def test_a_subset_holds_distinct_ids_in_their_order() -> None:
    drawn = draw_candidates(IDS, 7, seeded())
    assert drawn.tolist() == sorted(set(drawn.tolist()) & set(IDS.tolist()))
    assert len(drawn) == 7


def test_every_image_has_the_same_chance() -> None:
    generator, times = seeded(), torch.zeros(90)
    for _ in range(600):
        times[draw_candidates(IDS, 10, generator)] += 1
    assert times.sum() == 6000
    assert ((times[IDS] - 200).abs() < 60).all()  # 5 standard deviations


def test_the_generator_decides() -> None:
    one, same, other = (draw_candidates(IDS, 10, seeded(seed)) for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_fewer_candidates_than_queried_are_an_error_that_names_both_keys() -> None:
    require_enough_candidates(None, 50)
    require_enough_candidates(50, 50)
    with pytest.raises(UsageError, match=r"strategy\.pool_subset=49 .* the 50 of budget\.query"):
        require_enough_candidates(49, 50)


@pytest.mark.parametrize(
    ("wanted", "left", "ids", "count"),
    [
        (2, 9, [0, 2, 4], 2),
        (9, 9, [0, 2, 4], 3),  # no more than there are
        (9, 4, [0, 2, 4], 2),  # the budget of the open ones is set aside
        (9, 2, [3, 5], 2),  # only they are left to ask
        (9, 1, [3, 5], 1),
        (0, 9, [0, 2, 4], 0),
    ],
)
def test_what_an_annotator_has_is_left_alone(
    wanted: int, left: int, ids: list[int], count: int
) -> None:
    pool = Pool(6, torch.tensor([1]), torch.tensor([0]), open_ids=torch.tensor([5, 3]))
    free, many = next_candidates(pool, wanted, left)
    assert (free.tolist(), many) == (ids, count)


def test_where_nothing_is_left_nothing_is_asked() -> None:
    pool = Pool(1, torch.tensor([0]), torch.tensor([0]))
    free, many = next_candidates(pool, 5, 5)
    assert (len(free), many) == (0, 0)


def of_round(index: int = 1, labeled: int = 3, budget: int = 9) -> Candidates:
    pool = Pool(12).reveal(torch.arange(labeled), torch.zeros(labeled, dtype=torch.int64))
    return candidates_of_round(index, pool, Budget(initial=3, query=2, total=budget), 0, seed=4)


def test_a_round_selects_from_what_is_not_labeled() -> None:
    found = of_round()
    assert (found.index, found.count, found.seed) == (1, 2, 4)
    assert found.labeled_ids.tolist() == [0, 1, 2]
    assert found.ids.tolist() == [*range(3, 12)]
    assert of_round(labeled=8).count == 1  # the rest of the budget
    assert of_round(labeled=9).count == 0


@pytest.mark.parametrize(
    "other",
    [of_round(index=2), of_round(labeled=4), of_round(budget=4), replace(of_round(), seed=5)],
    ids=["round", "labels", "count", "seed"],
)
def test_candidates_are_the_same_where_all_is(other: Candidates) -> None:
    assert of_round().same_as(of_round())
    assert not of_round().same_as(other)


def test_the_order_of_labels_does_not_count() -> None:
    found = of_round()
    assert found.same_as(replace(found, labeled_ids=found.labeled_ids.flip(0)))


def test_no_image_is_queried_whose_group_is_validated_or_tested_on() -> None:
    one, zero = torch.tensor([1]), torch.tensor([0])
    pool = Pool(8, zero, zero, validation_ids=2 * one, validation_labels=one)
    groups = torch.tensor([0, 0, 1, 1, 2, 2, 1, 0])
    assert apart_from_held_out(pool.candidate_ids, pool, groups).tolist() == [1, 4, 5, 7]
    assert apart_from_held_out(pool.candidate_ids, pool, None).tolist() == [1, 3, 4, 5, 6, 7]
    free, count = next_candidates(pool, 9, 9, groups)
    assert (free.tolist(), count) == ([1, 4, 5, 7], 4)
