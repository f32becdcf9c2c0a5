import pytest
import torch

from al_lightning.data.sources.split import stratified_split
from al_lightning.utils.errors import DataError


def _labels(*sizes: int) -> torch.Tensor:
    return torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))


def test_each_class_gives_its_share() -> None:
    labels = _labels(100, 50, 50)
    train, test = stratified_split(labels, 40, "abc")
    assert labels[test].bincount().tolist() == [20, 10, 10]
    assert sorted([*train.tolist(), *test.tolist()]) == list(range(200))
    assert test.tolist() == sorted(test.tolist())


def test_the_largest_remainders_get_what_rounding_left() -> None:
    # Exact shares 3.5, 3.3, 3.2: floors 3, 3, 3; the one image left goes to the first class.
    labels = _labels(35, 33, 32)
    assert labels[stratified_split(labels, 10, "abc")[1]].bincount().tolist() == [4, 3, 3]


def test_small_classes_keep_one_image_on_either_side() -> None:
    labels = _labels(100, 2)
    train, test = stratified_split(labels, 2, "ab")
    assert labels[test].bincount().tolist() == [2, 1]
    train, test = stratified_split(labels, 101, "ab")
    assert labels[train].bincount().tolist() == [1, 1]


def test_the_split_is_fixed() -> None:
    torch.manual_seed(1)
    first = stratified_split(_labels(30, 30), 10, "ab")
    torch.manual_seed(2)
    second = stratified_split(_labels(30, 30), 10, "ab")
    assert torch.equal(first[1], second[1])


@pytest.mark.parametrize(("sizes", "said"), [((5, 1), "1 image"), ((5, 0), "no images")])
def test_a_class_too_small_to_split_is_named(sizes: tuple[int, ...], said: str) -> None:
    with pytest.raises(DataError, match=f"'cat'.*{said}"):
        stratified_split(_labels(*sizes), 2, ("dog", "cat"))
