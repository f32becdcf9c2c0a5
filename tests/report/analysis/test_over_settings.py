from collections.abc import Sequence

import pytest

from al_lightning.report.analysis.over_settings import OverSettings, over_settings
from al_lightning.report.analysis.results import analyse
from al_lightning.report.rules import Rules
from al_lightning.report.statistics.comparison import Outcome
from al_lightning.report.study.grouping import build_study
from al_lightning.report.study.runs import Run
from al_lightning.report.words.overview import settings_sentence
from tests.report.helpers import a_run, a_study

HERE = a_study({"random": 0.0, "margin": 0.06, "kl": -0.01, "l2": 0.3})
THERE = a_study({"random": 0.0, "margin": 0.03, "kl": 0.012}, seeds=4, dataset="other")


def over(runs: Sequence[Run], rules: Rules) -> OverSettings | None:
    return over_settings([analyse(setting, rules) for setting in build_study(runs)], rules)


def test_differences_are_averaged_seed_by_seed_and_ranks_over_the_settings() -> None:
    rules = Rules()
    found = over([*HERE, *THERE], rules)
    assert found is not None
    margin, kl = found.against
    # A lead in AUBC is 5 / 6 of the effect; l2 is in one setting alone, seed 3 in the other.
    assert (margin.strategy, margin.seeds) == ("margin", 3)
    assert margin.mean == pytest.approx(0.045 * 5 / 6, abs=2e-4)
    assert margin.outcome is Outcome.BETTER
    assert kl.mean == pytest.approx(0.001 * 5 / 6, abs=2e-4)
    assert found.ranks == {"random": 2.5, "margin": 1.0, "kl": 2.5}
    text = settings_sentence(found, rules)
    assert text.startswith(
        "Over 2 settings, the mean difference in AUBC to random is: margin +3.7 points ["
    )
    assert text.endswith("3 seeds. Mean ranks: margin 1.0, random 2.5 and kl 2.5.")


def test_where_there_is_nothing_in_common_nothing_is_said() -> None:
    assert over(HERE, Rules()) is None
    assert over([*HERE, *a_study({"random": 0.0, "badge": 0.1}, dataset="other")], Rules()) is None
    assert over([*HERE, *a_study({"margin": 0.0, "kl": 0.1}, dataset="other")], Rules()) is None
    assert over([*HERE, *THERE], Rules(looks=(5,))) is None
    late = [a_run(n, s, dataset="other") for n in ("random", "margin") for s in (7, 8, 9)]
    assert over([*HERE, *late], Rules()) is None


def test_who_keeps_the_others_from_a_later_look_is_named() -> None:
    runs = [
        run
        for name in ("toys", "pets")
        for run in a_study({"random": 0.0, "margin": 0.06, "kl": 0.0}, seeds=5, dataset=name)
        if run.strategy != "kl" or (run.seed or 0) < 3
    ]
    found = over(runs, Rules())
    assert found is not None
    assert (
        "3 seeds (kl has 3 seeds in common with random; the others share 5). Mean ranks:"
    ) in settings_sentence(found, Rules())
