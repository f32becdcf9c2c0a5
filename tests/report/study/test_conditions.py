from dataclasses import replace

import pytest

from al_lightning.report.study.conditions import flat
from al_lightning.report.study.grouping import build_study
from al_lightning.report.study.runs import Run
from tests.report.helpers import a_run, a_study, the_setting


def test_a_setting_is_all_but_strategy_seed_and_what_changes_no_result() -> None:
    config = {"threads": 2, "data_root": "/elsewhere", "output_root": "o", "cache": False,
              "logger": {"_target_": "x"}, "dataset": {"root": "/d", "path": "/p", "download": True},
              "progress": True, "overwrite": True, "predictions": False, "budget_override": None,
              "query_seed": None,
              "budget": {"initial": 10, "query": 10, "total": 4000, "validation": 0}}  # fmt: skip
    runs = [*a_study({"random": 0}), *a_study({"margin": 0.1}, config=config)]
    assert list(the_setting(runs).runs) == ["random", "margin"]


def test_null_is_absent() -> None:
    assert flat({"a": {"b": 1, "c": None, "d": {}}, "e": [None]}) == {"a.b": 1, "e": [None]}
    runs = [a_run("random"), a_run("margin", config={"new": {"key": None}})]
    assert len(build_study(runs)) == 1


@pytest.mark.parametrize(
    "other",
    [
        a_run("margin", hardware={"precision": "bf16-mixed"}),
        a_run("margin", dataset="others"),
        a_run("margin", model="resnet"),
        a_run("margin", config={"budget": {"initial": 10, "query": 5, "total": 40}}),
    ],
)
def test_other_conditions_are_another_setting(other: Run) -> None:
    assert len(build_study([a_run(), other])) == 2


def test_other_data_under_the_same_name_is_another_setting() -> None:
    more = replace(a_run("margin"), data={"train": 200, "test": 30, "fingerprint": "more"})
    runs = [a_run(), more]
    assert [setting.name for setting in build_study(runs)] == [
        "toys with cnn, data.fingerprint=data of toys",
        "toys with cnn, data.fingerprint=more",
    ]


def test_where_the_trainer_computes_is_no_condition() -> None:
    trainers = [{"accelerator": a, "enable_progress_bar": a == "gpu"} for a in ("cpu", "gpu")]
    runs = [
        a_run(name, config={"trainer": trainer})
        for name, trainer in zip(("random", "margin"), trainers, strict=True)
    ]
    assert list(the_setting(runs).runs) == ["random", "margin"]


@pytest.mark.parametrize(
    "other",
    [
        replace(a_run("margin"), trainable_parameters=99),
        a_run("margin", classes=("a", "b", "c", "d")),
        replace(a_run("margin"), data={"train": 200, "test": 31, "fingerprint": "data of toys"}),
    ],
)
def test_what_a_library_run_does_not_configure_is_taken_from_what_it_saw(other: Run) -> None:
    assert len(build_study([a_run(), other])) == 2
