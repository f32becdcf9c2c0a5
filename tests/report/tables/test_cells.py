from al_lightning.report.tables.cells import NONE, count_cell, p_text, share_cell, strategy_cell
from al_lightning.report.tables.formats import Cell


def test_cells_show_rounded_values_and_keep_the_others() -> None:
    assert strategy_cell("kl") == Cell("kl", {"strategy": "kl"})
    assert count_cell("labels", 1500) == Cell("1,500", {"labels": 1500})
    assert share_cell("aubc", 0.12345) == Cell("12.35", {"aubc": 0.12345})


def test_what_is_unknown_is_a_dash() -> None:
    assert share_cell("aubc", None) == Cell(NONE, {"aubc": None})
    assert (p_text(None), p_text(0.04)) == (NONE, "0.040")
