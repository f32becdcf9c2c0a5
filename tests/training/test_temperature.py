import pytest
import torch
from torch.optim import AdamW

from al_lightning import Learner, Pool, Recipe, RoundTrainers, out_of_fold
from al_lightning.models.backbone import backbone_of
from al_lightning.strategies.evidence import Need
from al_lightning.training.calibration import fit_temperature, to_logits
from al_lightning.training.temperature import temperature_of
from al_lightning.utils.errors import DivergenceError
from tests.helpers import TinySource, tiny_classifier, tiny_trainer

RECIPE = Recipe(lambda groups: AdamW(groups, lr=0.02), epochs=2, batch_size=8, precision="32-true")


def learner_of() -> Learner:
    datamodule = RECIPE.datamodule(TinySource(normalization=None))
    return Learner(datamodule, tiny_classifier, RoundTrainers(tiny_trainer, RECIPE))


def pool_of(learner: Learner, count: int, validation: int = 0) -> Pool:
    labels = learner.data.train.labels
    ids, held = torch.arange(count), torch.arange(59, 59 - validation, -1)
    return Pool(60, ids, labels[ids], validation_ids=held, validation_labels=labels[held])


def test_validation_labels_decide_where_there_are_any() -> None:
    learner = learner_of()
    pool = pool_of(learner, 20, validation=12)
    fitted = learner.fit_apart(0, pool)
    found = fitted.evidence(pool.validation_ids, {Need.PROBABILITIES}).require(Need.PROBABILITIES)
    expected = fit_temperature(to_logits(found), pool.validation_labels)
    assert temperature_of(learner, fitted) == expected != 1


@pytest.mark.parametrize(("frozen", "images"), [(False, 5), (True, 20)])
def test_else_predictions_out_of_fold_and_the_classifier_is_served_as_before(
    frozen: bool, images: int
) -> None:
    learner = learner_of()
    pool = pool_of(learner, 20)
    fitted = learner.fit_apart(3, pool)
    backbone = backbone_of(fitted.classifier)
    assert backbone is not None
    backbone.frozen = frozen
    before = fitted.probabilities(torch.arange(40, 50))
    found = out_of_fold(learner_of(), pool, 3, fits=None if frozen else 1)
    assert len(found.ids) == images
    assert temperature_of(learner, fitted) == fit_temperature(found.logits, found.labels)
    assert torch.equal(fitted.probabilities(torch.arange(40, 50)), before)


def test_too_few_labels_leave_the_temperature_at_one() -> None:
    learner = learner_of()
    assert temperature_of(learner, learner.fit_apart(0, pool_of(learner, 2))) == 1


def test_a_fit_that_diverges_is_an_error_and_the_round_goes_on_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    learner = learner_of()
    pool = pool_of(learner, 20)
    fitted = learner.fit_apart(0, pool)
    served = learner.datamodule.normalization

    def diverge(index: int, part: Pool) -> None:
        learner.datamodule.begin_round(part, 0)
        raise DivergenceError(index, 3, "the loss is NaN")

    monkeypatch.setattr(learner, "fit_apart", diverge)
    with pytest.raises(DivergenceError):
        temperature_of(learner, fitted)
    assert learner.datamodule.pool is pool
    assert learner.datamodule.normalization == served
