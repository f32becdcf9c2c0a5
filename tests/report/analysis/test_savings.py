import pytest

from al_lightning.report.analysis.savings import efficiency, passive_gaps, savings
from al_lightning.report.statistics.efficiency import Bounded
from tests.report.helpers import a_passive_run, a_run, the_setting

# random comes to 0.8 with 40 labels; margin with 25, half-way from 0.7 at 20 to 0.9 at 30.
RANDOM = [a_run("random", s, (0.5, 0.6, 0.7, 0.8)) for s in range(2)]
MARGIN = [a_run("margin", s, (0.5, 0.7, 0.9, 0.95)) for s in range(2)]


def test_labels_saved_by_hand() -> None:
    (found,) = savings(the_setting([*RANDOM, *MARGIN])).values()
    assert found.median == pytest.approx(1 - 25 / 40)
    assert [saved.bound for saved in found.by_seed.values()] == ["exact", "exact"]
    assert (found.seeds_saving, found.seeds, found.never) == (2, 2, ())


def test_two_seeds_have_a_range() -> None:
    runs = [*RANDOM, MARGIN[0], a_run("margin", 1, (0.5, 0.5, 0.8, 0.9))]
    found = savings(the_setting(runs))["margin"]
    assert (found.low, found.high) == pytest.approx((1 - 30 / 40, 1 - 25 / 40))
    assert found.median == pytest.approx((0.25 + 0.375) / 2)
    assert not found.confident


def test_six_seeds_have_an_interval() -> None:
    runs = [a_run("random", s, (0.5, 0.6, 0.7, 0.8)) for s in range(6)]
    runs += [a_run("margin", s, (0.5, 0.6, 0.7 + 0.02 * s, 0.9)) for s in range(6)]
    found = savings(the_setting(runs))["margin"]
    assert found.confident
    assert (found.low, found.high) == pytest.approx((1 - 35 / 40, 1 - 30 / 40))


def test_seeds_that_never_reach_it_are_the_smallest_and_named() -> None:
    runs = [a_run("random", s) for s in range(3)] + [*MARGIN, a_run("margin", 2, (0.5,) * 4)]
    found = savings(the_setting(runs))["margin"]
    assert (found.never, found.low) == ((2,), None)
    assert found.median == found.high == pytest.approx(1 - 25 / 40)
    worse = [a_run("kl", s, (0.5, 0.5, 0.6, 0.7)) for s in range(2)]
    found = savings(the_setting([*RANDOM, *worse]))["kl"]
    assert (found.never, found.median, found.high, found.seeds_saving) == ((0, 1), None, None, 0)


def test_what_nothing_is_known_of() -> None:
    runs = [a_run("random", 0, (0.5, 0.5, 0.5, 0.45)), a_run("margin", 0, (0.5, 0.6, 0.7, 0.8))]
    found = savings(the_setting(runs))["margin"]
    assert found.by_seed == {0: Bounded(None, "unknown")}
    assert (found.median, found.seeds_saving) == (None, 0)
    assert (found.unknown, found.never, found.seeds, found.known) == ((0,), (), 1, 0)
    some = savings(
        the_setting([*runs, a_run("random", 1), a_run("margin", 1, (0.5, 0.7, 0.9, 0.95))])
    )
    assert some["margin"].median == pytest.approx(1 - 25 / 40)
    assert (some["margin"].unknown, some["margin"].seeds, some["margin"].known) == ((0,), 2, 1)


def test_only_common_seeds_count() -> None:
    extra = a_run("margin", 7, (0.9, 0.9, 0.9, 0.9))
    (found,) = savings(the_setting([*RANDOM, *MARGIN, extra])).values()
    assert found.median == pytest.approx(1 - 25 / 40)
    assert found.seeds == 2
    apart = the_setting([*RANDOM, extra])
    assert savings(apart) == {}
    assert efficiency(apart) == {}


def test_without_a_reference_nothing_is_saved() -> None:
    assert savings(the_setting(MARGIN)) == {}
    assert efficiency(the_setting(MARGIN)) == {}


def test_the_gap_to_all_labels() -> None:
    setting = the_setting([*RANDOM, *MARGIN, a_passive_run(0, 0.99), a_passive_run(1, 1.0)])
    gap = passive_gaps(setting)["margin"]
    assert gap.accuracy == pytest.approx(0.995)
    assert gap.labels == 200
    assert gap.share == pytest.approx(0.95 / 0.995)
    # 0.95 of 0.995 is 0.94525, 9.05 tenths of the way from 0.9 at 30 to 0.95 at 40.
    assert gap.shares[0.95].labels == pytest.approx(39.05)
    assert gap.shares[0.95].kind == "reached"
    assert [gap.shares[share].kind for share in (0.98, 0.99, 1.0)] == ["never"] * 3
    assert passive_gaps(the_setting(RANDOM)) == {}


def test_label_efficiency_by_hand() -> None:
    found = efficiency(the_setting([*RANDOM, *MARGIN]))["margin"]
    assert found.targets[-1] == pytest.approx(0.95)  # the best that any comes to
    assert found.targets[0] == pytest.approx(0.5 + 0.45 / 25)
    # 0.59 needs 19 labels of random, 14.5 of margin.
    k = next(k for k, target in enumerate(found.targets) if target == pytest.approx(0.59))
    assert found.ratios[k].value == pytest.approx(19 / 14.5)
    assert found.ratios[k].bound == "exact"
    # 0.95 needs more than random's 40 labels, and 40 of margin.
    assert found.ratios[-1].value == pytest.approx(1)
    assert found.ratios[-1].bound == "at_least"


def test_curves_that_never_rise_have_no_targets() -> None:
    flat = [a_run(name, 0, (0.5, 0.5, 0.5, 0.5)) for name in ("random", "margin")]
    assert efficiency(the_setting(flat)) == {}
