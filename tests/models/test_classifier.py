from collections.abc import Iterable
from functools import partial
from typing import Any

import lightning as L
import pytest
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler
from torch.utils.data import DataLoader, TensorDataset

from al_lightning.callbacks.training_curves import TrainingCurves
from al_lightning.models import CNN, ImageClassifier
from al_lightning.models.backbone import to_probabilities
from al_lightning.models.classifier import decay_weights_alone
from al_lightning.models.metrics import evaluate
from tests.helpers import Linear, tiny_classifier, tiny_images, tiny_trainer

SCALARS = (
    *("accuracy", "balanced_accuracy", "macro_precision", "macro_recall", "macro_f1"),
    *("nll", "ece"),
)


def batches(count: int = 60, batch_size: int = 16) -> DataLoader[Any]:
    images = tiny_images(count)
    return DataLoader(TensorDataset(images.pixels[:] / 255, images.labels), batch_size)


def everything(count: int = 60) -> tuple[Tensor, Tensor]:
    images = tiny_images(count)
    return images.pixels[:] / 255, images.labels


def test_a_fit_lowers_the_loss() -> None:
    classifier = tiny_classifier()
    images, labels = everything()

    def loss() -> float:
        with torch.no_grad():
            return float(nn.functional.cross_entropy(classifier.eval()(images), labels))

    before = loss()
    torch.manual_seed(0)
    tiny_trainer(max_steps=40, max_epochs=-1).fit(classifier.train(), batches())
    assert loss() < 0.8 * before


@pytest.mark.filterwarnings("ignore:You are trying to `self.log")
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.6])
def test_the_loss_is_smoothed_cross_entropy(smoothing: float) -> None:
    classifier = ImageClassifier(Linear(), 3, label_smoothing=smoothing)
    images, labels = everything(10)
    logs = classifier(images).log_softmax(1)
    expected = [
        -(1 - smoothing) * row[label] - smoothing * row.mean()
        for row, label in zip(logs, labels, strict=True)
    ]
    loss = classifier.training_step((images, labels), 0)
    torch.testing.assert_close(loss, torch.stack(expected).mean())


def test_the_loss_of_training_is_logged() -> None:
    trainer = tiny_trainer(max_steps=2, max_epochs=-1, log_every_n_steps=1)
    trainer.fit(tiny_classifier(), batches())
    assert trainer.logged_metrics.keys() == {"train/loss"}
    assert float(trainer.logged_metrics["train/loss"]) > 0


def test_the_losses_that_a_logger_is_given_are_those_of_its_steps() -> None:
    curves: list[tuple[str, float, int]] = []
    logger = TrainingCurves(lambda *point: curves.append(point))
    tiny_trainer(max_steps=7, max_epochs=-1, logger=logger, log_every_n_steps=3).fit(
        tiny_classifier(), batches()
    )
    assert [(name, step) for name, _, step in curves] == [("train/loss", 2), ("train/loss", 5)]


@torch.no_grad()
def guessing(seed: int = 0) -> ImageClassifier:
    """A classifier that predicts every class now and then, right or wrong."""
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(3, 64, generator=generator)
    backbone = Linear()
    backbone.output.weight.copy_(weight - weight.mean(1, keepdim=True))
    backbone.output.bias.zero_()
    return ImageClassifier(backbone, 3)


def measured(classifier: ImageClassifier) -> tuple[dict[str, float], dict[str, list[float]]]:
    images, labels = everything()
    with torch.no_grad():
        probabilities = to_probabilities(classifier.eval()(images))
    scalars, per_class, _ = evaluate(probabilities, labels)
    return scalars, per_class


def test_validation_metrics_are_those_of_the_whole_set() -> None:
    classifier = guessing()
    (logged,) = tiny_trainer().validate(classifier, batches(), verbose=False)
    scalars, _ = measured(classifier)
    assert logged.keys() == {f"val/{name}" for name in SCALARS}
    assert logged == pytest.approx({f"val/{k}": v for k, v in scalars.items()}, abs=1e-6)


def test_test_metrics_are_those_of_the_whole_set() -> None:
    classifier = guessing()
    (logged,) = tiny_trainer().test(classifier, batches(), verbose=False)
    scalars, per_class = measured(classifier)
    assert per_class.pop("support") == everything()[1].bincount(minlength=3).tolist()
    expected = {f"test/{name}": value for name, value in scalars.items()}
    for name, values in per_class.items():
        expected |= {f"test/{name}/{c}": value for c, value in enumerate(values)}
    assert {"test/precision/0", "test/recall/2", "test/f1/1"} <= logged.keys()
    assert logged == pytest.approx(expected, abs=1e-6)


def test_metrics_do_not_pile_up_from_test_to_test() -> None:
    classifier, trainer = guessing(seed=0), tiny_trainer()
    (first,) = trainer.test(classifier, batches(), verbose=False)
    classifier.load_state_dict(guessing(seed=1).state_dict())
    (again,) = trainer.test(classifier, batches(), verbose=False)
    (fresh,) = tiny_trainer().test(guessing(seed=1), batches(), verbose=False)
    assert again == fresh
    assert all(again[f"test/precision/{c}"] != first[f"test/precision/{c}"] for c in range(3))


def test_metrics_are_no_weights() -> None:
    weights = tiny_classifier().state_dict()
    assert weights.keys() == {f"backbone.{k}" for k in tiny_classifier().backbone.state_dict()}


class Rates(Callback):
    """Takes down the learning rate of every step."""

    def __init__(self) -> None:
        self.rates: list[float] = []

    def on_train_batch_start(self, trainer: L.Trainer, *_: Any) -> None:
        self.rates.append(trainer.optimizers[0].param_groups[0]["lr"])


def sgd(parameters: Iterable[Any]) -> Optimizer:
    return torch.optim.SGD(parameters, lr=0.5)


def fitted_rates(classifier: ImageClassifier) -> list[float]:
    rates = Rates()
    tiny_trainer(max_steps=6, max_epochs=-1, callbacks=[rates]).fit(classifier, batches(60, 30))
    return rates.rates


def test_the_schedule_is_over_all_steps_and_stepped_after_each() -> None:
    told: list[int] = []

    def linear_decay(optimizer: Optimizer, total_steps: int) -> LRScheduler:
        told.append(total_steps)
        return LambdaLR(optimizer, lambda step: 1 - step / total_steps)

    classifier = ImageClassifier(Linear(), 3, make_optimizer=sgd, make_scheduler=linear_decay)
    rates = fitted_rates(classifier)
    assert told == [6]
    assert rates == pytest.approx([0.5 * (1 - step / 6) for step in range(6)])


def test_without_a_schedule_the_learning_rate_is_constant() -> None:
    assert fitted_rates(ImageClassifier(Linear(), 3, make_optimizer=sgd)) == [0.5] * 6


def test_the_optimizer_is_adamw_unless_another_is_asked_for() -> None:
    assert isinstance(ImageClassifier(Linear(), 3).configure_optimizers(), torch.optim.AdamW)


def test_embeddings_and_logits_are_those_of_the_backbone() -> None:
    classifier, (images, _) = tiny_classifier().eval(), everything(5)
    embeddings = classifier.embed(images)
    assert torch.equal(embeddings, classifier.backbone.embed(images))
    assert torch.equal(classifier.classify(embeddings), classifier.backbone(images))
    assert torch.equal(classifier(images), classifier.backbone(images))


@pytest.mark.filterwarnings("ignore:You are trying to `self.log")
@pytest.mark.parametrize("precision", ["bf16-mixed", "32-true"])
def test_a_fused_optimizer_clips_in_every_precision(precision: Any) -> None:
    """By a clip of next to nothing, AdamW's steps are those of its epsilon: weights hardly move."""

    def moved(clip: float | None) -> float:
        classifier = tiny_classifier()
        before = torch.cat([p.detach().flatten().clone() for p in classifier.parameters()])
        classifier._make_optimizer = partial(AdamW, lr=0.02, weight_decay=0.0, fused=True)
        trainer = tiny_trainer(max_steps=5, precision=precision, gradient_clip_val=clip)
        trainer.fit(classifier, batches())
        after = torch.cat([p.detach().flatten() for p in classifier.parameters()])
        return float((after - before).abs().max())

    assert moved(clip=None) > 0.05
    assert moved(clip=1e-12) < 0.001


def test_weight_decay_acts_on_weights_alone() -> None:
    """Without a gradient, AdamW does nothing but decay."""
    torch.manual_seed(0)
    network = CNN((1, 8, 8), 3)
    optimizer = AdamW(decay_weights_alone(network.parameter_groups()), lr=0.1, weight_decay=0.5)
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    for name, parameter in network.named_parameters():
        factor = 0.95 if parameter.ndim > 1 else 1.0
        torch.testing.assert_close(parameter.detach(), factor * before[name], msg=name)
    assert {p.ndim for p in network.parameters()} == {1, 2, 4}


def test_groups_keep_their_options_when_they_are_split() -> None:
    layer, scale = nn.Linear(3, 2), nn.BatchNorm1d(2)
    groups = decay_weights_alone(
        [
            {"params": layer.parameters(), "lr_factor": 0.1, "weight_decay": 0.3},
            {"params": list(scale.parameters())},
        ]
    )
    found = [(len(g["params"]), g.get("lr_factor"), g.get("weight_decay")) for g in groups]
    assert found == [(1, 0.1, 0.3), (1, 0.1, 0.0), (2, None, 0.0)]


def test_the_classifier_decays_weights_alone() -> None:
    optimizers: list[Optimizer] = []

    def make(groups: Iterable[Any]) -> Optimizer:
        optimizers.append(AdamW(groups, lr=0.01, weight_decay=0.5))
        return optimizers[0]

    classifier = ImageClassifier(Linear(), 3, make_optimizer=make)
    tiny_trainer(max_steps=1, max_epochs=-1).fit(classifier, batches())
    decays = {p.ndim: g["weight_decay"] for g in optimizers[0].param_groups for p in g["params"]}
    assert decays == {2: 0.5, 1: 0.0}
