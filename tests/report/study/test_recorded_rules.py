import pytest

from al_lightning.report.rules import Rules
from al_lightning.report.study.recorded_rules import recorded_rules
from al_lightning.report.study.runs import Run
from tests.report.helpers import a_run

PLANNED = {"margin": 0.3, "difference": 2, "looks": [5, 8]}


def run_with(report: object) -> Run:
    return a_run(config={"report": report})


def test_what_all_runs_recorded_is_taken() -> None:
    assert recorded_rules([run_with(PLANNED)] * 3) == Rules(0.3, 2, (5, 8))


def test_a_rule_that_runs_differ_in_is_the_default() -> None:
    runs = [run_with(PLANNED), run_with({**PLANNED, "looks": [5, 10]})]
    assert recorded_rules(runs) == Rules(0.3, 2)
    assert recorded_rules([run_with(PLANNED), run_with(True)]) == Rules()


@pytest.mark.parametrize("none", [False, None, "mine", {"looks": [9, 1]}, {"other": 1}])
def test_runs_that_recorded_none_do_not_count(none: object) -> None:
    assert recorded_rules([run_with(none)]) == Rules()
    assert recorded_rules([run_with(none), a_run(), run_with(PLANNED)]) == Rules(0.3, 2, (5, 8))
