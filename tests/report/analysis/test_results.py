import json
from html import unescape

import numpy as np
import pytest

from al_lightning.report.analysis.results import Analysis, penalties
from al_lightning.report.page import chapter
from al_lightning.report.page.facts import facts
from al_lightning.report.page.html import Page, render, typeset
from al_lightning.report.page.overview import Overview
from al_lightning.report.statistics.comparison import Outcome
from al_lightning.report.study.grouping import build_study
from al_lightning.report.tables.comparison_tables import against_best, against_reference
from al_lightning.report.tables.formats import Raw, Table, to_records
from al_lightning.report.wording import points
from al_lightning.report.words.insights import insights
from al_lightning.report.words.verdict import verdict
from tests.report.helpers import a_passive_run, a_run, a_study, the_analysis, the_setting

EFFECTS = {"random": 0.0, "margin": 0.06, "entropy": 0.03, "kl": -0.03}


def test_strategies_against_the_reference_and_each_other() -> None:
    analysis = the_analysis(a_study(EFFECTS, passive=0.9))
    assert analysis.leaders == analysis.can_be_best == ["margin"]
    assert analysis.order == ["margin", "entropy", "random", "kl"]
    against = analysis.against
    assert [c.strategy for c in against] == ["margin", "entropy", "kl"]
    # The lead is there for two whole steps of three, and half of the first.
    assert [c.mean for c in against] == pytest.approx([0.05, 0.025, -0.025])
    assert analysis.read_as(Outcome.BETTER) == ["margin", "entropy"]
    final = analysis.other_measures["final_accuracy"]
    assert [d.mean for d in final.values() if d] == pytest.approx([0.03, -0.03, 0.06])
    assert [s.strategy for s in analysis.standings] == ["entropy", "kl", "margin"]
    assert analysis.passive["accuracy"].mean == pytest.approx((0.9,))
    assert set(analysis.savings) == set(analysis.efficiency) == {"margin", "entropy", "kl"}


def test_every_pair_has_one_reading_and_the_groups_follow_from_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Random studies: no statement on a strategy contradicts another."""
    monkeypatch.setattr(chapter, "pictures", lambda *_: {})
    drawn = np.random.default_rng(0)
    for study in range(25):
        seeds, noise = 3 + study % 4, drawn.choice([0.002, 0.01])
        effects = dict(zip("abcde", drawn.choice([0, 0.01, 0.04, -0.04], 5).tolist(), strict=True))
        runs = []
        for seed in range(seeds):
            for name, effect in {"random": 0.0, **effects}.items():
                later = 0.6 + effect + drawn.normal(0, noise, 3)
                runs.append(a_run(name, seed, [0.5, *later.tolist()]))
        analysis = the_analysis(runs)
        check(analysis)
        if study % 3 == 0:  # a page takes longest
            check_files(analysis)


def records(table: Table | None) -> list[dict[str, Raw]]:
    assert table is not None
    return to_records(table)


def check(analysis: Analysis) -> None:
    """Compare the words, the tables and the numbers for programs with the two families."""
    better, worse = analysis.read_as(Outcome.BETTER), analysis.read_as(Outcome.WORSE)
    same, best = analysis.read_as(Outcome.SAME), analysis.can_be_best
    for c in analysis.against:
        assert c.interval is not None
        low, high = c.interval
        assert low <= c.mean <= high
        assert (c.strategy in better) == (low >= 0 and c.mean > 0)
        assert (c.strategy in worse) == (high <= 0 and c.mean < 0)
        if c.strategy in same:
            assert -0.005 < low < high < 0.005
    assert best
    assert not {*best} & {*worse}
    assert ("random" in best) == (not better)
    assert {*analysis.leaders} == {*best} & {*better}
    text = " ".join(verdict(analysis))
    first = text.split(". ")[0].replace(", ", " ").split()
    assert {n for n in "abcde" if n in first} == {*better}
    rows = records(against_reference(analysis))
    assert {r["strategy"] for r in rows if r["reading"] == "better"} == {*better}
    rows = records(against_best(analysis))
    marked = {r["strategy"] for r in rows if r["can_be_best"]}
    assert marked == {s.strategy for s in analysis.standings if s.can_be_best}
    assert marked - {*worse} == {*best} - {"random"}
    for names, words in ((worse, "worse than random"), (same, "the same as random")):
        (said,) = [s for s in text.split(". ") if words in s] or [""]
        assert {n for n in "abcde" if n in said.replace(",", "").split()} == {*names}
    for insight in insights(analysis):
        for pair in (f"{n} beats" for n in "abcde"):
            assert pair not in insight.text


def check_files(analysis: Analysis) -> None:
    """Compare the page and report.json with the two families."""
    written = chapter.write_chapter(analysis, {}, "slug", "")
    page = Page("A title", Overview([], None), [written], [], [], None, None, None, None, [])
    html = unescape(render(page))
    (found,) = json.loads(facts(page, [], None, [], {}))["settings"]
    assert all(typeset(sentence) in html for sentence in found["verdict"])
    assert found["verdict"] == [*verdict(analysis)]
    assert found["readings"] == {c.strategy: str(c.outcome) for c in analysis.against}
    assert found["can_be_best"] == analysis.can_be_best
    seeds = len(found["scores"]["aubc"]["a"])
    assert len(found["readings_rest_on"]) == analysis.rules.look(seeds)
    tables = found["tables"]
    rows = {r["strategy"]: r for r in tables["against_reference"] if r["strategy"] != "random"}
    assert {name: row["reading"] for name, row in rows.items()} == found["readings"]
    for name, row in rows.items():
        assert row["seeds"] == len(found["readings_rest_on"])
        claimed = row["low"] >= 0 or row["high"] <= 0
        assert claimed == (found["readings"][name] in ("better", "worse"))
        assert f"{points(row['difference'])}</td>" in html.replace("\u2212", "-")
    in_table = [r["strategy"] for r in tables["against_best"] if r["can_be_best"]]
    assert [n for n in in_table if found["readings"][n] != "worse"] == [
        name for name in found["can_be_best"] if name != "random"
    ]


def test_the_order_is_that_of_the_paired_differences() -> None:
    """margin has the easy seed alone, and so the higher mean, but the smaller lead."""
    runs = [a_run("random", s, [0.5, *(0.6 + 0.1 * s,) * 3]) for s in range(3)]
    runs += [a_run("kl", s, [0.5, *(0.63 + 0.1 * s,) * 3]) for s in range(3)]
    runs += [a_run("margin", 2, [0.5, *(0.81,) * 3]), a_run("l2", 7, [0.5, *(0.95,) * 3])]
    analysis = the_analysis(runs)
    assert analysis.order == ["kl", "margin", "random", "l2"]
    assert analysis.leaders == []


def test_without_a_reference_there_is_a_best_all_the_same() -> None:
    analysis = the_analysis(a_study({"margin": 0.06, "kl": 0.0}))
    assert (analysis.leaders, analysis.against) == ([], [])
    assert analysis.can_be_best == ["margin"]


def test_a_baseline_alone_can_be_analysed() -> None:
    analysis = the_analysis([a_passive_run()])
    assert (analysis.order, analysis.can_be_best, analysis.classes) == ([], [], None)


def test_a_single_round_has_no_first_measure() -> None:
    runs = [a_run(name, s, (0.5,), (10,)) for name in ("random", "kl") for s in range(3)]
    analysis = the_analysis(runs)
    assert analysis.against == []
    assert analysis.order == ["kl", "random"]


def test_penalties_over_two_settings() -> None:
    settings = [
        the_setting(a_study({"random": 0.0, "margin": 0.06})),
        the_setting(a_study({"random": 0.0, "margin": 0.0}, dataset="other")),
    ]
    found = penalties(settings)
    assert found is not None
    assert found.names == ("random", "margin")
    # At 20 and 30 labels, M + 2^(m-1) B, in one of them.
    assert found.matrix[1, 0] == pytest.approx(1)
    assert found.matrix[0, 1] == 0
    assert np.asarray(found.penalties) == pytest.approx([1, 0])
    assert found.budgets == ((20, 30), (20, 30))


def test_trials_of_a_search_give_no_penalties() -> None:
    runs = a_study({"random": 0.0, "margin": 0.06}, dataset="other")
    for factor in (2, 3):  # both far below random, under a condition of their own
        config = {"strategy": {"factor": factor}, "recipe": {"lr": 99}}
        for seed in range(3):
            runs.append(a_run("odd", seed, [0.5, *(0.1 + seed / 1000,) * 3], validation=5,
                              config=config, folder=f"{factor}-{seed}"))  # fmt: skip
    found = penalties(build_study(runs))
    assert found is not None
    assert (found.names, found.experiments) == (("random", "margin"), 1)
    assert found.matrix[1, 0] == pytest.approx(1)


def test_a_strategy_alone_has_no_penalties() -> None:
    assert penalties([the_setting(a_study({"random": 0.0}))]) is None
    single = [a_run(name, s, (0.5,), (10,)) for name in ("random", "kl") for s in range(3)]
    assert penalties([the_setting(single)]) is None
