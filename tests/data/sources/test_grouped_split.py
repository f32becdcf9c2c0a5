import pytest
import torch
from torch import Tensor

from al_lightning.data.sources.grouped_split import grouped_split
from al_lightning.data.sources.split import stratified_split
from al_lightning.utils.errors import DataError


def _groups_of(*sizes: int) -> Tensor:
    return torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))


def _mixed(count: int, per_group: int, classes: int) -> tuple[Tensor, Tensor]:
    """Groups of one size, each with all classes."""
    labels = torch.arange(per_group).remainder(classes).repeat(count)
    return labels, _groups_of(*[per_group] * count)


@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.5, 0.7])
def test_no_group_is_divided_and_classes_have_their_shares(fraction: float) -> None:
    labels, groups = _mixed(count=20, per_group=12, classes=3)
    train, test = grouped_split(labels, groups, round(240 * fraction), "abc")
    assert not {*groups[train].tolist()} & {*groups[test].tolist()}
    assert sorted([*train.tolist(), *test.tolist()]) == list(range(240))
    assert len(test) == round(240 * fraction)
    assert labels[test].bincount().tolist() == [round(80 * fraction)] * 3
    assert test.tolist() == sorted(test.tolist())


def test_groups_of_very_different_sizes() -> None:
    generator = torch.Generator().manual_seed(0)
    sizes = torch.randint(1, 40, (200,), generator=generator)
    groups = _groups_of(*sizes.tolist())
    labels = torch.randint(0, 5, (len(groups),), generator=generator)
    train, test = grouped_split(labels, groups, round(len(groups) * 0.2), "abcde")
    assert not {*groups[train].tolist()} & {*groups[test].tolist()}
    assert abs(len(test) / len(groups) - 0.2) < 0.01
    shares = labels[test].bincount() / labels.bincount()
    assert bool(((shares - 0.2).abs() < 0.05).all())


def test_images_without_a_group_are_split_as_if_there_were_none() -> None:
    labels = torch.arange(90) % 3
    _, test = grouped_split(labels, torch.arange(90), 30, "abc")
    _, alone = stratified_split(labels, 30, "abc")
    assert torch.equal(labels[test].bincount(), labels[alone].bincount())


def test_groups_of_one_class_each() -> None:
    # Class 0 has groups of 80, 10 and 10 images, class 1 two of 50.
    labels = torch.repeat_interleave(torch.tensor([0, 1]), 100)
    groups = _groups_of(80, 10, 10, 50, 50)
    _, test = grouped_split(labels, groups, 40, "ab")
    assert {*groups[test].tolist()} in ({1, 2, 3}, {1, 2, 4})


def test_the_split_is_fixed_whatever_the_groups_are_numbered() -> None:
    labels, groups = _mixed(count=20, per_group=6, classes=2)
    torch.manual_seed(1)
    _, first = grouped_split(labels, groups, 30, "ab")
    torch.manual_seed(2)
    _, second = grouped_split(labels, 7 * groups + 3, 30, "ab")
    assert torch.equal(first, second)


@pytest.mark.parametrize(
    ("labels", "groups", "said"),
    [
        ([0, 0, 1, 1], [0, 1, 2, 2], "'dog' are of 1 group,"),
        ([0, 1, 0, 1, 0], [0, 0, 1, 1, 2], None),
        ([0, 1, 0, 0], [0, 0, 1, 2], "'dog' are of 1 group,"),
    ],
)
def test_a_class_of_one_group_is_named(
    labels: list[int], groups: list[int], said: str | None
) -> None:
    arguments = torch.tensor(labels), torch.tensor(groups), 1, ("cat", "dog")
    if said is None:
        train, test = grouped_split(*arguments)
        for part in (train, test):
            assert {*torch.tensor(labels)[part].tolist()} == {0, 1}
        return
    with pytest.raises(DataError, match=f"{said} .* never divided"):
        grouped_split(*arguments)
