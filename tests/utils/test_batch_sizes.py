import pytest

from al_lightning.utils.batch_sizes import batch_sizes


@pytest.mark.parametrize(
    ("count", "batch_size", "sizes"),
    [
        (0, 4, []),
        (1, 4, [1]),
        (4, 4, [4]),
        (9, 4, [3, 3, 3]),
        (11, 4, [4, 4, 3]),
        (5, 2, [3, 2]),  # no image is left alone
    ],
)
def test_batches_are_few_and_as_equal_as_can_be(
    count: int, batch_size: int, sizes: list[int]
) -> None:
    assert batch_sizes(count, batch_size) == sizes


def test_2500_images_in_batches_of_32_leave_no_small_batch() -> None:
    assert set(batch_sizes(2500, 32)) == {31, 32}
