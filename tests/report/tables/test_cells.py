from al_lightning.report.study.fit_length import FitLength
from al_lightning.report.tables.cells import (
    NONE,
    count_cell,
    passive_cell,
    passive_name,
    share_cell,
    strategy_cell,
)
from al_lightning.report.tables.formats import Cell


def test_cells_show_rounded_values_and_keep_the_others() -> None:
    assert strategy_cell("kl") == Cell("kl", {"strategy": "kl"})
    assert count_cell("labels", 1500) == Cell("1,500", {"labels": 1500})
    assert share_cell("aubc", 0.12345) == Cell("12.35", {"aubc": 0.12345})


def test_the_passive_baseline_says_how_long_it_was_trained() -> None:
    length = FitLength((30_016, 30_016), (32.0, 32.0))
    assert passive_name(length) == "passive, 32 epochs"
    assert passive_cell(length) == Cell("passive, 32 epochs", {"strategy": "passive"})


def test_what_is_unknown_is_a_dash() -> None:
    assert share_cell("aubc", None) == Cell(NONE, {"aubc": None})
