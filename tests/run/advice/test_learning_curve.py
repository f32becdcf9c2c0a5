import math

import pytest

from al_lightning.run.advice.learning_curve import fit_learning_curve

LABELS = [50, 100, 200, 400, 800]


def law(labels: float, limit: float = 0.95, drop: float = 2.0, exponent: float = 0.6) -> float:
    return float(limit - drop * labels**-exponent)


def test_an_exact_power_law_is_continued() -> None:
    curve = fit_learning_curve(LABELS, [law(n) for n in LABELS], images=100_000)
    assert curve is not None
    low, high = curve.accuracy_at(1600)
    assert low < law(1600) < high < low + 0.03
    target = law(1200)
    fewest, most = curve.labels_to(target)
    assert 800 <= fewest < 1200 < most


def test_the_best_law_of_the_grid_is_the_exact_one() -> None:
    scores = [law(n, drop=2.0, exponent=0.5) for n in LABELS]
    curve = fit_learning_curve(LABELS, scores, images=10**9)
    assert curve is not None
    best = int(curve.weight.argmax())
    assert curve.limit[best] == pytest.approx(0.95, abs=0.01)
    assert curve.exponent[best] == pytest.approx(0.5, rel=0.1)
    assert curve.weight.sum() == pytest.approx(1.0)


def test_fewer_images_make_wider_bands() -> None:
    widths = []
    for images in (100, 1000, 100_000):
        curve = fit_learning_curve(LABELS, [law(n) for n in LABELS], images)
        assert curve is not None
        low, high = curve.accuracy_at(1600)
        widths.append(high - low)
    assert widths[0] > widths[1] > widths[2]


def test_what_is_reached_takes_no_more_labels() -> None:
    curve = fit_learning_curve(LABELS, [law(n) for n in LABELS], images=100_000)
    assert curve is not None
    assert curve.labels_to(0.5) == (800, 800)


def test_what_is_above_every_limit_is_never_reached() -> None:
    curve = fit_learning_curve(LABELS, [0.5, 0.6, 0.6, 0.6, 0.6], images=100_000)
    assert curve is not None
    low, high = curve.labels_to(0.999)
    assert low > 100 * LABELS[-1]
    assert math.isinf(high)


def test_a_curve_that_falls_is_flat() -> None:
    curve = fit_learning_curve(LABELS, [0.9, 0.88, 0.86, 0.85, 0.84], images=1000)
    assert curve is not None
    low, high = curve.accuracy_at(1600)
    assert 0.0 <= low < high <= 1.0


def test_perfect_accuracies_stay_within_their_range() -> None:
    curve = fit_learning_curve(LABELS, [1.0] * 5, images=50)
    assert curve is not None
    low, high = curve.accuracy_at(1600)
    assert 0.9 < low <= high <= 1.0


def test_the_first_few_labels_do_not_count() -> None:
    many = [100, 200, 300, 400, 500]
    late = fit_learning_curve(many, [law(n) for n in many], images=1000)
    with_start = fit_learning_curve([10, *many], [0.1, *map(law, many)], images=1000)
    assert late is not None
    assert with_start is not None
    assert with_start.accuracy_at(1000) == late.accuracy_at(1000)


def test_three_rounds_are_too_few() -> None:
    assert fit_learning_curve([10, 20, 30], [0.1, 0.2, 0.3], images=100) is None
    assert fit_learning_curve([], [], images=100) is None


@pytest.mark.parametrize(
    ("labels", "scores", "images", "message"),
    [
        ([1, 2, 3, 4], [0.5], 10, "4 labels, 1 accuracies"),
        ([1, 2, 3, 4], [0.5] * 4, 0, "0 images"),
        ([1, 3, 2, 4], [0.5] * 4, 10, "must ascend"),
    ],
)
def test_no_curve_is_refused(
    labels: list[int], scores: list[float], images: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        fit_learning_curve(labels, scores, images)
