from itertools import count

import pytest
import torch
from torch import nn

from al_lightning.models import ImageClassifier
from al_lightning.training.fresh_classifiers import FreshClassifiers
from al_lightning.utils.errors import UsageError
from tests.helpers import Linear, same_weights, tiny_classifier


def linear() -> ImageClassifier:
    return ImageClassifier(Linear(), 3)


def test_every_call_makes_a_new_one_with_the_same_weights() -> None:
    make = FreshClassifiers(linear, seed=3)
    before = torch.get_rng_state()
    first, second = make(), make()
    assert torch.equal(torch.get_rng_state(), before)
    assert first is not second
    assert same_weights(first, second)
    assert not same_weights(first, FreshClassifiers(linear, seed=4)())


def test_one_model_for_all_rounds_is_refused() -> None:
    model = tiny_classifier()
    make = FreshClassifiers(lambda: model, seed=0)
    make()
    with pytest.raises(UsageError, match=r"gave backbone\.features\.0\.weight of a classifier"):
        make()


def test_one_network_in_new_classifiers_is_refused() -> None:
    backbone = Linear()
    make = FreshClassifiers(lambda: ImageClassifier(backbone, 3), seed=0)
    _kept = make()
    with pytest.raises(UsageError, match=r"backbone\.output\.weight"):
        make()


def test_what_is_frozen_may_be_shared() -> None:
    trunk = nn.Linear(64, 64).requires_grad_(False)

    def make_one() -> ImageClassifier:
        classifier = linear()
        classifier.backbone.trunk = trunk
        return classifier

    make = FreshClassifiers(make_one, seed=0)
    assert same_weights(make(), make())


def test_other_initial_weights_are_refused() -> None:
    seeds = count()
    make = FreshClassifiers(lambda: tiny_classifier(next(seeds)), seed=0)
    make()
    with pytest.raises(UsageError, match="other initial weights"):
        make()


def test_one_that_was_made_ahead_is_the_next() -> None:
    made = []

    def make_one() -> ImageClassifier:
        made.append(linear())
        return made[-1]

    make = FreshClassifiers(make_one, seed=3)
    make.prepare()
    make.prepare()
    assert len(made) == 1
    first, second = make(), make()
    assert first is made[0]
    assert second is made[1]
    assert same_weights(first, second)
