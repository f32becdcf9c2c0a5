import io
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from al_lightning.models import ImageClassifier
from al_lightning.models.flatten import PixelFlatten
from al_lightning.training.checkpoint import Checkpoint
from al_lightning.utils.errors import UsageError
from tests.helpers import Linear, same_weights, tiny_classifier, tiny_cnn

FACTS = {"seconds": 1.5, "steps": 20}


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    return Checkpoint(tmp_path / "checkpoints" / "last.ckpt")


def assert_unusable(checkpoint: Checkpoint) -> None:
    classifier = tiny_classifier(seed=2)
    with pytest.warns(UserWarning, match=r"last\.ckpt cannot be used .* fitted again"):
        assert checkpoint.load(classifier, "one") is None
    assert same_weights(classifier, tiny_classifier(seed=2))


def saved_bytes(content: Any) -> bytes:
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


def test_what_was_saved_is_loaded(checkpoint: Checkpoint) -> None:
    saved, loaded = tiny_classifier(seed=1), tiny_classifier(seed=2)
    saved.backbone(torch.rand(8, 1, 8, 8))  # moves the running statistics too
    checkpoint.save(saved, "one", FACTS)
    assert not same_weights(loaded, saved)
    assert checkpoint.load(loaded, "one") == FACTS
    assert same_weights(loaded, saved)


def test_no_file_is_nothing_loaded(checkpoint: Checkpoint) -> None:
    classifier = tiny_classifier(seed=2)
    assert checkpoint.load(classifier, "one") is None
    assert same_weights(classifier, tiny_classifier(seed=2))


@pytest.mark.filterwarnings("error")
def test_another_identity_is_not_loaded(checkpoint: Checkpoint) -> None:
    checkpoint.save(tiny_classifier(seed=1), "one", FACTS)
    classifier = tiny_classifier(seed=2)
    assert checkpoint.load(classifier, "two") is None
    assert same_weights(classifier, tiny_classifier(seed=2))


def test_the_last_save_counts(checkpoint: Checkpoint) -> None:
    checkpoint.save(tiny_classifier(seed=1), "one", FACTS)
    checkpoint.save(tiny_classifier(seed=3), "two", {})
    classifier = tiny_classifier(seed=2)
    assert checkpoint.load(classifier, "one") is None
    assert checkpoint.load(classifier, "two") == {}
    assert same_weights(classifier, tiny_classifier(seed=3))


def test_torch_loads_it_without_pickled_code(checkpoint: Checkpoint) -> None:
    checkpoint.save(tiny_classifier(seed=1), "one", FACTS)
    content = torch.load(checkpoint.path, weights_only=True)
    assert content["state_dict"].keys() == tiny_classifier().state_dict().keys()


def test_lightning_loads_it(checkpoint: Checkpoint) -> None:
    saved = tiny_classifier(seed=1)
    checkpoint.save(saved, "one", FACTS)
    loaded = ImageClassifier.load_from_checkpoint(
        checkpoint.path, backbone=tiny_cnn(), num_classes=3
    )
    assert same_weights(loaded, saved)


def test_a_truncated_file_is_warned_of(checkpoint: Checkpoint) -> None:
    checkpoint.save(tiny_classifier(seed=1), "one", FACTS)
    whole = checkpoint.path.read_bytes()
    for size in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        checkpoint.path.write_bytes(whole[:size])
        assert_unusable(checkpoint)


@pytest.mark.parametrize("garbage", [b"garbage", b"0 garbage", b"e", b"J", b"\x00" * 64, b"h\x00."])
def test_garbage_is_warned_of(checkpoint: Checkpoint, garbage: bytes) -> None:
    checkpoint.path.parent.mkdir()
    checkpoint.path.write_bytes(garbage)
    assert_unusable(checkpoint)


def test_pickled_code_is_not_run(checkpoint: Checkpoint) -> None:
    checkpoint.path.parent.mkdir()
    checkpoint.path.write_bytes(saved_bytes({"al_lightning": Path("x")}))
    assert_unusable(checkpoint)
    checkpoint.path.write_bytes(pickle.dumps(print, protocol=2))
    assert_unusable(checkpoint)


@pytest.mark.parametrize(
    "content",
    [
        {},
        [],
        torch.zeros(2),
        {"al_lightning": None},
        {"al_lightning": {"identity": "one", "facts": {}}},
        {"al_lightning": {"identity": "one", "facts": {}}, "state_dict": [1]},
        {"al_lightning": {"identity": "one"}, "state_dict": tiny_classifier(1).state_dict()},
    ],
    ids=["empty", "list", "tensor", "none", "no weights", "weights are a list", "no facts"],
)
def test_a_foreign_file_is_warned_of(checkpoint: Checkpoint, content: Any) -> None:
    checkpoint.path.parent.mkdir()
    checkpoint.path.write_bytes(saved_bytes(content))
    assert_unusable(checkpoint)


@pytest.mark.parametrize(
    "other",
    [
        tiny_classifier(seed=1, dense=(7,)),
        tiny_classifier(seed=1, batch_norm=False),
        ImageClassifier(Linear(), 3),
    ],
    ids=["wider", "fewer layers", "another"],
)
def test_weights_of_another_network_are_warned_of(
    checkpoint: Checkpoint, other: ImageClassifier
) -> None:
    checkpoint.save(other, "one", FACTS)
    assert_unusable(checkpoint)


def test_a_save_that_fails_leaves_the_file_whole(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_halfway(content: Any, file: io.BufferedWriter) -> None:
        file.write(b"half")
        raise OSError("disk full")

    checkpoint.save(tiny_classifier(seed=1), "one", FACTS)
    monkeypatch.setattr(torch, "save", fail_halfway)
    with pytest.warns(UserWarning, match=r"could not be saved in .*last\.ckpt \(disk full\)"):
        checkpoint.save(tiny_classifier(seed=3), "two", {})
    classifier = tiny_classifier(seed=2)
    assert checkpoint.load(classifier, "one") == FACTS
    assert same_weights(classifier, tiny_classifier(seed=1))


def test_nothing_is_left_beside_the_file(checkpoint: Checkpoint) -> None:
    checkpoint.save(tiny_classifier(seed=1), "one", FACTS)
    checkpoint.save(tiny_classifier(seed=1), "two", FACTS)
    assert [path.name for path in checkpoint.path.parent.iterdir()] == ["last.ckpt"]


def test_a_flipped_bit_is_noticed(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "last.ckpt")
    checkpoint.save(tiny_classifier(seed=1), "one", FACTS)
    content = torch.load(checkpoint.path, weights_only=True)
    name = next(name for name, value in content["state_dict"].items() if value.is_floating_point())
    content["state_dict"][name].view(-1)[0] += 1e-3
    torch.save(content, checkpoint.path)
    with pytest.warns(UserWarning, match="cannot be used"):
        assert checkpoint.load(tiny_classifier(seed=2), "one") is None


def test_what_it_holds_can_be_read_whatever_its_identity(checkpoint: Checkpoint) -> None:
    saved, loaded = tiny_classifier(seed=1), tiny_classifier(seed=2)
    checkpoint.save(saved, "one", FACTS)
    held = checkpoint.read()
    assert (held.identity, held.facts) == ("one", FACTS)
    held.load_into(loaded)
    assert same_weights(loaded, saved)


def test_weights_are_not_loaded_into_another_network(checkpoint: Checkpoint) -> None:
    checkpoint.save(tiny_classifier(seed=1), "one", FACTS)
    other = tiny_classifier(seed=2, dense=(7,))
    with pytest.raises(ValueError, match="another model's"):
        checkpoint.read().load_into(other)
    assert same_weights(other, tiny_classifier(seed=2, dense=(7,)))


@pytest.mark.parametrize("content", [b"", b"garbage", saved_bytes({}), saved_bytes([1])])
def test_a_file_that_cannot_be_read_is_named(checkpoint: Checkpoint, content: bytes) -> None:
    checkpoint.path.parent.mkdir()
    checkpoint.path.write_bytes(content)
    with pytest.raises(
        UsageError, match=r"last\.ckpt cannot be used.*Restore it from a copy, or run"
    ):
        checkpoint.read()


def test_a_pipe_is_not_waited_for(checkpoint: Checkpoint) -> None:
    checkpoint.path.parent.mkdir()
    os.mkfifo(checkpoint.path)
    with pytest.raises(UsageError, match=r"last\.ckpt cannot be used"):
        checkpoint.read()
    assert not checkpoint.holds("one")


def test_a_flipped_bit_is_noticed_on_reading(checkpoint: Checkpoint) -> None:
    checkpoint.save(tiny_classifier(seed=1), "one", FACTS)
    content = torch.load(checkpoint.path, weights_only=True)
    content["state_dict"]["backbone.output.bias"][0] += 1e-3
    torch.save(content, checkpoint.path)
    with pytest.raises(UsageError, match="it is damaged"):
        checkpoint.read()


def test_weights_of_other_layers_of_the_same_shapes_are_not_loaded(checkpoint: Checkpoint) -> None:
    backbone = tiny_cnn()
    (place,) = [i for i, part in enumerate(backbone.features) if isinstance(part, PixelFlatten)]
    backbone.features[place] = torch.nn.Flatten()  # as the CNN once had it
    earlier = tiny_classifier()
    earlier.backbone = backbone
    checkpoint.save(earlier, "one", FACTS)
    assert_unusable(checkpoint)
    with pytest.raises(ValueError, match="other layers"):
        checkpoint.read().load_into(tiny_classifier())
