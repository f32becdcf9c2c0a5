from collections.abc import Callable
from copy import deepcopy
from itertools import count
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, prune, spectral_norm

from al_lightning.models import CNN, fixed_masks
from al_lightning.models.fixed_masks import FixedMasks
from al_lightning.models.flatten import PixelFlatten
from al_lightning.models.offered import Stemmed
from al_lightning.utils.errors import UsageError
from tests.strategies.helpers import seeded


def trainable(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def of_type(model: nn.Module, *types: type[nn.Module]) -> list[nn.Module]:
    return [module for module in model.modules() if isinstance(module, types)]


def layers_of(model: CNN, images: Tensor) -> list[tuple[nn.Module, Tensor]]:
    """The layers in the order in which a forward pass meets them, each with its output."""
    met: list[tuple[nn.Module, Tensor]] = []
    hooks = [
        module.register_forward_hook(lambda layer, _, output: met.append((layer, output)))
        for module in model.modules()
        if not list(module.children())
    ]
    model.eval()(images)
    for hook in hooks:
        hook.remove()
    return met


@pytest.fixture(scope="module")
def baseline() -> CNN:
    return CNN((3, 32, 32), 10)


def test_baseline_has_the_parameters_of_the_design(baseline: CNN) -> None:
    assert trainable(baseline) == 3_349_418
    statistics = [b for name, b in baseline.named_buffers() if "running" in name]
    assert sum(b.numel() for b in statistics) == 1_408


def test_baseline_has_the_layers_of_the_design(baseline: CNN) -> None:
    met = [layer for layer, _ in layers_of(baseline, torch.rand(2, 3, 32, 32))]
    block = ["Conv2d", "ReLU", "BatchNorm2d"] * 2
    dense = ["PixelFlatten", "Linear", "ReLU", "BatchNorm1d", "ByteDropout", "Linear"]
    assert [type(layer).__name__ for layer in met] == [
        *block,
        "MaxPool2d",
        "ByteDropout",
        *block,
        "ByteDropout",
        *dense,
    ]
    assert [layer.p for layer in met if isinstance(layer, nn.Dropout)] == [0.25, 0.25, 0.5]
    convolutions = [layer for layer in met if isinstance(layer, nn.Conv2d)]
    assert [layer.out_channels for layer in convolutions] == [32, 32, 64, 64]
    assert {layer.kernel_size for layer in convolutions} == {(3, 3)}
    assert {layer.padding for layer in convolutions} == {(0, 0)}
    assert [layer.kernel_size for layer in met if isinstance(layer, nn.MaxPool2d)] == [2]
    assert [layer.out_features for layer in met if isinstance(layer, nn.Linear)] == [512, 10]


def test_baseline_has_the_feature_maps_of_the_design(baseline: CNN) -> None:
    met = layers_of(baseline, torch.rand(2, 3, 32, 32))
    maps = [o.shape[2:] for layer, o in met if isinstance(layer, nn.Conv2d | nn.MaxPool2d)]
    assert maps == [(side, side) for side in (30, 28, 14, 12, 10)]
    assert [o.shape for layer, o in met if isinstance(layer, PixelFlatten)] == [(2, 6400)]


def test_embeddings_and_logits_have_their_shapes(baseline: CNN) -> None:
    images = torch.rand(2, 3, 32, 32)
    assert baseline.eval().embed(images).shape == (2, 512)
    assert baseline(images).shape == (2, 10)


def test_the_halves_are_the_forward_pass(baseline: CNN) -> None:
    images = torch.rand(4, 3, 32, 32)
    baseline.eval()
    assert torch.equal(baseline.classify(baseline.embed(images)), baseline(images))
    baseline.train()
    torch.manual_seed(0)
    logits = baseline(images)
    torch.manual_seed(0)
    assert torch.equal(baseline.classify(baseline.embed(images)), logits)


def test_dropout_stands_behind_the_embeddings() -> None:
    model = CNN((1, 8, 8), 3, dense=(16,), block_dropout=0.0, dense_dropout=0.5)
    images = torch.rand(6, 1, 8, 8)
    assert torch.equal(model.embed(images), model.embed(images))
    assert not torch.equal(model(images), model(images))


def test_embeddings_are_what_the_last_layer_maps() -> None:
    model = CNN((1, 8, 8), 3, dense=(16,)).eval()
    embeddings = model.embed(torch.rand(6, 1, 8, 8))
    expected = embeddings @ model.output.weight.T + model.output.bias
    torch.testing.assert_close(model.classify(embeddings), expected)


@pytest.mark.parametrize(
    ("shape", "padding", "features"),
    [
        ((1, 28, 28), 0, 64 * 8 * 8),
        ((3, 14, 14), 0, 64 * 1 * 1),
        ((1, 13, 13), 1, 64 * 6 * 6),
        ((1, 8, 8), 1, 64 * 4 * 4),
        ((3, 32, 20), 0, 64 * 10 * 4),
        ((1, 64, 8), 1, 64 * 32 * 4),
        ((1, 2, 2), 1, 64 * 1 * 1),
    ],
)
def test_images_that_are_too_small_are_padded(
    shape: tuple[int, int, int], padding: int, features: int
) -> None:
    model = CNN(shape, 10)
    convolutions = of_type(model, nn.Conv2d)
    assert {c.padding for c in convolutions} == {(padding, padding)}
    met = layers_of(model, torch.rand(2, *shape))
    assert [o.shape for layer, o in met if isinstance(layer, PixelFlatten)] == [(2, features)]


def test_padding_can_be_asked_for() -> None:
    model = CNN((3, 32, 32), 10, padding=1)
    met = layers_of(model, torch.rand(2, 3, 32, 32))
    maps = [o.shape[-1] for layer, o in met if isinstance(layer, nn.Conv2d | nn.MaxPool2d)]
    assert maps == [32, 32, 16, 16, 16]


def test_other_widths_are_other_layers() -> None:
    model = CNN((1, 12, 12), 4, filters=((5,), (6, 7)), dense=(9, 8), padding=0)
    convolutions = 5 * 9 + 5, 6 * 5 * 9 + 6, 7 * 6 * 9 + 7  # maps 10, pooled 5, 3, 1
    linear = 7 * 9 + 9, 9 * 8 + 8, 8 * 4 + 4
    norms = 2 * (5 + 6 + 7 + 9 + 8)
    assert trainable(model) == sum(convolutions) + sum(linear) + norms
    assert model.eval().embed(torch.rand(2, 1, 12, 12)).shape == (2, 8)


def test_every_hidden_dense_layer_has_its_dropout() -> None:
    model = CNN((1, 12, 12), 4, filters=((5,),), dense=(9, 8, 7), dense_dropout=0.3)
    met = [layer for layer, _ in layers_of(model, torch.rand(2, 1, 12, 12))]
    names = [type(layer).__name__ for layer in met]
    dense = ["Linear", "ReLU", "BatchNorm1d", "ByteDropout"] * 3 + ["Linear"]
    assert names[names.index("PixelFlatten") + 1 :] == dense
    assert [layer.p for layer in met if isinstance(layer, nn.Dropout)] == [0.25, 0.3, 0.3, 0.3]


def test_without_dense_layers_the_embeddings_are_the_feature_maps() -> None:
    model = CNN((1, 12, 12), 4, filters=((5,),), dense=())
    images = torch.rand(2, 1, 12, 12)
    assert model.eval().embed(images).shape == (2, 5 * 10 * 10)
    model.train()
    torch.manual_seed(0)
    embeddings = model.embed(images)
    assert torch.equal(model.classify(embeddings), model.output(embeddings))  # no dropout between


def test_batch_norm_can_be_left_out() -> None:
    with_norm, without = CNN((1, 8, 8), 3), CNN((1, 8, 8), 3, batch_norm=False)
    assert not of_type(without, nn.BatchNorm1d, nn.BatchNorm2d)
    assert trainable(with_norm) - trainable(without) == 2 * (32 + 32 + 64 + 64 + 512)
    assert len(of_type(without, nn.ReLU)) == len(of_type(with_norm, nn.ReLU)) == 5


@pytest.mark.parametrize("batch_norm", [False, True])
def test_every_parameter_is_trained(batch_norm: bool) -> None:
    torch.manual_seed(0)
    model = CNN((1, 8, 8), 3, filters=((4, 4), (6,)), dense=(8,), batch_norm=batch_norm)
    loss = nn.functional.cross_entropy(model(torch.rand(16, 1, 8, 8)), torch.arange(16) % 3)
    gradients = torch.autograd.grad(loss, list(model.parameters()))
    assert all(g.isfinite().all() and g.any() for g in gradients)


@pytest.mark.parametrize(
    ("shape", "arguments", "message"),
    [
        ((1, 3, 3), {"filters": ((4,), (4,), (4,))}, "Images of 3 x 3"),
        ((1, 32, 1), {}, "Images of 32 x 1 are too small"),
        ((3, 8, 8), {"padding": 0}, "Images of 8 x 8 .* padding 0"),
        ((3, 32, 13), {"padding": 0}, "Images of 32 x 13 .* padding 0"),
    ],
)
def test_images_that_leave_no_pixel_are_an_error(
    shape: tuple[int, int, int], arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=rf"{message}.*Take fewer layers"):
        CNN(shape, 10, **arguments)


def test_the_error_does_not_blame_poolings_that_are_not_there() -> None:
    with pytest.raises(UsageError) as error:
        CNN((1, 8, 8), 10, filters=((4, 4, 4, 4),), padding=0)
    assert "0 poolings" not in str(error.value)


def test_the_error_does_not_advise_what_was_tried() -> None:
    with pytest.raises(UsageError) as error:
        CNN((1, 1, 1), 10, padding="auto")
    assert "padding=auto" not in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"filters": ()}, r"model\.filters must be a list of blocks"),
        ({"filters": (32, 64)}, r"model\.filters must be a list of blocks .*not \(32, 64\)"),
        ({"filters": ((32,), ())}, r"model\.filters must be a list of blocks"),
        ({"filters": ((32, 0),)}, r"model\.filters must be positive"),
        ({"filters": ((32.5,),)}, r"model\.filters must be positive whole numbers"),
        ({"dense": 512}, r"model\.dense must be a list of positive whole numbers such as \[512\]"),
        ({"dense": (512, 0)}, r"model\.dense must be a list .*, not \(512, 0\)"),
        ({"block_dropout": 1.0}, r"model.block_dropout must be in \[0, 1\).*1\.0"),
        ({"dense_dropout": -0.1}, r"model.dense_dropout must be in \[0, 1\).*-0\.1"),
        ({"padding": 2}, r"model\.padding must be 0, 1 or .auto., not 2"),
        ({"padding": "same"}, r"model\.padding must be 0, 1 or .auto., not 'same'"),
    ],
)
def test_arguments_out_of_range_are_errors(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        CNN((3, 32, 32), 10, **arguments)


def test_for_evaluation_it_is_the_same_function() -> None:
    torch.manual_seed(0)
    model, images = CNN((1, 28, 28), 10), torch.rand(40, 1, 28, 28)
    model(images)  # a pass of training moves the running statistics
    quick = model.eval().for_evaluation()
    torch.testing.assert_close(quick.embed(images), model.embed(images), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(quick(images), model(images), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"batch_norm": False},
        {"block_dropout": 0.0},
        {"dense": (16, 8), "filters": ((4,), (5, 6), (7,)), "padding": 1},
        {"dense": ()},
    ],
)
def test_for_sampling_it_is_the_same_function_under_the_same_masks(
    arguments: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    model, images = CNN((1, 28, 28), 10, **arguments), torch.rand(40, 1, 28, 28)
    model(images)  # a pass of training moves the running statistics
    model.eval()
    quick = model.for_sampling()
    assert isinstance(quick, Stemmed)
    drawn = count()
    # By the order in which they are called; names of the modules differ.
    monkeypatch.setattr(fixed_masks, "derive_generator", lambda *_: seeded(next(drawn)))
    outputs = []
    for network in (model, quick):
        drawn = count()
        with FixedMasks(network, 0) as masks, torch.no_grad():
            for sample in (None, 0, 1):
                masks.choose(sample)
                outputs.append(network(images))
                assert masks.used
    for expected, found in zip(outputs[:3], outputs[3:], strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    assert not torch.equal(outputs[0], outputs[1])
    assert not torch.equal(outputs[1], outputs[2])


def test_for_sampling_the_stem_has_no_dropout() -> None:
    quick = CNN((1, 28, 28), 10).for_sampling()
    assert isinstance(quick, Stemmed)
    assert not of_type(quick.stem, nn.Dropout)
    assert isinstance(next(quick.features.children()), nn.Dropout)


def test_for_evaluation_a_subclass_is_itself() -> None:
    class Cooled(CNN):
        def classify(self, embeddings: Tensor) -> Tensor:
            return super().classify(embeddings) / 2

    model = Cooled((1, 8, 8), 3)
    assert model.for_evaluation() is model
    assert model.for_sampling() is model


def _hook(model: CNN) -> None:
    layer = model.features[0]
    layer.register_forward_hook(lambda module, inputs, output: output * 2)


def _other_layer(model: CNN) -> None:
    class Noise(nn.Dropout):
        def forward(self, input: Tensor) -> Tensor:  # noqa: A002
            return input + 1

    model.features[4] = Noise(0.5)


def _attribute(model: CNN) -> None:
    model.features[1].forward = torch.sigmoid


def _own_embed(model: CNN) -> None:
    model.embed = lambda images: model.features(images) * 3  # type: ignore[method-assign]


def _added_layer(model: CNN) -> None:
    model.features.append(nn.Softmax(1))


def _pruned(model: CNN) -> None:
    prune.l1_unstructured(model.features[0], "weight", amount=0.5)  # type: ignore[no-untyped-call]


CHANGES: dict[str, Callable[[CNN], Any]] = {
    "hook": _hook,
    "other layer": _other_layer,
    "attribute": _attribute,
    "own embed": _own_embed,
    "added layer": _added_layer,
    "prune": _pruned,
    "spectral norm by hooks": lambda model: spectral_norm(model.features[0]),
    "parametrization": lambda model: parametrizations.weight_norm(model.features[0]),
    "setting": lambda model: setattr(model.features[2], "eps", 0.1),
}


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_for_evaluation_what_a_person_has_changed_counts(change: str) -> None:
    torch.manual_seed(0)
    model = CNN((1, 8, 8), 3, filters=((4,), (6,)), dense=(5,)).eval()
    images = torch.rand(4, 1, 8, 8)
    folded = model.for_evaluation()
    assert folded is not model
    CHANGES[change](model)
    assert model.for_sampling() is model
    quick = model.eval().for_evaluation()
    with torch.no_grad():
        torch.testing.assert_close(quick(images), model.classify(model.embed(images)))


def test_for_evaluation_a_copy_is_as_made() -> None:
    model = deepcopy(CNN((1, 8, 8), 3)).to(memory_format=torch.channels_last).train()
    assert model.for_evaluation() is not model
