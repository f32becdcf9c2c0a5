import torch
from sklearn.datasets import load_digits

from al_lightning.data import Digits


def test_digits_are_scikit_learns_spread_over_bytes() -> None:
    data = Digits().load()
    assert data.train.pixels.shape == (1297, 1, 8, 8)
    assert data.test.pixels.shape == (500, 1, 8, 8)
    assert data.train.pixels.dtype == torch.uint8
    shades = torch.from_numpy(load_digits().images)
    both = torch.cat([data.train.pixels[:], data.test.pixels[:]]).flatten(1).double()
    assert sorted((both / 255 * 16).round().sum(1).tolist()) == sorted(shades.sum((1, 2)).tolist())
    assert set(both.flatten().tolist()) == {round(shade * 255 / 16) for shade in range(17)}
    assert data.normalization is None
    assert data.classes == tuple("0123456789")


def test_the_split_is_stratified_and_fixed() -> None:
    data = Digits().load()
    sizes = torch.bincount(torch.from_numpy(load_digits().target)) * 500 / 1797
    assert bool(((data.test.labels.bincount() - sizes).abs() < 1).all())
    torch.manual_seed(3)
    assert Digits().load().fingerprint() == data.fingerprint() == "918184e9f7c9184a"


def test_imbalance_and_flip() -> None:
    source = Digits(imbalance="step", imbalance_ratio=10)
    assert not source.horizontal_flip
    assert source.load().train.labels.bincount().tolist() == [128] * 5 + [12] * 5
