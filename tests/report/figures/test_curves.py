import pytest

from al_lightning.report.figures.curves import learning_curves, metric_name
from al_lightning.report.figures.looks import looks
from al_lightning.report.study.scores import Curve

MARGIN = Curve((100, 200, 300), (0.5, 0.6, 0.8), (0.4, 0.5, None), (0.6, 0.7, None), 2)
RANDOM = Curve((100, 200, 300), (0.5, 0.55, 0.7), (None,) * 3, (None,) * 3, 1)
PASSIVE = Curve((1000,), (0.9,), (None,), (None,), 1)
LOOKS = looks(["margin", "random"], "random")


def test_a_line_for_each_strategy_and_one_for_all_labels() -> None:
    figure = learning_curves({"margin": MARGIN, "random": RANDOM}, LOOKS, "macro_f1", PASSIVE)
    (axes,) = figure.axes
    lines = {str(line.get_label()): line for line in axes.get_lines()}
    assert list(lines) == ["margin", "random", "passive, 1,000 labels"]
    assert tuple(lines["margin"].get_xdata()) == MARGIN.labels  # type: ignore[arg-type]
    assert tuple(lines["margin"].get_ydata()) == MARGIN.mean  # type: ignore[arg-type]
    assert list(lines["passive, 1,000 labels"].get_ydata()) == [0.9, 0.9]  # type: ignore[arg-type]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("labels bought", "macro-F1, %")
    assert [text.get_text() for text in axes.get_xticklabels()] == ["100", "200", "300"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(lines)


def test_a_band_is_drawn_where_there_is_an_interval() -> None:
    figure = learning_curves({"margin": MARGIN, "random": RANDOM}, LOOKS)
    (band,) = figure.axes[0].collections
    corners = {tuple(point) for point in band.get_paths()[0].vertices.tolist()}  # type: ignore[union-attr]
    assert {(100, 0.4), (100, 0.6), (200, 0.5), (200, 0.7)} <= corners
    assert all(x < 300 for x, _ in corners)


def test_many_budgets_share_a_few_ticks() -> None:
    labels = tuple(range(1000, 21_000, 1000))
    curve = Curve(labels, (0.5,) * 20, (None,) * 20, (None,) * 20, 1)
    figure = learning_curves({"random": curve}, LOOKS)
    ticks = [text.get_text() for text in figure.axes[0].get_xticklabels()]
    assert ticks == ["1,000", "5,000", "9,000", "13,000", "17,000"]


def test_a_single_budget_can_be_drawn() -> None:
    curve = Curve((100,), (0.5,), (None,), (None,), 1)
    figure = learning_curves({"random": curve}, LOOKS)
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == ["100"]


def test_nothing_to_draw_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing to draw"):
        learning_curves({}, LOOKS)


def test_metrics_have_names_for_readers() -> None:
    assert metric_name("macro_f1") == "macro-F1"
    assert metric_name("balanced_accuracy") == "balanced accuracy"
    assert metric_name("ece") == "calibration error"
