from al_lightning.report.analysis.results import penalties
from al_lightning.report.tables.penalty_table import penalties as penalty_table
from tests.report.helpers import a_study, texts, the_setting

RUNS = a_study({"random": 0.0, "margin": 0.06, "kl": -0.06}, seeds=3, passive=0.9)


def test_penalties_are_sorted_and_have_names() -> None:
    matrix = penalties([the_setting(RUNS)])
    assert matrix is not None
    assert texts(penalty_table(matrix)) == {
        "margin": ["\u2013", "1.00", "1.00", "0.00"],
        "random": ["0.00", "\u2013", "1.00", "0.50"],
        "kl": ["0.00", "0.00", "\u2013", "1.00"],
    }
    caption = penalty_table(matrix).caption
    assert "at 5%. The budgets are 20 and 30 labels: M + 2^(m-1) B" in caption


def test_over_several_settings_the_caption_says_what_a_cell_is_at_most() -> None:
    matrix = penalties([the_setting(RUNS), the_setting(RUNS)])
    assert matrix is not None
    assert "at most the number of those in which both ran" in penalty_table(matrix).caption
    assert texts(penalty_table(matrix))["margin"][1] == "2.00"
