import pytest

from al_lightning.strategies.evidence import Need
from al_lightning.strategies.sizes import Sizes

SIZES = Sizes(pool=1000, labeled=10, classes=7, embedding=64, samples=20, count=5)


@pytest.mark.parametrize(
    ("needs", "expected"),
    [
        ([], 0),
        ([Need.PROBABILITIES], 4 * 7),
        ([Need.EMBEDDINGS], 4 * 64),
        ([Need.MC_PROBABILITIES], 4 * 20 * 7),
        ([Need.CALIBRATED_PROBABILITIES], 4 * 7),
        ([Need.DROPPED_FEATURES], 4 * 20 * 7),
        (list(Need), 4 * (7 + 64 + 140 + 7 + 140)),
    ],
)
def test_a_row_takes_four_bytes_a_number(needs: list[Need], expected: int) -> None:
    assert SIZES.row_bytes(needs) == expected
