import numpy as np
import pytest
from matplotlib.axes import Axes

from al_lightning.report.analysis.costs import Costs
from al_lightning.report.analysis.savings import Efficiency
from al_lightning.report.figures import charts as figures
from al_lightning.report.figures.learning import learning_curves
from al_lightning.report.figures.line_styles import figure_style, line_styles
from al_lightning.report.figures.svg import to_svg
from al_lightning.report.statistics.efficiency import Bounded
from al_lightning.report.statistics.penalty import PenaltyMatrix
from al_lightning.report.study.scores import Curve

STYLES = line_styles(["margin", "kl", "random"], "random")


def data_of(axes: Axes) -> dict[str, list[tuple[float, float]]]:
    return {
        f"{line.get_label()} {line.get_marker()}": [tuple(p) for p in line.get_xydata().tolist()]  # type: ignore[union-attr]
        for line in axes.get_lines()
    }


def test_differences_have_a_panel_each() -> None:
    curve = Curve((10, 20), (0.0, 0.1), (0.0, 0.05), (0.0, 0.15), 3)
    figure = figures.difference_curves(
        {"margin": curve, "kl": curve, "l2": curve}, line_styles(["margin", "kl", "l2"]), "random"
    )
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["margin", "kl", "l2"]
    zero, line = figure.axes[0].get_lines()
    assert list(zero.get_ydata()) == [0, 0]  # type: ignore[arg-type]
    assert tuple(line.get_ydata()) == (0.0, 0.1)  # type: ignore[arg-type]
    assert figure._supylabel.get_text() == "points of accuracy above random"  # type: ignore[attr-defined]


@pytest.mark.parametrize("panels", [1, 2, 3, 9])
@pytest.mark.parametrize("reference", ["random", "random, query_seed=7, score=Margin"])
def test_the_axis_of_few_panels_is_not_cut_off(panels: int, reference: str) -> None:
    curve = Curve((10, 20), (0.0, 0.1), (0.0, 0.05), (0.0, 0.15), 3)
    names = [f"strategy {k}" for k in range(panels)]
    with figure_style():
        figure = figures.difference_curves(
            dict.fromkeys(names, curve), line_styles(names, None), reference
        )
        figure.draw_without_rendering()
    label = figure._supylabel  # type: ignore[attr-defined]
    assert label.get_text().replace("\n", " ") == f"points of accuracy above {reference}"
    box, page = label.get_window_extent(), figure.bbox
    assert page.x0 <= box.x0
    assert page.y0 <= box.y0 < box.y1 <= page.y1


@pytest.mark.parametrize(
    "name", ["$1_or_$", "_private", "a$_{b$", "a very long name, score=Margin"]
)
def test_any_name_is_drawn_and_told(name: str) -> None:
    curve = Curve((10, 20), (0.5, 0.6), (0.4, 0.5), (0.6, 0.7), 3)
    ways = line_styles([name, "random"], "random")
    curves, ratio = {name: curve, "random": curve}, Efficiency((0.5,), (Bounded(1.2, "exact"),))
    phases = dict.fromkeys(("fit", "test", "score", "select"), 1.0)
    with figure_style():
        to_svg(beside := learning_curves(curves, ways))
        assert name in [text.get_text().replace("\n", " ") for text in beside.axes[0].texts]
        drawn = [
            figures.class_dots({name: [0.5]}, [name], ways, "recall", (name, [0.4])),
            figures.efficiency_curves({name: ratio}, ways, "random"),
        ]
        for figure in drawn:
            (legend,) = figure.legends
            assert name in [text.get_text().replace("\n", " ") for text in legend.get_texts()]
            assert not any("child" in text.get_text() for text in legend.get_texts())
            to_svg(figure)
        times = figures.time_bars({name: Costs(phases, None, 4.0, None, None)})
        assert [text.get_text() for text in times.legends[0].get_texts()] == list(phases)
        to_svg(times)


def test_bounds_of_label_efficiency_are_open_triangles() -> None:
    ratios = (
        Bounded(1.2, "exact"),
        Bounded(1.5, "at_least"),
        Bounded(0.8, "at_most"),
        Bounded(None, "unknown"),
    )
    found = {"margin": Efficiency((0.5, 0.6, 0.7, 0.8), ratios)}
    figure = figures.efficiency_curves(found, STYLES, "random")
    _, exact, up, down = figure.axes[0].get_lines()
    points = [line.get_xydata().tolist() for line in (exact, up, down)]  # type: ignore[union-attr]
    assert points == [[[0.5, 1.2]], [[0.6, 1.5]], [[0.7, 0.8]]]
    assert (up.get_marker(), down.get_marker()) == ("^", "v")
    assert {line.get_markerfacecolor() for line in (up, down)} == {"none"}
    assert "random" in figure.axes[0].get_ylabel()


def test_more_strategies_than_can_be_told_apart_have_a_panel_each_or_the_first_alone_has_dots() -> (
    None
):
    names = [f"s{k}" for k in range(7)]
    ways = line_styles(names)
    ratio = Efficiency((0.5, 0.6), (Bounded(1.2, "exact"), Bounded(1.4, "exact")))
    figure = figures.efficiency_curves(dict.fromkeys(names, ratio), ways, "random")
    assert [axes.get_title(loc="left") for axes in figure.axes] == names
    values = {name: [k / 10, 0.5] for k, name in enumerate(names)}
    (axes,) = figures.class_dots(values, ["a", "b"], ways, "recall, %").axes
    assert [line.get_label() for line in axes.get_lines()] == ["s0"]
    ends = axes.collections[0].get_segments()  # type: ignore[attr-defined]
    assert ends[0].tolist() == [[0.0, 0.0], [0.6, 0.0]]


def test_the_penalty_matrix_is_sorted_by_who_is_beaten_least() -> None:
    matrix = np.array([[0, 0.0, np.nan], [0.75, 0, 0.5], [np.nan, 0.0, 0]])
    penalties = PenaltyMatrix(("kl", "margin", "random"), matrix, np.array([0.75, 0.0, 0.5]), 1, ())
    axes = figures.penalty_heat_map(penalties).axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["margin", "random", "kl"]
    cells = {(t.get_position()[1], t.get_position()[0]): t.get_text() for t in axes.texts}
    assert cells[0.5, 2.5] == "0.75"  # margin beats kl
    assert cells[1.5, 2.5] == "-"  # random and kl could not be compared
    assert len(cells) == 6


@pytest.mark.parametrize(("size", "rotation"), [(12, 40), (13, 90)])
def test_many_strategies_have_upright_names_and_no_numbers(size: int, rotation: int) -> None:
    matrix = np.full((size, size), 0.5)
    matrix[0, 1] = np.nan
    names = tuple(f"strategy {k}" for k in range(size))
    penalties = PenaltyMatrix(names, matrix, np.arange(size) / size, 1, ())
    (axes,) = figures.penalty_heat_map(penalties).axes
    assert {text.get_rotation() for text in axes.get_xticklabels()} == {rotation}
    numbers = {text.get_text() for text in axes.texts}
    assert numbers == ({"0.50", "-"} if size == 12 else {"-"})


def test_dots_stand_in_the_rows_of_their_classes() -> None:
    values = {"margin": [0.9, 0.8], "random": [0.7, 0.8]}
    axes = figures.class_dots(
        values, ["a", "b"], STYLES, "recall, %", ("passive", [0.95, 0.9])
    ).axes[0]
    lines = {str(line.get_label()): line.get_xydata().tolist() for line in axes.get_lines()}  # type: ignore[union-attr]
    assert lines == {
        "margin": [[0.9, 0], [0.8, 1]],
        "random": [[0.7, 0], [0.8, 1]],
        "passive": [[0.95, 0], [0.9, 1]],
    }
    assert [text.get_text() for text in axes.get_yticklabels()] == ["a", "b"]


def test_bars_add_up_to_a_round() -> None:
    costs = {
        "margin": Costs(
            {"fit": 8.0, "test": 1.0, "score": 2.0, "select": 0.5}, None, 0, None, None
        ),
        "random": Costs(
            {"fit": 7.0, "test": 1.0, "score": 0.0, "select": 0.0}, None, 0, None, None
        ),
    }
    axes = figures.time_bars(costs).axes[0]
    ends = [(bar.get_y(), bar.get_x() + bar.get_width()) for bar in axes.patches]  # type: ignore[attr-defined]
    first = max(end for y, end in ends if y < 0.5)
    second = max(end for y, end in ends if y > 0.5)
    assert (first, second) == pytest.approx((11.5, 8.0))
