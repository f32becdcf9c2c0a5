import pytest
import torch

from al_lightning.data import BaseSource, ImageData, Images
from al_lightning.utils.errors import UsageError


class _Fixed(BaseSource):
    """100 training images and 20 test images of two classes; a training image shows its number."""

    def read(self) -> ImageData:
        number = torch.arange(100, dtype=torch.uint8)
        train = Images(number.reshape(-1, 1, 1, 1), torch.arange(100) % 2)
        test = Images(torch.zeros(20, 1, 1, 1, dtype=torch.uint8), torch.arange(20) % 2)
        return ImageData(train, test, ("even", "odd"))


def _source(imbalance: str | None = None, ratio: float = 10.0) -> _Fixed:
    return _Fixed(horizontal_flip=False, imbalance=imbalance, imbalance_ratio=ratio)


def test_without_imbalance_all_is_kept() -> None:
    assert len(_source().load().train) == 100


@pytest.mark.parametrize("profile", ["exponential", "step"])
def test_imbalance_thins_the_training_set_alone(profile: str) -> None:
    data = _source(profile).load()
    assert data.train.labels.bincount().tolist() == [50, 5]
    assert data.test.labels.bincount().tolist() == [10, 10]
    numbers = data.train.pixels[:].flatten()
    assert (numbers % 2).tolist() == data.train.labels.tolist()
    assert numbers.tolist() == sorted(numbers.tolist())


def test_arguments_are_checked_before_anything_is_read() -> None:
    with pytest.raises(UsageError, match=r"dataset\.imbalance=steps"):
        _source("steps")
    with pytest.raises(UsageError, match=r"dataset\.imbalance_ratio"):
        _source("step", ratio=0.5)


def test_imbalance_is_refused_where_classes_are_unknown() -> None:
    class Unlabeled(_Fixed):
        def read(self) -> ImageData:
            data = super().read()
            data.train.labels[7] = -1
            return data

    with pytest.raises(UsageError, match=r"dataset\.imbalance=step is not possible with unl"):
        Unlabeled(horizontal_flip=False, imbalance="step", imbalance_ratio=2.0).load()
    data = Unlabeled(horizontal_flip=False, imbalance=None, imbalance_ratio=2.0).load()
    assert len(data.given_ids) == 99
