import json
from typing import Any

import numpy as np
import pytest

from al_lightning.report.figures import gallery
from al_lightning.report.figures.line_styles import line_styles
from al_lightning.report.page.chapter import write_chapter
from al_lightning.report.page.facts import facts
from al_lightning.report.page.html import Page
from al_lightning.report.page.overview import Overview
from al_lightning.report.statistics.penalty import PenaltyMatrix
from al_lightning.report.tables.formats import Column, Table, word
from tests.report.helpers import a_run, a_study, the_analysis


@pytest.fixture
def document(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(gallery, "to_png", lambda figure: b"pixels")
    monkeypatch.setattr(gallery, "to_svg", lambda figure: "<svg/>")
    study = a_study({"random": 0.0, "margin": 0.06}, passive=0.9)
    analysis = the_analysis([*study, a_run("kl", 0, (0.5,), (10,), finished=False)])
    chapter = write_chapter(analysis, line_styles(["random", "margin"], "random"), "slug", "")
    table = Table("words", "Words.", [Column("strategy")], [[word("strategy", "margin")]])
    matrix = np.array([[0.0, np.nan], [0.5, 0.0]])
    penalties = PenaltyMatrix(("random", "margin"), matrix, np.array([0.5, np.nan]), 1, ((20, 40),))
    page = Page(
        "A title",
        Overview(["Said."], None),
        [chapter],
        [],
        [],
        None,
        None,
        None,
        None,
        ["damaged"],
    )
    text = facts(page, [table], penalties, ["report.html"], {"a": "b"})
    assert "NaN" not in text
    found: dict[str, Any] = json.loads(text)
    return found


def test_what_is_over_all_settings(document: dict[str, Any]) -> None:
    assert document["schema"] == 1
    assert (document["title"], document["problems"]) == ("A title", ["damaged"])
    assert document["overview"] == ["Said."]
    assert document["tables"] == {"words": [{"strategy": "margin"}]}
    assert document["files"] == ["report.html"]
    assert document["penalties"] == {
        "names": ["random", "margin"],
        "matrix": [[0.0, None], [0.5, 0.0]],  # what is no number is null
        "penalties": [0.5, None],
        "experiments": 1,
        "budgets": [[20, 40]],
    }


def test_a_setting_with_all_that_the_page_shows(document: dict[str, Any]) -> None:
    (setting,) = document["settings"]
    assert (setting["can_be_best"], setting["reference"]) == (["margin"], "random")
    assert setting["readings"] == {"margin": "better"}
    assert setting["readings_rest_on"] == [0, 1, 2]
    assert setting["rules"] == {"margin": 0.5, "difference": 1.0, "looks": [3, 5, 10]}
    assert setting["budgets"] == [10, 20, 30, 40]
    assert setting["verdict"][0].startswith("Provisional, as 1 run is unfinished.")
    assert setting["unfinished"] == [{"folder": "toys/cnn/kl/seed=0", "strategy": "kl", "seed": 0}]
    (left,) = setting["left_out"]
    assert left["reason"] == "it is unfinished at 10 labels, and the comparison goes to 40"
    assert setting["scores"]["final_accuracy"]["margin"] == pytest.approx(
        {"0": 0.86, "1": 0.87, "2": 0.88}, abs=0.001
    )
    assert setting["differences_to_reference"]["margin"]["mean"][-1] == pytest.approx(0.06)
    assert setting["passive"]["accuracy"]["labels"] == [200]
    assert setting["passive_length"] == {"steps": [100, 100], "epochs": None}
    assert setting["classes"]["pool"]["source"] == "all labels"
    assert {insight["topic"] for insight in setting["insights"]} >= {"Worst class"}
    assert setting["provenance"]["commands"][:2] == ["python -m al_lightning"] * 2
