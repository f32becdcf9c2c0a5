import hashlib
import os
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import torch
from torch import nn

from al_lightning.models.pretrained.weights import (
    fetch_weights,
    load_weights,
    read_state_dict,
    require_choice,
    require_whole,
)
from al_lightning.utils.errors import UsageError
from tests.models.zoo import tiny_network

CONTENT = b"pretrained"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
NAME = f"tiny-{DIGEST[:8]}.pth"
URL = f"https://weights.invalid/models/{NAME}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where torch keeps downloaded weights."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    return tmp_path / "hub" / "checkpoints"


def test_weights_are_downloaded_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, str | None]] = []

    def download(url: str, path: str, prefix: str | None) -> None:
        calls.append((url, prefix))
        Path(path).write_bytes(CONTENT)

    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    assert [fetch_weights(URL, "tiny") for _ in range(2)] == [folder / NAME] * 2
    assert calls == [(URL, DIGEST[:8])]


@pytest.mark.parametrize(
    "error",
    [URLError("no route"), RuntimeError("invalid hash value"), TimeoutError("timed out")],
    ids=repr,
)
def test_weights_that_cannot_be_had_say_what_to_do(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(torch.hub, "download_url_to_file", fail)
    with pytest.raises(UsageError) as caught:
        fetch_weights(URL, "model.weights=DEFAULT of tiny")
    for part in (
        *("model.weights=DEFAULT of tiny", NAME, str(folder), "weights.invalid", str(error)),
        *("model.weights=<path", "model=cnn", "model.weights=null", "model=efficientnet_lite0"),
    ):
        assert part in str(caught.value)


def test_a_damaged_download_is_named_with_both_digests(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / NAME).write_bytes(CONTENT[:-1])
    found = hashlib.sha256(CONTENT[:-1]).hexdigest()[:8]
    with pytest.raises(UsageError, match=f"{NAME} is damaged: .*{found}.*{DIGEST[:8]}.*Remove it"):
        fetch_weights(URL, "tiny")


def test_a_name_without_a_digest_is_let_pass(tmp_path: Path) -> None:
    path = tmp_path / "own-weights.pth"
    path.write_bytes(CONTENT)
    require_whole(path, "")


def saved(path: Path, content: object) -> Path:
    torch.save(content, path)
    return path


def test_a_state_dict_is_read(tmp_path: Path) -> None:
    state = tiny_network().state_dict()
    read = read_state_dict(saved(tmp_path / "a.pth", state))
    assert read.keys() == state.keys()
    assert all(torch.equal(read[name], state[name]) for name in state)


class Evil:
    def __reduce__(self) -> Any:
        return os.system, ("echo owned",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (nn.Linear(2, 2), "cannot be read: it is damaged, or no file of weights"),
        (Evil(), "cannot be read: it is damaged, or no file of weights"),
        ([1, 2], "holds no plain state dict"),
        ({"epoch": 3}, "holds no plain state dict"),
    ],
    ids=["module", "code", "list", "other"],
)
def test_foreign_files_are_named(tmp_path: Path, content: object, message: str) -> None:
    path = saved(tmp_path / "a.pth", content)
    with pytest.raises(UsageError, match=f"a.pth {message}"):
        read_state_dict(path)


def test_damaged_and_missing_files_are_named(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.pth", tiny_network().state_dict())
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UsageError, match=r"a\.pth cannot be read: it is damaged"):
        read_state_dict(path)
    with pytest.raises(UsageError, match=r"b\.pth: there is no such file"):
        read_state_dict(tmp_path / "b.pth")


def test_weights_fit_a_network_without_its_old_head() -> None:
    state = {**tiny_network(1).state_dict(), "fc.weight": torch.zeros(1000, 6)}
    network = tiny_network(0)
    load_weights(network, state, Path("a.pth"), ("fc",))
    assert all(
        torch.equal(v, tiny_network(1).state_dict()[k]) for k, v in network.state_dict().items()
    )


def test_what_does_not_fit_is_named() -> None:
    state = tiny_network().state_dict()
    state["0.0.weight"] = torch.zeros(4, 1, 3, 3)
    for name in ("2.0.weight", "2.0.bias", "2.3.weight", "2.3.bias"):
        state[f"other.{name}"] = state.pop(name)
    with pytest.raises(UsageError) as caught:
        load_weights(tiny_network(), state, Path("a.pth"), ())
    assert str(caught.value) == (
        "a.pth holds the weights of another network: "
        "2.0.bias, 2.0.weight, 2.3.bias, and 1 more missing; "
        "other.2.0.bias, other.2.0.weight, other.2.3.bias, and 1 more unknown; "
        "0.0.weight of another shape"
    )


def test_a_choice_is_a_path_or_a_name_that_is_known(tmp_path: Path) -> None:
    assert require_choice("tiny", "a.pth", ["DEFAULT"]) == Path("a.pth")
    assert require_choice("tiny", "folder/a", ["DEFAULT"]) == Path("folder/a")
    with pytest.raises(
        UsageError,
        match=r"model\.weights=DEFAUT is unknown for tiny: expected one of DEFAULT, null, or",
    ):
        require_choice("tiny", "DEFAUT", ["DEFAULT"])
