import pytest
import torch

from al_lightning.data.batches import (
    DealtBatches,
    OrderedBatches,
    SharedBatches,
    ShuffledBatches,
    share_weights,
)
from al_lightning.utils.batch_sizes import batch_sizes


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, []),
        (1, [[0]]),
        (3, [[0, 1, 2]]),
        (4, [[0, 1, 2], [3]]),
        (6, [[0, 1, 2], [3, 4, 5]]),
        (8, [[0, 1, 2], [3, 4, 5], [6, 7]]),
    ],
)
def test_ordered_batches_are_consecutive(count: int, expected: list[list[int]]) -> None:
    batches = OrderedBatches(count, 3)
    for _ in range(2):
        assert [batch.tolist() for batch in batches] == expected
    assert len(batches) == len(expected)


@pytest.mark.parametrize(
    ("count", "batch_size", "sizes"),
    [
        (0, 4, []),
        (1, 4, [1]),
        (4, 4, [4]),
        (5, 4, [3, 2]),
        (9, 4, [3, 3, 3]),
        (11, 4, [4, 4, 3]),
        (3, 2, [3]),  # no image is left alone
        (5, 2, [3, 2]),
    ],
)
def test_shuffled_batches_are_as_equal_as_can_be(
    count: int, batch_size: int, sizes: list[int]
) -> None:
    batches = ShuffledBatches(count, batch_size, seed=0)
    assert [len(batch) for batch in batches] == sizes == batch_sizes(count, batch_size)
    assert len(batches) == len(sizes)


@pytest.mark.parametrize(("count", "size"), [(40, 7), (43, 7), (5, 64), (9, 2)])
def test_every_position_comes_once_an_epoch(count: int, size: int) -> None:
    batches = ShuffledBatches(count, size, seed=0)
    for _ in range(3):
        positions = torch.cat(list(batches))
        assert positions.dtype == torch.int64
        assert positions.sort().values.tolist() == list(range(count))


def epochs(count: int, seed: int, number: int = 3) -> list[list[int]]:
    batches = ShuffledBatches(count, 8, seed)
    return [torch.cat(list(batches)).tolist() for _ in range(number)]


def test_every_epoch_has_its_own_order() -> None:
    first, second, third = epochs(40, seed=0)
    assert first != second != third != first
    assert first != list(range(40))


def test_orders_depend_on_the_seed_alone() -> None:
    torch.manual_seed(1)
    one = epochs(40, seed=5)
    torch.manual_seed(2)
    assert epochs(40, seed=5) == one
    assert all(ours != theirs for ours, theirs in zip(epochs(40, seed=6), one, strict=True))


def test_orders_do_not_depend_on_the_batch_size() -> None:
    sizes = [torch.cat(list(ShuffledBatches(40, size, seed=5))).tolist() for size in (3, 40)]
    assert sizes[0] == sizes[1]


def test_the_global_stream_is_left_alone() -> None:
    before = torch.get_rng_state()
    epochs(40, seed=5)
    assert torch.equal(torch.get_rng_state(), before)


def test_length_does_not_begin_an_epoch() -> None:
    batches = ShuffledBatches(40, 8, seed=5)
    assert len(batches) == 5
    assert torch.cat(list(batches)).tolist() == epochs(40, seed=5, number=1)[0]


# Several processes


@pytest.mark.parametrize("world_size", [1, 2, 3])
@pytest.mark.parametrize("count", [0, 1, 23])
def test_batches_are_dealt_out_as_they_are(count: int, world_size: int) -> None:
    whole = [batch.tolist() for batch in OrderedBatches(count, 4)]
    for rank in range(world_size):
        dealt = DealtBatches(OrderedBatches(count, 4), rank, world_size)
        assert [batch.tolist() for batch in dealt] == whole[rank::world_size]
        assert len(dealt) == len(whole[rank::world_size])


@pytest.mark.parametrize("world_size", [1, 2, 3])
def test_every_batch_is_shared_out(world_size: int) -> None:
    whole = ShuffledBatches(23, 8, seed=1)
    shares = [
        SharedBatches(ShuffledBatches(23, 8, seed=1), rank, world_size)
        for rank in range(world_size)
    ]
    weights = [share_weights(batch_sizes(23, 8), rank, world_size) for rank in range(world_size)]
    for _ in range(2):  # epochs
        for index, (batch, *parts) in enumerate(zip(whole, *shares, strict=True)):
            assert torch.equal(torch.cat(parts), batch)
            for part, share in zip(parts, weights, strict=True):
                assert share[index] == len(part) / len(batch)
    assert {len(share) for share in shares} == {3}


def test_an_iterator_that_is_not_used_costs_no_epoch() -> None:
    one, other = ShuffledBatches(9, 4, seed=1), ShuffledBatches(9, 4, seed=1)
    iter(one)  # a DataLoader with workers makes two, and uses one
    assert all(map(torch.equal, one, other))
