from al_lightning.report.analysis.results import analyse
from al_lightning.report.study.grouping import build_study
from al_lightning.report.tables.formats import to_records
from al_lightning.report.tables.score_table import final_scores
from tests.report.helpers import a_passive_run, a_run, a_study, texts, the_analysis

RUNS = a_study({"random": 0.0, "margin": 0.06, "kl": -0.06}, seeds=3, passive=0.9)


def test_the_passive_baseline_is_named_with_its_epochs_and_counts_as_passive() -> None:
    # 200 labels in batches of 50: 100 steps are 25 epochs.
    study = a_study({"random": 0.0}, passive=0.9, config={"recipe": {"batch_size": 50}})
    table = final_scores([the_analysis(study)])
    assert list(texts(table)) == ["random", "passive, 25 epochs"]
    assert table is not None
    assert [record["strategy"] for record in to_records(table)] == ["random", "passive"]


def test_final_scores_and_the_passive_baseline() -> None:
    study = a_study({"random": 0.0, "margin": 0.06, "kl": -0.06}, passive=0.9, spread=0.0)
    table = final_scores([the_analysis(study)])
    found = texts(table)
    assert list(found) == ["margin", "random", "kl", "passive, 100 steps"]
    # 0.8, 0.81, 0.82 for random: t of 2 degrees of freedom times 0.01 / sqrt 3.
    assert found["random"] == ["40", "3", "81.00 \u00b1 2.48", "81.00 \u00b1 2.48"]
    assert found["passive, 100 steps"] == ["200", "3", "90.00 \u00b1 0.00", "90.00 \u00b1 0.00"]
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
    table = final_scores(analyses)
    assert table is not None
    rows = [[cell.text for cell in row] for row in table.rows]
    assert rows[0][:2] == ["random", "other with cnn"]
    assert rows[0][-1] == "0.125 \u00b1 0.000"
    assert table.columns[-1].heading == "NLL"
    assert rows[1][-1] == "\u2013"


def test_without_a_round_there_is_none() -> None:
    runs = [a_run("kl", 0, (), (), finished=False)]
    assert final_scores([the_analysis(runs)]) is None
    assert final_scores([the_analysis([a_passive_run()])]) is not None
