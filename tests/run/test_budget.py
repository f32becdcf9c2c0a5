import dataclasses
from typing import Any

import pytest

from al_lightning.run.budget import Budget
from al_lightning.utils.errors import UsageError


def test_defaults_are_those_of_the_standard_run() -> None:
    expected = {"initial": 500, "query": 500, "total": 3000, "validation": 0, "test": 0}
    others = {"initial_policy": "uniform", "memory_limit": "auto"}
    assert dataclasses.asdict(Budget()) == {**expected, **others}


@pytest.mark.parametrize(
    ("amounts", "size", "limit"),
    [
        ({"initial": 10, "total": 50}, 100, 50),
        ({"initial": 10, "total": 50}, 50, 50),
        ({"initial": 10, "total": 50}, 49, 49),
        ({"initial": 10, "total": "all"}, 100, 100),
        ({"initial": "all", "total": "all"}, 100, 100),
        ({"initial": 30, "validation": 20, "total": 50}, 50, 50),
        ({"initial": 30, "validation": 20, "total": 90}, 50, 50),
    ],
)
def test_limit_is_the_budget_or_the_data_set(
    amounts: dict[str, Any], size: int, limit: int
) -> None:
    assert Budget(**amounts).limit(size) == limit


@pytest.mark.parametrize(
    ("amounts", "start"),
    [
        ({"initial": 51, "total": "all"}, 51),
        ({"initial": 31, "validation": 20, "total": 90}, 51),
        ({"initial": "all", "validation": 51, "total": "all"}, 51),
    ],
)
def test_a_start_beyond_the_data_set_is_an_error(amounts: dict[str, Any], start: int) -> None:
    with pytest.raises(UsageError, match=rf"initial \+ budget.validation = {start}.*has 50 images"):
        Budget(**amounts).limit(50)


@pytest.mark.parametrize("key", ["initial", "query", "total", "validation"])
@pytest.mark.parametrize("value", [-1, 1.0, "7", "every", True, None])
def test_an_amount_that_is_none_is_an_error_that_names_the_key(key: str, value: Any) -> None:
    with pytest.raises(UsageError, match=rf"budget\.{key} must be .* not {value!r}"):
        Budget(**{key: value})


@pytest.mark.parametrize("limit", ["auto", "4GB", 4_000_000_000, 4e9])
def test_a_memory_limit_is_a_size_or_auto(limit: int | float | str) -> None:
    assert Budget(memory_limit=limit).memory_limit == limit


@pytest.mark.parametrize("limit", ["much", None, True, 0, -1])
def test_a_memory_limit_that_is_none_is_an_error_that_names_the_key(limit: Any) -> None:
    with pytest.raises(UsageError, match=r'budget\.memory_limit must be a size or "auto": '):
        Budget(memory_limit=limit)


@pytest.mark.parametrize("key", ["query", "total"])
def test_only_validation_and_the_start_may_be_zero(key: str) -> None:
    assert Budget(validation=0).validation == 0
    with pytest.raises(UsageError, match=rf"budget\.{key} must be .* at least [12]"):
        Budget(**{key: 0})  # type: ignore[arg-type]


@pytest.mark.parametrize("key", ["query", "validation"])
def test_all_is_no_amount_to_query_or_to_validate_on(key: str) -> None:
    with pytest.raises(UsageError, match=rf"budget\.{key} must be .* not 'all'"):
        Budget(**{key: "all"})  # type: ignore[arg-type]


def test_more_to_start_from_than_in_all_is_an_error() -> None:
    assert Budget(initial=60, validation=40, total=100).total == 100
    with pytest.raises(UsageError, match=r"61 \+ 40 is more than budget.total = 100"):
        Budget(initial=61, validation=40, total=100).limit(1000)


def test_all_to_start_from_needs_all_in_all() -> None:
    with pytest.raises(UsageError, match=r"budget\.initial=all needs budget\.total=all"):
        Budget(initial="all", total=3000)


def test_a_policy_is_a_name_and_an_error_lists_the_known() -> None:
    assert Budget(initial_policy="l2").initial_policy == "l2"
    for wrong in ("", 3, None):
        with pytest.raises(
            UsageError, match="must be uniform, balanced, auto or the name of a strategy, not"
        ):
            Budget(initial_policy=wrong)  # type: ignore[arg-type]


def test_a_run_that_starts_from_nothing_begins_with_a_query() -> None:
    budget = Budget(initial=0, query=30, total=100)
    assert budget.first(1000) == 30
    assert budget.first(7) == 7
    assert Budget(initial=20, query=30).first(1000) == 20
    assert Budget(initial="all", total="all").first(1000) == 1000
    with pytest.raises(UsageError, match=r"budget\.initial=1 is too few"):
        Budget(initial=1)
    with pytest.raises(UsageError, match=r"budget\.validation = 50 leaves fewer than 2 of"):
        Budget(initial=0, query=10, total=50, validation=50)


def test_given_labels_stand_for_the_initial_ones() -> None:
    budget = Budget(initial=50, query=10, total=60, validation=8)
    assert budget.limit(55, given=10) == 55
    assert budget.limit(100, given=52) == 60
    with pytest.raises(UsageError, match=r"53 labels .* budget\.validation = 8 .* Raise it to 61"):
        budget.limit(100, given=53)
    with pytest.raises(UsageError, match="fewer than 2 of the 9 images to train on"):
        budget.limit(9, given=3)
    everything = Budget(initial=0, query=10, total="all", validation=8)
    assert (
        everything.limit(60, given=59) == 60
    )  # most of the validation images are among those given
    assert Budget(initial=500, query=10, total=60).limit(1000, given=60) == 60
    with pytest.raises(UsageError, match=r"61 labels were given .* more than budget\.total = 60"):
        Budget(initial=500, query=10, total=60).limit(1000, given=61)


def test_a_list_has_the_sizes_of_successive_queries_and_the_last_repeats() -> None:
    budget = Budget(initial=10, query=[10, 30, 50, 100, 300, 500], total=1000)
    assert [budget.query_size(index) for index in range(8)] == [10, 30, 50, 100, 300, 500, 500, 500]
    assert budget.first(1000) == 10
    assert budget.largest_query == 500
    assert Budget(query=[40, 5]).largest_query == 40
    assert [Budget(query=7).query_size(index) for index in (0, 1, 100)] == [7, 7, 7]
    assert Budget(query=7).largest_query == 7


def test_where_the_first_labels_are_a_query_the_first_size_is_theirs() -> None:
    budget = Budget(initial=0, query=[10, 30, 50], total=1000)
    assert budget.first(1000) == 10
    assert [budget.query_size(index) for index in range(4)] == [30, 50, 50, 50]
    # Labels that came with the images are no query.
    assert [budget.query_size(index, given=8) for index in range(4)] == [10, 30, 50, 50]


def test_queries_are_counted_by_hand() -> None:
    budget = Budget(initial=10, query=[10, 30, 50, 100, 300, 500], total=1000)
    assert budget.count_queries(990, 0) == 6
    assert budget.count_queries(991, 0) == 7
    assert budget.count_queries(950, 2) == 4  # 50 + 100 + 300 + 500
    assert budget.count_queries(1001, 9) == 3
    assert budget.count_queries(0, 0) == 0
    assert Budget(query=50).count_queries(101, 0) == 3
    from_nothing = Budget(initial=0, query=[10, 20, 5])
    assert from_nothing.count_queries(30, 0) == 3  # 20 + 5 + 5
    assert from_nothing.count_queries(30, 0, given=1) == 2  # 10 + 20


def test_a_list_that_is_changed_later_changes_no_budget() -> None:
    sizes = [10, 30]
    budget = Budget(query=sizes)
    sizes[0] = 99
    assert budget == Budget(query=(10, 30))
    assert hash(budget) == hash(Budget(query=(10, 30)))


@pytest.mark.parametrize("value", [[], [10, 0], [10, True], [10, "20"], [10, None], [[10]], [1.5]])
def test_a_list_of_what_is_no_size_is_an_error_that_shows_it(value: Any) -> None:
    with pytest.raises(UsageError, match=r"budget\.query must be .* or a list of them") as error:
        Budget(query=value)
    assert str(error.value).endswith(f"not {value!r}")
