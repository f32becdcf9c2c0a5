from functools import partial
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from al_lightning.data.datamodule import PoolDataModule
from al_lightning.models import ImageClassifier, PretrainedBackbone
from al_lightning.models.backbone import require_logits
from al_lightning.models.pretrained.modes import input_size
from al_lightning.models.pretrained.trunk import Trunk, batch_norms
from al_lightning.run.pool import Pool
from al_lightning.training.fitting import fit_watched
from al_lightning.training.recipe import one_cycle
from al_lightning.utils.errors import UsageError
from tests.helpers import TinySource, tiny_trainer
from tests.models.zoo import NORMALIZATION, tiny_network, tiny_pretrained

MODES = ("finetune", "last_block", "linear")


def trained_names(mode: str) -> set[str]:
    backbone = tiny_pretrained(mode=mode)
    return {name for name, weight in backbone.named_parameters() if weight.requires_grad}


def test_each_mode_trains_its_part() -> None:
    head = {"head.weight", "head.bias"}
    everything = {name for name, _ in tiny_pretrained().named_parameters()}
    assert trained_names("linear") == head
    assert trained_names("finetune") == everything
    assert trained_names("last_block") == head | {n for n in everything if n.startswith("trunk.2")}


def test_grey_and_colored_images_of_any_size_are_looked_at() -> None:
    backbone = tiny_pretrained(image_size=12).eval()
    grey = torch.rand(2, 1, 8, 8)
    assert torch.equal(backbone.embed(grey), backbone.embed(grey.expand(-1, 3, -1, -1)))
    resized = F.interpolate(grey, size=(12, 12), mode="bilinear", antialias=True)
    torch.testing.assert_close(
        backbone.embed(grey), tiny_network().eval()(resized.expand(-1, 3, -1, -1))
    )
    require_logits(ImageClassifier(backbone, 3), (1, 8, 8), 3)
    require_logits(ImageClassifier(tiny_pretrained(), 3), (3, 9, 20), 3)


def test_embeddings_are_taken_for_what_they_are() -> None:
    embeddings = torch.rand(5, 6)
    assert tiny_pretrained().embed(embeddings) is embeddings


def test_dropout_stands_behind_the_embeddings() -> None:
    assert tiny_pretrained().dropout.p == 0.25  # the architecture's own
    backbone = tiny_pretrained(mode="linear", dropout=0.5).train()
    images = torch.rand(2, 3, 8, 8)
    embeddings = backbone.embed(images)
    assert torch.equal(embeddings, backbone.embed(images))
    assert not torch.equal(backbone.classify(embeddings), backbone.classify(embeddings))


@pytest.mark.parametrize("mode", MODES)
def test_what_does_not_train_stays_in_evaluation_mode(mode: str) -> None:
    backbone = tiny_pretrained(mode=mode)
    for module in (backbone, backbone.eval().train()):
        assert module.training
        assert module.head.training
        assert not any(part.training for part in batch_norms(module.trunk))
        still = {name for name, part in module.trunk.named_modules() if not part.training}
        assert {"0.1", "2.1"} <= still
        assert ("0.0" in still) == (mode != "finetune")
        assert ("2.0" in still) == (mode == "linear")
    assert not any(part.training for part in backbone.eval().modules())


def test_batch_norm_trains_where_it_is_asked_to_or_nothing_is_pretrained() -> None:
    for backbone in (tiny_pretrained(freeze_batch_norm=False), tiny_pretrained(pretrained=False)):
        assert all(part.training for part in batch_norms(backbone.trunk))


def test_the_data_set_normalises_for_random_weights() -> None:
    assert tiny_pretrained().normalization == NORMALIZATION
    assert tiny_pretrained(pretrained=False).normalization is None


def fitted(classifier: ImageClassifier) -> ImageClassifier:
    datamodule = PoolDataModule(TinySource(), batch_size=8)
    ids = torch.arange(24)
    datamodule.serve(NORMALIZATION)
    datamodule.begin_round(Pool(60).reveal(ids, datamodule.data.train.labels[:24]), 0)
    fit_watched(tiny_trainer(max_steps=4), classifier, datamodule, 0, 0)
    return classifier


@pytest.mark.parametrize("mode", MODES)
def test_a_fit_moves_what_the_mode_says_and_nothing_else(mode: str) -> None:
    start, backbone = tiny_pretrained(mode=mode), tiny_pretrained(mode=mode)
    start.load_state_dict(backbone.state_dict())
    classifier = fitted(ImageClassifier(backbone, 3, partial(torch.optim.AdamW, lr=0.01)))
    before, after = start.state_dict(), backbone.state_dict()
    moved = {name for name in after if not torch.equal(before[name], after[name])}
    assert moved <= trained_names(mode)
    assert moved >= {
        n for n in trained_names(mode) if after[n].ndim > 1
    }  # biases may be of dead ReLUs
    optimizer = classifier.trainer.optimizers[0]
    states = {id(weight) for weight in optimizer.state}
    assert states == {id(w) for w in backbone.parameters() if w.requires_grad}
    assert all(w.grad is None for w in backbone.parameters() if not w.requires_grad)


def test_the_trunk_learns_at_a_lower_rate_and_the_schedule_keeps_to_it() -> None:
    peaks: list[list[float]] = []

    def schedule(optimizer: torch.optim.Optimizer, total_steps: int) -> Any:
        scheduler = one_cycle(optimizer, total_steps)
        peaks.append([group["max_lr"] for group in optimizer.param_groups])
        return scheduler

    optimizer = partial(torch.optim.AdamW, lr=0.01)
    classifier = ImageClassifier(tiny_pretrained(backbone_lr_factor=0.2), 3, optimizer, schedule)
    classifier.lr_factor = 0.5
    fitted(classifier)
    assert peaks == [pytest.approx([0.005, 0.005, 0.001, 0.001])]  # weights, biases; the trunk


def test_only_frozen_weights_are_given_again_by_making_the_backbone() -> None:
    assert tiny_pretrained(mode="finetune").pretrained_names() == frozenset()
    assert tiny_pretrained(mode="linear", pretrained=False).pretrained_names() == frozenset()
    linear = tiny_pretrained(mode="linear")
    assert linear.state_dict().keys() - linear.pretrained_names() == {"head.weight", "head.bias"}
    block = tiny_pretrained(mode="last_block")
    kept = block.state_dict().keys() - block.pretrained_names()
    assert {name.split(".")[1] for name in kept if name.startswith("trunk")} == {"2"}
    assert "trunk.2.1.running_mean" in kept


def test_digests_and_facts_follow_the_weights() -> None:
    one, again, other = tiny_pretrained(0), tiny_pretrained(0), tiny_pretrained(1)
    assert one.pretrained_digest() == again.pretrained_digest() != other.pretrained_digest()
    assert tiny_pretrained(pretrained=False).pretrained_digest() is None
    assert one.embedding_facts() == again.embedding_facts() != other.embedding_facts()
    assert one.embedding_facts() != tiny_pretrained(image_size=12).embedding_facts()
    assert one.embedding_facts()["features"] == 6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"mode": "frozen"},
            "model.mode must be one of finetune, last_block, linear, not 'frozen'",
        ),
        ({"image_size": 0}, "model.image_size must be a whole number"),
        ({"image_size": "big"}, "model.image_size must be a whole number"),
        ({"dropout": 1.0}, "model.dropout must be in"),
        (
            {"backbone_lr_factor": 0.0},
            "model.backbone_lr_factor must be above 0, .* model.mode=linear",
        ),
        ({"shape": (4, 8, 8)}, "grey or RGB images, not 4 channels: take model=cnn"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_arguments_out_of_range_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        tiny_pretrained(**options)


def test_a_frozen_backbone_samples_nothing_but_its_head() -> None:
    backbone = tiny_pretrained(mode="linear").eval()
    for part in backbone.modules():
        if isinstance(part, nn.Dropout):
            part.train()  # as Monte-Carlo dropout does
    images = torch.rand(2, 3, 8, 8)
    assert torch.equal(backbone.embed(images), backbone.embed(images))


@pytest.mark.parametrize(
    ("image_size", "mode", "own_size", "expected"),
    [
        ("auto", "linear", 224, 224),
        ("auto", "finetune", 224, 96),
        ("auto", "last_block", 224, 96),
        ("auto", "linear", None, 96),
        (64, "linear", 224, 64),
        (None, "linear", 224, None),
    ],
)
def test_the_size_that_auto_stands_for(
    image_size: int | str | None, mode: str, own_size: int | None, expected: int | None
) -> None:
    assert input_size(image_size, mode, own_size) == expected


def test_a_trunk_takes_its_size_before_it_is_frozen() -> None:
    """Networks of one size get new parameters for another one."""
    sizes = []

    def take_size(network: nn.Module, size: int) -> None:
        sizes.append(size)
        for name, weight in [*network.named_parameters()]:
            parent, _, last = name.rpartition(".")
            setattr(network.get_submodule(parent), last, nn.Parameter(weight.detach()))

    trunk = Trunk(tiny_network(), 6, "tests 1", True, NORMALIZATION, take_size=take_size)
    backbone = PretrainedBackbone(trunk, (1, 8, 8), 3, mode="linear", image_size=12)
    assert sizes == [12]
    assert not any(weight.requires_grad for weight in backbone.trunk.parameters())
    assert len(backbone.pretrained_names()) == len(backbone.trunk.state_dict())
