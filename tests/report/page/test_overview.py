from pathlib import Path

import pytest

from al_lightning.report.analysis.results import analyse
from al_lightning.report.figures import gallery
from al_lightning.report.page.overview import Overview, write_overview
from al_lightning.report.page.write import write_report
from al_lightning.report.rules import Rules
from al_lightning.report.study.grouping import build_study
from al_lightning.report.study.runs import Run
from tests.report.helpers import a_study, write_runs

CNN = a_study({"random": 0.0, "margin": 0.03})
WIDE = a_study({"random": 0.1, "margin": 0.12}, model="wide")


def of(runs: list[Run]) -> Overview:
    return write_overview([analyse(setting) for setting in build_study(runs)], Rules())


def test_models_come_first_then_all_settings() -> None:
    overview = of([*CNN, *WIDE])
    model, over = overview.sentences
    assert model.startswith(
        "On toys, the model is worth more than the strategy: wide instead of cnn"
    )
    assert over.startswith("Over 2 settings, the mean difference in AUBC to random")
    assert overview.models is not None
    assert overview.models.name == "model_effects"


def test_a_setting_alone_and_trials_of_a_search_have_no_overview() -> None:
    assert of(CNN) == Overview([], None)
    trials = a_study({"random": 0.1, "margin": 0.12}, model="wide", validation=5)
    searched = [r for k in (1, 2) for r in a_study({"kl": 0.1}, validation=5, dataset="other",
                config={"recipe": {"lr": k}}, model=f"m{k}")]  # fmt: skip
    assert of([*CNN, *searched]) == Overview([], None)
    assert len(of([*CNN, *trials]).sentences) == 2


def test_a_report_on_two_models_begins_with_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gallery, "to_png", lambda figure: b"pixels")
    monkeypatch.setattr(gallery, "to_svg", lambda figure: "<svg/>")
    report = write_report([write_runs(tmp_path / "runs", [*CNN, *WIDE])], tmp_path / "report")
    answer = "On toys, the model is worth more than the strategy: wide instead of cnn brings"
    assert report.verdict.startswith(answer)
    html = report.page.read_text(encoding="utf-8")
    assert html.index(answer) < html.index("margin beats random")
    assert 'id="models"' in html
    rows = (tmp_path / "report/tables/model_effects.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 1 + 4  # budgets
