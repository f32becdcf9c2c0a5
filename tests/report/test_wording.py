import pytest

from al_lightning.report import wording


@pytest.mark.parametrize(
    ("share", "decimals", "text"),
    [
        (0.9012, 2, "90.12"),
        (0.38, 0, "38"),
        (-0.00001, 2, "0.00"),
        (-0.5, 1, "-50.0"),
        (1, 0, "100"),
    ],
)
def test_percent(share: float, decimals: int, text: str) -> None:
    assert wording.percent(share, decimals) == text


@pytest.mark.parametrize(
    ("difference", "text"),
    [(0.014, "+1.40"), (-0.009, "-0.90"), (0.0, "0.00"), (0.00001, "0.00"), (-0.00001, "0.00")],
)
def test_points_have_a_sign_unless_they_are_nothing(difference: float, text: str) -> None:
    assert wording.points(difference) == text


@pytest.mark.parametrize(
    ("shares", "decimals"),
    [
        ((0.014, 0.005), 1),
        ((0.0005,), 1),
        ((0.0004,), 2),
        ((0.00001,), 3),
        ((0.0, 0.2), 1),
        ((), 1),
    ],
)
def test_decimals_are_as_many_as_it_takes(shares: tuple[float, ...], decimals: int) -> None:
    assert wording.decimals_for(*shares) == decimals


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 s"),
        (0.0004, "< 0.001 s"),
        (0.001, "0.001 s"),
        (0.017, "0.017 s"),
        (0.1, "0.10 s"),
        (3.9, "3.90 s"),
        (84.56, "84.6 s"),
        (1640.2, "1,640 s"),
    ],
)
def test_seconds(value: float, text: str) -> None:
    assert wording.seconds(value) == text


def test_counts_and_lists() -> None:
    assert wording.count(60_000) == "60,000"
    assert wording.count(1487.6) == "1,488"
    assert wording.counted(1, "seed") == "1 seed"
    assert wording.counted(1234, "class", "classes") == "1,234 classes"
    assert wording.listed(["a"]) == "a"
    assert wording.listed(["a", "b"]) == "a and b"
    assert wording.listed(["a", "b", "c"]) == "a, b and c"
    assert wording.interval(-0.001, 0.019, 1) == "[-0.1, 1.9]"


def test_a_slug_is_a_name_that_files_can_have() -> None:
    assert wording.slug("f(beta=2)") == "f_beta_2"
