from al_lightning.report.tables.time_table import times
from tests.report.helpers import a_passive_run, a_run, a_study, texts, the_analysis

RUNS = a_study({"random": 0.0, "margin": 0.06, "kl": -0.06}, seeds=3, passive=0.9)


def test_times() -> None:
    found = texts(times(the_analysis(RUNS)))
    # 81.0 is reached by margin at 40 - 6 of the way: 8 + 3 * 10.5 less 0.6 of the last 10.5 s.
    assert found["margin"] == [
        "8.00 s", "1.00 s", "1.50 s", "0.38 s", "2.50 s", "23.4", "43.5 s", "33.2 s",
    ]  # fmt: skip
    assert found["kl"][-1] == "> 39.5 s"
    assert found["passive, 100 steps"][-4:] == ["\u2013", "\u2013", "9.00 s", "\u2013"]


def test_without_a_round_there_is_none() -> None:
    runs = [a_run("kl", 0, (), (), finished=False)]
    assert times(the_analysis(runs)) is None
    assert times(the_analysis([a_passive_run()])) is not None
