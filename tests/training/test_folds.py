import pytest
import torch

from al_lightning.training.folds import stratified_folds


def drawn(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("seed", range(5))
def test_every_class_is_spread_over_all_folds(seed: int) -> None:
    labels = torch.tensor([0] * 23 + [1] * 7 + [2] * 2)[torch.randperm(32, generator=drawn(seed))]
    folds = stratified_folds(labels, 5, drawn(seed))
    for label in range(3):
        sizes = folds[labels == label].bincount(minlength=5)
        assert int(sizes.max() - sizes.min()) <= 1
    sizes = folds.bincount(minlength=5)
    assert int(sizes.max() - sizes.min()) <= 2


def test_the_seed_decides() -> None:
    labels = torch.arange(30) % 3
    one = stratified_folds(labels, 5, drawn(0))
    assert one.equal(stratified_folds(labels, 5, drawn(0)))
    assert not one.equal(stratified_folds(labels, 5, drawn(1)))


@pytest.mark.parametrize("seed", range(5))
def test_a_group_is_never_divided(seed: int) -> None:
    groups = torch.arange(40) // 4 + 100
    labels = (torch.arange(40) // 20)[torch.randperm(40, generator=drawn(seed))]
    folds = stratified_folds(labels, 5, drawn(seed), groups)
    for group in range(100, 110):
        assert len(set(folds[groups == group].tolist())) == 1
    assert folds.bincount().tolist() == [8] * 5  # two groups of four


def test_groups_of_one_class_are_dealt_out_as_its_images_would_be() -> None:
    labels, groups = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1]), torch.tensor([1, 1, 2, 2, 3, 3, 4, 4])
    folds = stratified_folds(labels, 2, drawn(0), groups)
    assert sorted(folds[labels == 0].tolist()) == [0, 0, 1, 1]
    assert sorted(folds[labels == 1].tolist()) == [0, 0, 1, 1]


def test_there_are_no_more_folds_than_groups() -> None:
    labels = torch.tensor([0, 1, 0])
    assert sorted(stratified_folds(labels, 5, drawn(0)).tolist()) == [0, 1, 2]
    assert stratified_folds(labels, 5, drawn(0), torch.tensor([7, 7, 7])).tolist() == [0, 0, 0]
    assert stratified_folds(labels[:0], 5, drawn(0)).tolist() == []
