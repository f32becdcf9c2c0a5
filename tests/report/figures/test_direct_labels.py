import pytest

from al_lightning.report.figures.direct_labels import spread


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ([], []),
        ([0.5], [0.5]),
        ([0.2, 0.8], [0.2, 0.8]),
        ([0.5, 0.5], [0.5, 0.6]),
        ([-0.2, 0.0], [0.05, 0.15]),  # not below the axes
        ([0.1, 0.98, 1.0], [0.1, 0.85, 0.95]),  # nor above
    ],
)
def test_names_are_moved_apart_and_stay_beside_the_axes(
    places: list[float], expected: list[float]
) -> None:
    assert spread(places, [0.1] * len(places)) == pytest.approx(expected)


def test_what_does_not_fit_keeps_its_order() -> None:
    moved = spread([0.5] * 20, [0.1] * 20)
    assert moved == sorted(moved)
