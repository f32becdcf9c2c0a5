import pytest

from al_lightning.report.study.runs import Run
from al_lightning.report.tables.class_tables import class_mix, class_recall
from al_lightning.report.tables.formats import to_records
from tests.report.helpers import a_passive_run, a_run, a_study, texts, the_analysis

RUNS = a_study({"random": 0.0, "margin": 0.06, "kl": -0.06}, seeds=3, passive=0.9)


def test_classes() -> None:
    analysis = the_analysis(RUNS)
    table = class_recall(analysis)
    recall = texts(table)
    assert table is not None
    assert table.columns[-1].heading == "passive, 100 steps"
    assert list(to_records(table)[0]) == ["class", "margin", "random", "kl", "passive"]
    assert recall["shirt"] == ["87.0", "81.0", "75.0", "90.0"]
    mix = class_mix(analysis)
    assert mix is not None
    assert [column.heading for column in mix.columns] == ["class", "margin", "random", "kl", "pool"]
    assert texts(mix)["coat"][-1] == "25.0"


@pytest.mark.parametrize("runs", [[a_passive_run()], [a_run("kl", 0, (), (), finished=False)]])
def test_what_there_is_nothing_for_is_left_out(runs: list[Run]) -> None:
    analysis = the_analysis(runs)
    assert class_recall(analysis) is None
    assert class_mix(analysis) is None
