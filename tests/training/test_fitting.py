from typing import Any

import pytest
import torch

from al_lightning.data.datamodule import PoolDataModule
from al_lightning.models import ImageClassifier
from al_lightning.run.pool import Pool
from al_lightning.training.fitting import fit_watched
from al_lightning.utils.errors import DivergenceError, UsageError
from tests.helpers import NORMALIZATION, TinySource, same_weights, tiny_classifier, tiny_trainer


def fitted(seed: int, **trainer: Any) -> tuple[ImageClassifier, dict[str, Any]]:
    datamodule = PoolDataModule(TinySource(), batch_size=8)
    ids = torch.arange(20)
    pool = Pool(60).reveal(ids, datamodule.data.train.labels[:20])
    datamodule.begin_round(pool, order_seed=0)
    classifier = tiny_classifier()
    options = {"max_epochs": 2, **trainer}
    return classifier, fit_watched(tiny_trainer(**options), classifier, datamodule, 3, seed)


def test_a_fit_depends_on_its_seed_and_leaves_the_global_one_alone() -> None:
    before = torch.get_rng_state()
    one, facts = fitted(seed=0)
    torch.manual_seed(99)
    again, _ = fitted(seed=0)
    other, _ = fitted(seed=1)  # draws other dropout masks
    assert same_weights(one, again)
    assert not same_weights(one, other)
    assert facts["steps"] == 6
    assert facts["seconds"] > 0
    torch.set_rng_state(before)
    fitted(seed=0)
    assert torch.get_rng_state().equal(before)


def test_the_facts_are_what_another_image_needs() -> None:
    _, facts = fitted(seed=0)
    assert facts["classes"] == ["top", "middle", "bottom"]
    assert facts["image_shape"] == [1, 8, 8]
    assert facts["normalization"] == {"mean": NORMALIZATION.mean, "std": NORMALIZATION.std}


def test_a_fit_that_diverges_is_named_by_its_round(monkeypatch: pytest.MonkeyPatch) -> None:
    step = ImageClassifier.training_step

    def diverging(self: ImageClassifier, *arguments: Any) -> torch.Tensor:
        return step(self, *arguments) * torch.nan

    monkeypatch.setattr(ImageClassifier, "training_step", diverging)
    with pytest.raises(DivergenceError, match="round 3 has diverged"):
        fitted(seed=0)


@pytest.mark.parametrize("method", ["training_step", "configure_optimizers"])
def test_a_fit_that_changes_no_weight_is_refused(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageClassifier, method, lambda *arguments: None)
    with pytest.raises(
        UsageError, match=r"fit of round 3 has changed no weight.*of ImageClassifier"
    ):
        fitted(seed=0)
