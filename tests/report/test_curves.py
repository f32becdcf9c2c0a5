from pathlib import Path

import pytest

from al_lightning import Budget, Journal
from al_lightning.report.curves import learning_curves
from al_lightning.strategies import Margin, Random
from tests.test_loop import make_loop


def test_a_line_for_each_run_and_one_for_all_labels(tmp_path: Path) -> None:
    runs = {
        "margin": make_loop(tmp_path / "m", Margin(), budget=Budget(9, 6, 15)).run(),
        "random": make_loop(tmp_path / "r", Random(), budget=Budget(9, 6, 15)).run(),
    }
    passive = make_loop(tmp_path / "p", budget=Budget("all", 1, "all")).run()
    figure = learning_curves(runs, passive, "macro_f1", "Tiny")
    lines = {str(line.get_label()): line for line in figure.axes[0].get_lines()}
    assert list(lines) == ["margin", "random", "passive, all 60 labels"]
    wanted = [event["metrics"]["macro_f1"] for event in runs["margin"].rounds]
    assert list(lines["margin"].get_xdata()) == [9, 15]  # type: ignore[arg-type]
    assert list(lines["margin"].get_ydata()) == wanted  # type: ignore[arg-type]
    assert figure.axes[0].get_xlabel() == "labels bought"


def test_nothing_to_draw_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing to draw"):
        learning_curves({"none": Journal(tmp_path / "journal.jsonl")})
