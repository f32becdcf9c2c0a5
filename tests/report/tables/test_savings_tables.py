import pytest

from al_lightning.report.study.runs import Run
from al_lightning.report.tables.savings_tables import label_savings, passive_savings
from tests.report.helpers import a_passive_run, a_run, a_study, texts, the_analysis

RUNS = a_study({"random": 0.0, "margin": 0.06, "kl": -0.06}, seeds=3, passive=0.9)


def test_labels_saved_and_censored() -> None:
    found = texts(label_savings(the_analysis(RUNS)))
    # margin: 0.81 is 6 points of 10 before its 0.87 at 40; kl ends at 0.75.
    assert found == {
        "margin": ["15.0", "15 (range)", "3 of 3", "none"],
        "kl": ["never", "never (range)", "0 of 3", "seeds 0, 1, 2"],
    }


def test_seeds_of_which_nothing_is_known_are_named_and_not_counted() -> None:
    runs = [
        a_run("random", s, (0.5, 0.6, 0.7, 0.8) if s < 2 else (0.8, 0.7, 0.7, 0.75))
        for s in range(4)
    ]
    runs += [
        a_run("margin", s, (0.5, 0.7, 0.9, 0.95) if s < 2 else (0.8, 0.8, 0.8, 0.8))
        for s in range(4)
    ]
    runs += [a_run("kl", s, (0.8, 0.8, 0.8, 0.8)) for s in (2, 3)]
    table = label_savings(the_analysis(runs))
    assert table is not None
    assert table.columns[-1].heading == "unknown with"
    assert texts(table) == {
        "margin": ["37.5", "38 (range)", "2 of 2", "none", "seeds 2, 3"],
        "kl": ["unknown", "unknown", "\u2013", "none", "seeds 2, 3"],
    }


def test_labels_for_shares_of_the_passive_accuracy() -> None:
    found = texts(passive_savings(the_analysis(RUNS)))
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
    table = passive_savings(the_analysis([*runs, a_passive_run(1, 0.9)]))
    assert table is not None
    assert "passive baseline with all 200 labels, trained for 100 steps, over" in table.caption
    found = texts(table)
    assert found["random"][:3] == ["1", "80.00", "90.00"]
    found = texts(passive_savings(the_analysis([*runs[:2], a_passive_run(5, 0.9)])))
    assert found["random"][:3] == ["1, not paired", "75.00", "90.00"]


@pytest.mark.parametrize("runs", [[a_passive_run()], [a_run("kl", 0, (), (), finished=False)]])
def test_what_there_is_nothing_for_is_left_out(runs: list[Run]) -> None:
    analysis = the_analysis(runs)
    assert label_savings(analysis) is None
    assert passive_savings(analysis) is None
