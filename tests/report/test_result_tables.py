from collections.abc import Sequence

import pytest

from al_lightning.report import result_tables
from al_lightning.report.analysis import analyse, penalties
from al_lightning.report.run import Run
from al_lightning.report.study import build_study
from al_lightning.report.tables import Table, to_records
from tests.report.helpers import a_passive_run, a_run, a_study, the_analysis, the_setting

RUNS = a_study({"random": 0.0, "margin": 0.06, "kl": -0.06}, seeds=3, passive=0.9)


def texts(table: Table | None) -> dict[str, list[str]]:
    assert table is not None
    assert all(len(row) == len(table.columns) for row in table.rows)
    keys = [list(record) for record in to_records(table)]
    assert all(key == keys[0] for key in keys)
    return {row[0].text: [cell.text for cell in row[1:]] for row in table.rows}


def test_against_the_reference_by_hand() -> None:
    # AUBC of random: 0.65 + 0.01 a seed.
    assert texts(result_tables.against_reference(the_analysis(RUNS))) == {
        "margin": ["3", "71.00", "66.00", "+5.00", "[4.88, 5.12]", "< 0.001", "\u2013", "better"],
        "kl": ["3", "61.00", "66.00", "-5.00", "[-5.11, -4.89]", "< 0.001", "\u2013", "worse"],
        "random": ["3", "66.00", *["\u2013"] * 5, "reference"],
    }


def test_scores_beside_a_difference_are_of_the_same_seeds() -> None:
    """A sweep under way: random has an easy seed that margin has not."""
    runs = [a_run("random", s, [0.5, *(0.6 + 0.1 * s,) * 3]) for s in range(4)]
    runs += [a_run("margin", s, [0.5, *(0.62 + 0.1 * s,) * 3]) for s in range(3)]
    runs.append(a_run("l2", 7))
    found = texts(result_tables.against_reference(the_analysis(runs)))
    # Of seeds 0, 1, 2: from 0.5 to 0.7 and 0.72 in the first step of three.
    assert found["margin"][:4] == ["3", "68.33", "66.67", "+1.67"]
    assert found["random"][:2] == ["4", "70.83"]
    assert found["l2"][:4] == ["0", "\u2013", "\u2013", "\u2013"]
    assert found["l2"][-1] == "no common seed"


def test_undecided_comes_with_the_seeds_it_would_take() -> None:
    runs = a_study({"random": 0.0, "margin": 0.004}, seeds=6, noise=0.01)
    *_, wilcoxon, reading = texts(result_tables.against_reference(the_analysis(runs)))["margin"]
    assert reading.startswith("undecided, ")
    assert reading.endswith(" more seeds")
    assert 0 < float(wilcoxon) <= 1  # from six seeds on


def test_too_few_seeds_are_told() -> None:
    runs = a_study({"random": 0.0, "margin": 0.06}, seeds=2)
    row = texts(result_tables.against_reference(the_analysis(runs)))["margin"]
    assert row[-3:] == ["\u2013", "\u2013", "too few seeds"]
    apart = the_analysis([a_run("random", 0), a_run("margin", 1)])
    assert texts(result_tables.against_reference(apart))["margin"][-1] == "no common seed"


def test_raw_values_are_not_rounded() -> None:
    table = result_tables.against_reference(the_analysis(RUNS))
    assert table is not None
    margin = to_records(table)[0]
    assert margin["difference"] == pytest.approx(0.05)
    assert margin["aubc"] == pytest.approx(0.71)
    assert (margin["reading"], margin["seeds_compared"]) == ("better", 3)


def test_all_pairs_are_sorted_by_how_clear_they_are() -> None:
    runs = [*RUNS, *a_study({"entropy": 0.059}, noise=0.01)]
    table = result_tables.all_pairs(the_analysis(runs))
    assert table is not None
    p = [record["p_holm"] for record in to_records(table)]
    assert p == sorted(p)  # type: ignore[type-var]
    assert len(p) == 6


def test_other_measures_are_starred_where_they_are_clear() -> None:
    found = texts(result_tables.other_measures(the_analysis(RUNS)))
    assert found["margin"] == [
        "+5.00* [4.88, 5.12]",
        "+6.00* [5.96, 6.04]",
        "+6.00* [5.96, 6.04]",
    ]


def test_final_scores_and_the_passive_baseline() -> None:
    study = a_study({"random": 0.0, "margin": 0.06, "kl": -0.06}, passive=0.9, spread=0.0)
    table = result_tables.final_scores([the_analysis(study)])
    found = texts(table)
    assert list(found) == ["margin", "random", "kl", "passive"]
    # 0.8, 0.81, 0.82 for random: t of 2 degrees of freedom times 0.01 / sqrt 3.
    assert found["random"] == ["40", "3", "81.00 \u00b1 2.48", "81.00 \u00b1 2.48"]
    assert found["passive"] == ["200", "3", "90.00 \u00b1 0.00", "90.00 \u00b1 0.00"]
    assert table is not None
    assert [column.heading for column in table.columns] == [
        "strategy",
        "labels",
        "seeds",
        "accuracy",
        "macro-F1",
    ]


def test_final_scores_of_several_settings_name_them_and_their_metrics() -> None:
    other = a_study({"random": 0.0}, dataset="other", metrics={"nll": (1.0, 0.5, 0.25, 0.125)})
    analyses = [analyse(setting) for setting in build_study([*RUNS, *other])]
    table = result_tables.final_scores(analyses)
    assert table is not None
    rows = [[cell.text for cell in row] for row in table.rows]
    assert rows[0][:2] == ["random", "other with cnn"]
    assert rows[0][-1] == "0.125 \u00b1 0.000"
    assert table.columns[-1].heading == "NLL"
    assert rows[1][-1] == "\u2013"


def test_hyperparameters_are_sorted_by_their_validation_labels() -> None:
    runs = [
        run
        for lr in (0.01, 0.03, 0.02)
        for run in a_study(
            {"margin": lr}, validation=5, config={"recipe": {"optimizer": {"lr": lr}}}
        )
    ]
    analyses = [analyse(setting) for setting in build_study(runs)]
    table = result_tables.tuning(analyses)
    # The lead is there for 2.5 of 3 steps above 0.66.
    assert {name.split("=")[-1]: row[-1] for name, row in texts(table).items()} == {
        "0.03": "68.50",
        "0.02": "67.67",
        "0.01": "66.83",
    }
    assert next(iter(texts(table))).endswith("lr=0.03")
    assert result_tables.tuning([the_analysis(RUNS)]) is None
    unvalidated = [a_run("margin"), a_run("margin", config={"recipe": {"a": 1}}, folder="b")]
    assert result_tables.tuning([analyse(s) for s in build_study(unvalidated)]) is None


def test_labels_saved_and_censored() -> None:
    found = texts(result_tables.label_savings(the_analysis(RUNS)))
    # margin: 0.81 is 6 points of 10 before its 0.87 at 40; kl ends at 0.75.
    assert found == {
        "margin": ["34", "40", "15.0", "3 of 3", "15", "+6.00"],
        "kl": ["> 40", "40", "\u2264 0.0", "0 of 3", "\u2264 0", "-6.00"],
    }


def test_labels_for_shares_of_the_passive_accuracy() -> None:
    found = texts(result_tables.passive_savings(the_analysis(RUNS)))
    # 95 % of 0.9 is 0.855: 38.5 labels of margin, of 200.
    assert found["margin"] == [
        "3",
        "87.00",
        "90.00",
        "96.7%",
        "19.2%",
        "> 20.0%",
        "> 20.0%",
        "> 20.0%",
    ]
    assert found["kl"][4] == "> 20.0%"


def test_the_passive_baseline_is_paired_by_seed_or_it_is_said() -> None:
    runs = [a_run("random", s, (0.5, 0.6, 0.7, 0.7 + 0.1 * s)) for s in range(3)]
    found = texts(result_tables.passive_savings(the_analysis([*runs, a_passive_run(1, 0.9)])))
    assert found["random"][:3] == ["1", "80.00", "90.00"]
    found = texts(result_tables.passive_savings(the_analysis([*runs[:2], a_passive_run(5, 0.9)])))
    assert found["random"][:3] == ["1, not paired", "75.00", "90.00"]


def test_penalties_are_sorted_and_have_names() -> None:
    matrix = penalties([the_setting(RUNS)])
    assert matrix is not None
    assert texts(result_tables.penalties(matrix)) == {
        "margin": ["\u2013", "0.75", "0.75", "0.00"],
        "random": ["0.00", "\u2013", "0.75", "0.38"],
        "kl": ["0.00", "0.00", "\u2013", "0.75"],
    }


def test_classes() -> None:
    analysis = the_analysis(RUNS)
    recall = texts(result_tables.class_recall(analysis))
    assert recall["shirt"] == ["87.0", "81.0", "75.0", "90.0"]
    mix = result_tables.class_mix(analysis)
    assert mix is not None
    assert [column.heading for column in mix.columns] == ["class", "margin", "random", "kl", "pool"]
    assert texts(mix)["coat"][-1] == "25.0"


def test_times() -> None:
    found = texts(result_tables.times(the_analysis(RUNS)))
    # 81.0 is reached by margin at 40 - 6 of the way: 8 + 3 * 10.5 less 0.6 of the last 10.5 s.
    assert found["margin"] == [
        "8.00 s", "1.00 s", "1.50 s", "0.38 s", "2.50 s", "23.4", "43.5 s", "33.2 s",
    ]  # fmt: skip
    assert found["kl"][-1] == "> 39.5 s"
    assert found["passive"][-4:] == ["\u2013", "\u2013", "9.00 s", "\u2013"]


def test_every_run_is_listed_with_its_folder() -> None:
    table = result_tables.runs([the_analysis(RUNS)])
    assert table is not None
    assert len(table.rows) == 12
    assert to_records(table)[0] == {
        "strategy": "random",
        "setting": "toys with cnn",
        "seed": 0,
        "labels": 40,
        "validation_labels": 0,
        "rounds": 4,
        "finished": True,
        "folder": "toys/cnn/random/seed=0",
    }


@pytest.mark.parametrize("runs", [[a_passive_run()], [a_run("kl", 0, (), (), finished=False)]])
def test_what_there_is_nothing_for_is_left_out(runs: Sequence[Run]) -> None:
    analysis = the_analysis(runs)
    for make in (
        result_tables.against_reference,
        result_tables.all_pairs,
        result_tables.other_measures,
        result_tables.label_savings,
        result_tables.passive_savings,
        result_tables.class_recall,
        result_tables.class_mix,
    ):
        assert make(analysis) is None
    assert (result_tables.times(analysis) is None) == (not runs[0].rounds)
    assert (result_tables.final_scores([analysis]) is None) == (not runs[0].rounds)
    assert (result_tables.runs([analysis]) is None) == (not runs[0].rounds)
