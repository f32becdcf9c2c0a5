from typing import Any

import lightning as L
import pytest
import torch
from torch import Tensor, nn

from al_lightning.models import Backbone, Embedder, require_embedder
from al_lightning.models.backbone import require_logits, to_probabilities
from al_lightning.models.classifier import ImageClassifier
from al_lightning.models.halves import Halves
from al_lightning.utils.errors import UsageError
from tests.helpers import SHAPE, Linear, same_weights, tiny_classifier


class OnlyEmbeds(L.LightningModule):
    def embed(self, images: Tensor) -> Tensor:
        return images


class OnlyClassifies(L.LightningModule):
    def classify(self, embeddings: Tensor) -> Tensor:
        return embeddings


class Misleading(OnlyEmbeds):
    classify = 3


def test_a_classifier_is_an_embedder() -> None:
    classifier = tiny_classifier()
    require_embedder(classifier)
    assert isinstance(classifier, Embedder)


@pytest.mark.parametrize(
    ("module", "missing"),
    [
        (OnlyEmbeds(), "OnlyEmbeds cannot .* it has no `classify` method"),
        (OnlyClassifies(), "OnlyClassifies cannot .* it has no `embed` method"),
        (L.LightningModule(), "it has no `embed` and no `classify` method"),
        (Misleading(), "it has no `classify` method"),
    ],
)
def test_missing_methods_are_named(module: L.LightningModule, missing: str) -> None:
    with pytest.raises(UsageError, match=missing):
        require_embedder(module)


def test_the_forward_pass_is_made_of_the_halves() -> None:
    backbone, images = Linear(), torch.rand(5, 1, 8, 8)
    assert torch.equal(backbone(images), backbone.classify(backbone.embed(images)))


def test_hooks_see_the_forward_pass() -> None:
    backbone, seen = Linear(), []
    backbone.register_forward_hook(lambda _, __, output: seen.append(output))
    logits = backbone(torch.rand(5, 1, 8, 8))
    assert len(seen) == 1
    assert seen[0] is logits


def test_a_backbone_without_halves_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="abstract method"):
        Backbone()  # type: ignore[abstract]


def test_probabilities_are_the_softmax() -> None:
    logits = torch.tensor([[0.0, 1.0, 2.0], [3.0, 3.0, 3.0]])
    expected = logits.exp() / logits.exp().sum(1, keepdim=True)
    torch.testing.assert_close(to_probabilities(logits), expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
def test_probabilities_are_float32_and_sum_to_one(dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = (5 * torch.randn(50, 10, generator=generator)).to(dtype)
    probabilities = to_probabilities(logits)
    assert probabilities.dtype == torch.float32
    torch.testing.assert_close(probabilities.sum(1), torch.ones(50))


def test_probabilities_of_huge_logits_are_finite() -> None:
    logits = torch.tensor([[1e30, -1e30, 0.0]])
    assert to_probabilities(logits).tolist() == [[1.0, 0.0, 0.0]]


def test_a_module_that_fits_is_left_as_it_was() -> None:
    classifier = tiny_classifier()
    classifier.train()
    state = torch.get_rng_state()
    require_logits(classifier, SHAPE, 3)
    assert same_weights(classifier, tiny_classifier())  # batch norm's running statistics too
    assert all(part.training for part in classifier.modules())
    assert torch.get_rng_state().equal(state)


class Answering(L.LightningModule):
    """Answers as it is told."""

    def __init__(self, embed: Any, classify: Any) -> None:
        super().__init__()
        self.embed, self.classify = embed, classify


def three(embeddings: Tensor) -> Tensor:
    return embeddings[:, :3]


@pytest.mark.parametrize(
    ("embed", "classify", "message"),
    [
        (lambda x: x.flatten(1), lambda e: (three(e), e), r"classify must return .*, not tuple"),
        (lambda x: x.flatten(1), lambda e: {"logits": e}, r"classify must return .*, not dict"),
        (lambda x: x.flatten(1), lambda e: three(e).numpy(), "classify must .*, not ndarray"),
        (lambda x: x.flatten(1), lambda e: three(e).long(), r"classify must .*, not torch\.int64"),
        (lambda x: None, lambda e: torch.zeros(2, 3), r"embed must return .*, not NoneType"),
        (lambda x: x.flatten(1).squeeze(0), three, "Answering cannot process images of 1x8x8"),
        (
            lambda x: x.flatten(1)[:, : 2 + len(x)],
            three,
            "have 4 numbers .* and 3 in a batch of one",
        ),
        (lambda x: x.flatten(1), lambda e: e.nothing, "AttributeError: .*nothing"),
        (lambda x: dict[str, Tensor]()["a"], three, "KeyError: 'a'"),
    ],
)
def test_what_no_half_may_answer_is_refused(embed: Any, classify: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        require_logits(Answering(embed, classify), SHAPE, 3)


@pytest.mark.parametrize("network", [None, nn.Linear(2, 3), Halves])
def test_a_classifier_is_made_of_a_backbone(network: Any) -> None:
    with pytest.raises(UsageError, match="is no Backbone"):
        ImageClassifier(network, 3)


class Flat(L.LightningModule):
    """Embeddings of four dimensions."""

    def embed(self, images: Tensor) -> Tensor:
        return images

    def classify(self, embeddings: Tensor) -> Tensor:
        return embeddings.flatten(1)[:, :3]


def test_another_number_of_classes_is_refused_with_both() -> None:
    with pytest.raises(
        UsageError, match=r"CNN.classify must return \(2, 4\) .* has 4 classes, not \(2, 3\)"
    ):
        require_logits(tiny_classifier(), SHAPE, 4)


def test_embeddings_of_another_shape_are_refused() -> None:
    with pytest.raises(
        UsageError, match=r"^Flat.embed must return \(2, D\) .*, not \(2, 1, 8, 8\)$"
    ):
        require_logits(Flat(), SHAPE, 3)


class HalfSoftmax(nn.Softmax):
    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - as torch calls it
        return super().forward(input).half()


@pytest.mark.parametrize("scale", [0.0, 0.3, 1.0, 100.0])
def test_probabilities_are_not_taken_for_logits(scale: float) -> None:
    head = nn.Linear(64, 3)
    with torch.no_grad():  # of black images, the logits are the bias
        head.bias.copy_(scale * torch.tensor([1.0, 1.0, -1.0]))
    for softmax in (nn.Softmax(1), HalfSoftmax(1)):
        with pytest.raises(UsageError, match=r"Halves gives probabilities.*Return the logits"):
            require_logits(classifier_of(nn.Sequential(head, softmax)), SHAPE, 3)
    for last in (nn.Identity(), nn.LogSoftmax(1), nn.ReLU(), nn.Sigmoid()):
        assert require_logits(classifier_of(nn.Sequential(head, last)), SHAPE, 3) == 64


def classifier_of(head: nn.Module) -> ImageClassifier:
    return ImageClassifier(Halves(nn.Flatten(), head), 3)


def test_images_of_another_shape_are_refused() -> None:
    with pytest.raises(UsageError, match="CNN cannot process images of 3x8x8"):
        require_logits(tiny_classifier(), (3, 8, 8), 3)


def test_for_evaluation_a_backbone_is_itself_unless_it_knows_better() -> None:
    backbone = Halves(nn.Flatten(), nn.Linear(4, 2))
    assert backbone.for_evaluation() is backbone
    images = torch.rand(3, 1, 2, 2)
    assert torch.equal(backbone.embed(images), images.flatten(1))
    assert torch.equal(backbone(images), backbone.head(images.flatten(1)))
