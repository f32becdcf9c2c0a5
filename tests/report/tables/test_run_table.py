from al_lightning.report.study.grouping import build_study
from al_lightning.report.tables.formats import to_records
from al_lightning.report.tables.run_table import runs
from tests.report.helpers import a_run, a_study

RUNS = a_study({"random": 0.0, "margin": 0.06, "kl": -0.06}, seeds=3, passive=0.9)


def test_every_run_is_listed_with_its_folder() -> None:
    table = runs(build_study(RUNS))
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


def test_without_a_round_there_is_none() -> None:
    assert runs(build_study([a_run("kl", 0, (), (), finished=False)])) is None
