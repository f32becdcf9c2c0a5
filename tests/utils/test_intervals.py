import pytest
from scipy.stats import binomtest

from al_lightning.utils.intervals import images_for, wilson_interval


@pytest.mark.parametrize(
    ("right", "count"), [(0, 1), (1, 1), (8, 20), (20, 20), (27, 50), (9_100, 10_000)]
)
def test_the_interval_is_scipys(right: int, count: int) -> None:
    expected = binomtest(right, count).proportion_ci(0.95, method="wilson")
    assert wilson_interval(right / count, count) == pytest.approx(
        (expected.low, expected.high), abs=1e-12
    )


def test_an_interval_of_a_textbook() -> None:
    """Newcombe 1998, Statistics in Medicine 17:857, table I: 81 of 263 and 0 of 20."""
    low, high = wilson_interval(81 / 263, 263)
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)
    low, high = wilson_interval(0.0, 20)
    assert (low, round(high, 4)) == (0.0, 0.1611)


def test_no_image_tells_nothing() -> None:
    with pytest.raises(ValueError, match="0 images"):
        wilson_interval(0.5, 0)


def test_so_many_images_tell_a_share_to_within_a_width() -> None:
    count = images_for(0.08, 0.8)
    (low, high), (below, above) = (wilson_interval(0.8, n) for n in (count, count - 1))
    assert high - low <= 0.16 < above - below
    assert images_for(0.3, 0.5) < images_for(0.1, 0.5)
