import math

import numpy as np
import pytest
from scipy import stats

from al_lightning.report.statistics.two_way import two_way_interval


def crossed(
    generator: np.random.Generator, seeds: int, images: int, spreads: tuple[float, float, float]
) -> np.ndarray:
    """Values of which the spreads of seeds, of images and of both together are known."""
    s, i, e = spreads
    return np.asarray(
        generator.normal(0, s, (seeds, 1))
        + generator.normal(0, i, (1, images))
        + generator.normal(0, e, (seeds, images))
    )


def test_by_hand() -> None:
    """Seeds' means 1/2, 3/4, 1/2; images' 1, 0, 1/3, 1."""
    found = two_way_interval(np.array([[1.0, 0, 0, 1], [1, 0, 1, 1], [1, 0, 0, 1]]))
    assert found.mean == pytest.approx(7 / 12)
    over_seeds = (1 / 48) / 3
    assert found.over_seeds == pytest.approx(over_seeds)
    # Squares around the images' means, 2/3 in the third column, less those of the seeds; 2 x 3 degrees.
    together = (2 / 3 - 4 * 2 * (1 / 48)) / 6
    images = float(np.var([1, 0, 1 / 3, 1], ddof=1))
    assert found.over_images == pytest.approx((images - together / 3) / 4)
    halves = (
        stats.t.ppf(0.975, 2) * math.sqrt(found.over_seeds),
        stats.t.ppf(0.975, 3) * math.sqrt(found.over_images),
    )
    half = math.hypot(*halves)
    assert (found.low, found.high) == pytest.approx((7 / 12 - half, 7 / 12 + half))


def test_a_two_way_bootstrap_tends_to_the_same_variance() -> None:
    """A million independent draws of seeds and images, and what the bootstrap is known to count."""
    generator = np.random.default_rng(0)
    seeds, images = 5, 60
    values = crossed(generator, seeds, images, (1.0, 3.0, 2.0))
    rows = generator.multinomial(seeds, [1 / seeds] * seeds, size=40_000) / seeds
    columns = generator.multinomial(images, [1 / images] * images, size=40_000) / images
    drawn = float(np.var(np.einsum("bs,sn,bn->b", rows, values, columns, optimize=True)))
    by_seed, by_image = values.mean(axis=1), values.mean(axis=0)
    residual = values - by_seed[:, None] - by_image + values.mean()
    # In closed form: the bootstrap's variances of both means, and of what they have together.
    expected = (
        by_seed.var() / seeds + by_image.var() / images + (residual**2).mean() / (seeds * images)
    )
    assert drawn == pytest.approx(expected, rel=0.03)
    found = two_way_interval(values)
    together = (residual**2).sum() / ((seeds - 1) * (images - 1))
    corrected = (
        by_seed.var(ddof=1) / seeds + by_image.var(ddof=1) / images - together / (seeds * images)
    )
    assert found.over_seeds + found.over_images == pytest.approx(corrected)


@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("spreads", [(1, 5, 5), (0.1, 10, 3), (1, 0.1, 5)])
def test_intervals_hold_as_often_as_they_say(
    seeds: int, spreads: tuple[float, float, float]
) -> None:
    generator = np.random.default_rng(seeds)
    intervals = [two_way_interval(crossed(generator, seeds, 50, spreads)) for _ in range(600)]
    held = np.mean([found.low <= 0 <= found.high for found in intervals])
    assert held >= 0.925  # of 600 draws, 0.95 gives 0.932 +- 0.018


def test_it_is_no_narrower_than_over_seeds_alone() -> None:
    generator = np.random.default_rng(1)
    for _ in range(50):
        values = crossed(generator, 3, 30, (0.5, 0.3, 1.0))
        found, means = two_way_interval(values), values.mean(axis=1)
        half = stats.t.ppf(0.975, 2) * stats.sem(means)
        assert found.high - found.mean >= half - 1e-12


def test_values_without_spread_have_an_interval_of_no_width() -> None:
    found = two_way_interval(np.zeros((3, 4)))
    assert (found.mean, found.low, found.high) == (0, 0, 0)


@pytest.mark.parametrize("shape", [(1, 5), (5, 1), (5,)])
def test_too_little_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="2 seeds and 2 images"):
        two_way_interval(np.zeros(shape))
    with pytest.raises(ValueError, match="confidence"):
        two_way_interval(np.zeros((2, 2)), 1.0)
