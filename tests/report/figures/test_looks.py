from matplotlib import rcParams

from al_lightning.report.figures.looks import INK, looks, style


def test_the_reference_has_the_ink_and_all_look_different() -> None:
    names = [f"strategy {k}" for k in range(40)]
    found = looks([*names, "random"], "random")
    assert found["random"].colour == INK
    assert len(set(found.values())) == 41
    assert all(found[name].colour != INK for name in names)


def test_a_look_follows_from_the_names_and_not_from_their_order() -> None:
    assert looks(["b", "a", "c"]) == looks(["c", "b", "a"])
    assert looks(["a", "random"], "random")["a"] == looks(["a"])["a"]


def test_neighbours_differ_in_more_than_colour() -> None:
    first, second, *_ = looks(list("abcdef")).values()
    assert first.style != second.style
    assert first.marker != second.marker


def test_a_style_ends_with_its_block() -> None:
    before = dict(rcParams)
    with style():
        assert rcParams["svg.fonttype"] == "none"
    assert dict(rcParams) == before
