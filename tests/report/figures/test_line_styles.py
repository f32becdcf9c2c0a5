from matplotlib import rcParams

from al_lightning.report.figures.line_styles import INK, figure_style, line_styles


def test_the_reference_has_the_ink_and_all_styles_differ() -> None:
    names = [f"strategy {k}" for k in range(40)]
    found = line_styles([*names, "random"], "random")
    assert found["random"].colour == INK
    assert len(set(found.values())) == 41
    assert all(found[name].colour != INK for name in names)


def test_a_line_style_follows_from_the_names_and_not_from_their_order() -> None:
    assert line_styles(["b", "a", "c"]) == line_styles(["c", "b", "a"])
    assert line_styles(["a", "random"], "random")["a"] == line_styles(["a"])["a"]


def test_neighbours_differ_in_more_than_colour() -> None:
    first, second, *_ = line_styles(list("abcdef")).values()
    assert first.dashes != second.dashes
    assert first.marker != second.marker


def test_a_style_ends_with_its_block() -> None:
    before = dict(rcParams)
    with figure_style():
        assert rcParams["svg.fonttype"] == "none"
    assert dict(rcParams) == before
