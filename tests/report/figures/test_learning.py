import itertools

import pytest
from matplotlib.axes import Axes
from matplotlib.text import Text

from al_lightning.report.figures.learning import learning_curves
from al_lightning.report.figures.line_styles import INK, figure_style, line_styles
from al_lightning.report.study.scores import Curve

MARGIN = Curve((100, 200, 300), (0.5, 0.6, 0.8), (0.45, 0.55, None), (0.55, 0.65, None), 2)
RANDOM = Curve((100, 200, 300), (0.5, 0.55, 0.7), (None,) * 3, (None,) * 3, 1)
PASSIVE = Curve((1000,), (0.9,), (None,), (None,), 1)
STYLES = line_styles(["margin", "random"], "random")


def texts(axes: Axes) -> list[str]:
    """The names beside the lines, from the lowest."""
    return [text.get_text() for text in axes.texts]


def test_a_line_for_each_strategy_and_one_for_all_labels() -> None:
    figure = learning_curves({"margin": MARGIN, "random": RANDOM}, STYLES, "macro_f1", PASSIVE)
    (axes,) = figure.axes
    lines = {str(line.get_label()): line for line in axes.get_lines()}
    assert list(lines) == ["margin", "random", "passive, 1,000 labels"]
    assert tuple(lines["margin"].get_xdata()) == MARGIN.labels  # type: ignore[arg-type]
    assert tuple(lines["margin"].get_ydata()) == MARGIN.mean  # type: ignore[arg-type]
    assert list(lines["passive, 1,000 labels"].get_ydata()) == [0.9, 0.9]  # type: ignore[arg-type]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("labels bought", "macro-F1, %")
    assert [text.get_text() for text in axes.get_xticklabels()] == ["100", "200", "300"]
    assert texts(axes) == ["random", "margin", "passive\n1,000 labels"]
    assert not figure.legends


def test_a_band_is_drawn_where_there_is_an_interval() -> None:
    figure = learning_curves({"margin": MARGIN, "random": RANDOM}, STYLES)
    (band,) = figure.axes[0].collections
    corners = {tuple(point) for point in band.get_paths()[0].vertices.tolist()}  # type: ignore[union-attr]
    assert {(100, 0.45), (100, 0.55), (200, 0.55), (200, 0.65)} <= corners
    assert all(x < 300 for x, _ in corners)


@pytest.mark.parametrize(
    ("strategies", "panels", "bands"), [(3, 1, 3), (4, 1, 0), (6, 1, 0), (7, 6, 6)]
)
def test_no_more_bands_and_lines_than_can_be_told_apart(
    strategies: int, panels: int, bands: int
) -> None:
    names = ["random", *(f"s{k}" for k in range(1, strategies))]
    curve = Curve((100, 200), (0.5, 0.9), (0.4, 0.8), (0.6, 1.0), 3)
    figure = learning_curves(
        dict.fromkeys(names, curve), line_styles(names, "random"), passive=PASSIVE
    )
    assert len(figure.axes) == panels
    assert sum(len(axes.collections) for axes in figure.axes) == bands
    if panels > 1:
        assert [axes.get_title(loc="left") for axes in figure.axes] == names[1:]
        drawn = [str(line.get_label()) for line in figure.axes[1].get_lines()]
        assert drawn[-3:] == ["random", "s2", "passive"]  # above the others, which are faint
        assert len(drawn) == strategies + 3


def test_without_a_reference_every_strategy_has_a_panel() -> None:
    names = [f"s{k}" for k in range(8)]
    figure = learning_curves(dict.fromkeys(names, MARGIN), line_styles(names))
    assert len(figure.axes) == 8
    assert INK not in {line.get_color() for line in figure.axes[0].get_lines()}


def test_wide_intervals_do_not_press_the_lines_flat() -> None:
    wide = Curve((100, 200, 300), (0.5, 0.6, 0.7), (-0.9, -0.1, 0.6), (1.9, 1.3, 0.75), 2)
    for count in (2, 7):  # two share a panel, and have no bands then
        names = [f"s{k}" for k in range(count)]
        axes = learning_curves(dict.fromkeys(names, wide), line_styles(names)).axes[0]
        low, high = axes.get_ylim()
        room = 0.012 if count == 2 else 0.05  # .06 of the lines' range, or a quarter
        assert (low, high) == pytest.approx((0.5 - room, 0.7 + room))


def test_names_do_not_overlap_and_stay_in_the_figure() -> None:
    names = ["random", "margin", "entropy", "badge", "a long name, score=Margin, beta=2"]
    with figure_style():
        figure = learning_curves(
            dict.fromkeys(names, RANDOM), line_styles(names, "random"), passive=PASSIVE
        )
        figure.draw_without_rendering()
        boxes = [Text.get_window_extent(text) for text in figure.axes[0].texts]  # without the line
    assert all(figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 for box in boxes)
    for below, above in itertools.pairwise(boxes):
        assert below.y1 <= above.y0 + 3  # pixels


def test_many_budgets_share_a_few_ticks() -> None:
    labels = tuple(range(1000, 21_000, 1000))
    curve = Curve(labels, (0.5,) * 20, (None,) * 20, (None,) * 20, 1)
    figure = learning_curves({"random": curve}, STYLES)
    ticks = [text.get_text() for text in figure.axes[0].get_xticklabels()]
    assert ticks == ["1,000", "5,000", "9,000", "13,000", "17,000"]
    assert figure.axes[0].get_xscale() == "linear"


def test_budgets_that_grow_have_a_logarithmic_axis() -> None:
    curve = Curve((10, 20, 50, 100, 500), (0.5,) * 5, (None,) * 5, (None,) * 5, 1)
    (axes,) = learning_curves({"random": curve}, STYLES).axes
    assert axes.get_xscale() == "log"
    assert [text.get_text() for text in axes.get_xticklabels()] == ["10", "20", "50", "100", "500"]


def test_a_single_budget_can_be_drawn() -> None:
    curve = Curve((100,), (0.5,), (None,), (None,), 1)
    figure = learning_curves({"random": curve}, STYLES)
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == ["100"]


def test_a_metric_of_ones_own_is_in_its_own_unit() -> None:
    curve = Curve((100, 200), (-0.5, 1.5), (None,) * 2, (None,) * 2, 1)
    (axes,) = learning_curves({"random": curve}, STYLES, "cohen_kappa").axes
    assert axes.get_ylabel() == "cohen kappa"


def test_nothing_to_draw_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing to draw"):
        learning_curves({}, STYLES)
