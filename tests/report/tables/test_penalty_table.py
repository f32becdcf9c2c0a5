from al_lightning.report.analysis.results import penalties
from al_lightning.report.tables.penalty_table import penalties as penalty_table
from tests.report.helpers import a_study, texts, the_setting

RUNS = a_study({"random": 0.0, "margin": 0.06, "kl": -0.06}, seeds=3, passive=0.9)


def test_penalties_are_sorted_and_have_names() -> None:
    matrix = penalties([the_setting(RUNS)])
    assert matrix is not None
    assert texts(penalty_table(matrix)) == {
        "margin": ["\u2013", "0.75", "0.75", "0.00"],
        "random": ["0.00", "\u2013", "0.75", "0.38"],
        "kl": ["0.00", "0.00", "\u2013", "0.75"],
    }
