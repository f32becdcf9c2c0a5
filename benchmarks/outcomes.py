"""What runs must end with however they came to it; a part of fault_injection.py."""

from pathlib import Path
from typing import Any

import torch
from journals import comparable
from kill_test import journal_of

WHOLE: list[Path] = []  # the folder of the undisturbed run


def weights_of(folder: Path) -> dict[str, Any]:
    """Return the last checkpoint of a run."""
    content: dict[str, Any] = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    return content


def outcome(folder: Path) -> dict[str, Any]:
    """Return what must be the same however a run came to it."""
    journal = journal_of(folder)
    if journal is None:
        return {}
    run = journal.path.parent
    weights = weights_of(run)
    folders = (".hydra", "queries", "predictions", "agreement")
    files = [path for name in folders for path in run.glob(f"{name}/*")]
    return {
        "journal": comparable(journal.events),
        "identity": weights["al_lightning"]["identity"],
        "weights": {name: value.tolist() for name, value in weights["state_dict"].items()},
        "files": {f"{p.parent.name}/{p.name}": _content(p, folder, *WHOLE) for p in files},
        "left behind": sorted(str(p.relative_to(run)) for p in run.rglob("*.partial")),
    }


def _content(path: Path, *folders: Path) -> bytes:
    """Return the content of a file without the folder that its run was in, or began in."""
    content = path.read_bytes()
    for folder in folders:
        content = content.replace(bytes(folder), b"")
    return content


def differences(found: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """Return what differs from the undisturbed run."""
    names = [name for name in expected if found.get(name) != expected[name] and name != "files"]
    files, wanted = found.get("files", {}), expected["files"]
    names += [n for n in sorted({*files, *wanted}) if files.get(n) != wanted.get(n)]
    return [f"{name} differs" for name in names]
