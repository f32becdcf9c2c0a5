import pytest

from al_lightning.report.analysis.costs import costs, passive_costs
from tests.report.helpers import a_passive_run, a_run, the_setting

# A round: fit 8, test 1, score 2, select 0.5 seconds; the last asks nothing.
RANDOM = a_run("random", 0, seconds={"score": 0.0})
MARGIN = a_run("margin", 0, (0.5, 0.8, 0.9, 0.9))


def test_seconds_by_hand() -> None:
    found = costs(the_setting([RANDOM, MARGIN]))["margin"]
    assert found.per_round == {"fit": 8.0, "test": 1.0, "score": 1.5, "select": 0.375}
    assert found.query == 2.5
    assert found.total == 4 * 9 + 3 * 2.5
    assert found.query_share == 7.5 / 32
    # random ends at 0.8, which margin has after two fits and a query; testing is no cost of training.
    assert found.to_reference is not None
    assert found.to_reference.labels == pytest.approx(8 + 2.5 + 8)
    assert found.to_reference.kind == "reached"


def test_the_reference_needs_its_own_time() -> None:
    found = costs(the_setting([RANDOM, MARGIN]))["random"]
    assert found.to_reference is not None
    assert found.to_reference.labels == pytest.approx(4 * 8 + 3 * 0.5)
    assert found.to_reference.kind == "reached"


def test_the_time_to_the_reference_is_that_of_common_seeds() -> None:
    easy = a_run("random", 1, (0.5, 0.9, 0.9, 0.95))
    found = costs(the_setting([RANDOM, easy, MARGIN]))["margin"].to_reference
    assert found is not None
    assert found.labels == pytest.approx(8 + 2.5 + 8)
    apart = costs(the_setting([easy, MARGIN]))
    assert apart["margin"].to_reference is None


def test_who_reaches_it_in_half_of_the_seeds_or_fewer_never_does() -> None:
    """As of the labels that are saved: a mean curve may get there though no seed's median does."""
    runs = [a_run("random", s, seconds={"score": 0.0}) for s in range(4)]  # 0.8 at the end of each
    high, low = (0.5, 0.8, 0.9, 0.9), (0.5, 0.6, 0.7, 0.79)
    for reaching, kind, seconds in ((3, "reached", 18.5), (2, "never", (18.5 + 39.5) / 2)):
        margin = [a_run("margin", s, high if s < reaching else low) for s in range(4)]
        found = costs(the_setting([*runs, *margin]))["margin"].to_reference
        assert found is not None
        assert found.kind == kind
        assert found.labels == pytest.approx(seconds)


def test_a_query_after_the_last_common_budget_does_not_count() -> None:
    longer = a_run("margin", 0, (0.5, 0.6, 0.7, 0.8, 0.9), (10, 20, 30, 40, 50))
    found = costs(the_setting([RANDOM, longer]))["margin"]
    assert found.query == 2.5
    assert found.query_share == 7.5 / 32


def test_without_a_reference_or_a_query_some_costs_are_unknown() -> None:
    found = costs(the_setting([a_run("margin", 0, (0.5,), (10,))]))["margin"]
    assert (found.query, found.to_reference) == (None, None)


def test_fits_that_took_no_time_have_no_share() -> None:
    nothing = dict.fromkeys(("fit", "test", "score", "select"), 0.0)
    found = costs(the_setting([a_run("random", seconds=nothing)]))["random"]
    assert (found.query_share, found.to_reference) == (None, None)


def test_the_passive_baseline_costs_one_round() -> None:
    found = passive_costs(the_setting([RANDOM, a_passive_run(seconds={"fit": 99.0})]))
    assert found is not None
    assert found.per_round["fit"] == 99.0
    assert found.query is None
    assert passive_costs(the_setting([RANDOM])) is None


def test_a_run_that_was_paused_does_not_count() -> None:
    paused = a_run("margin", 2, seconds={"fit": 5000.0, "select": 900.0})
    others = [a_run("margin", seed) for seed in (0, 1)]
    found = costs(the_setting([*others, paused, *(a_run("random", s) for s in range(3))]))
    assert (
        found["margin"]
        == costs(the_setting([*others, a_run("random", 0), a_run("random", 1)]))["margin"]
    )
