"""The projects of persons who label: their names, and others that have the same images."""

import json
import re
from pathlib import Path

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from al_lightning.cli.paths import is_file
from al_lightning.utils.errors import UsageError

AUTO = "auto"


def project_of(cfg: DictConfig, *, is_sweep: bool) -> str | None:
    """Return the name of the project of a configuration: as given, or after the folder of its images.

    The runs of a sweep are no projects.

    Args:
        cfg: Composed.
        is_sweep: Whether this is a job of a sweep.
    """
    if cfg.project != AUTO:
        return None if cfg.project is None else str(cfg.project)
    if is_sweep:
        return None
    place = OmegaConf.select(cfg, "dataset.path", throw_on_missing=False)
    name = str(cfg.names.dataset)
    if place is not None:
        path = Path(str(place)).expanduser().absolute()
        name = path.parent.name if is_file(path) else path.name
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "images"


def require_project_name(name: object) -> None:
    """Refuse a project that is no name; None is none.

    Raises:
        UsageError: If it is something else.
    """
    if name is not None and not re.fullmatch(r"[\w.-]*\w[\w.-]*", str(name)):
        raise UsageError(
            f"project must be a name of letters, digits, '.', '-' and '_', not {name!r}"
        )


def others_with(path: str | None, project: Path) -> list[str]:
    """Return the other projects that label the images of a folder or a table, by name.

    Args:
        path: ``dataset.path``; None where there is none.
        project: The folder of the project that begins.
    """
    if path is None:
        return []
    journals = project.parent.glob("*/journal.jsonl")
    return sorted(
        journal.parent.name
        for journal in journals
        if journal.parent != project and _labels(journal, Path(path))
    )


def _labels(journal: Path, images: Path) -> bool:
    """Return whether the project of a journal is one of these images."""
    try:
        with journal.open(encoding="utf-8") as lines:
            path = json.loads(lines.readline())["config"]["dataset"]["path"]
            for event in (json.loads(line) for line in lines if '"dataset.path"' in line):
                path = event["to"] if event.get("key") == "dataset.path" else path
        # A relative path is recorded as it was written.
        return (_working_folder(journal.parent) / str(path)).resolve() == images.resolve()
    except (OSError, ValueError, KeyError, TypeError):  # no project, or one of other images
        return False


def _working_folder(project: Path) -> Path:
    """Return where the last command of a project was run; the folder of now if that is not known."""
    try:
        return Path(OmegaConf.load(project / ".hydra" / "hydra.yaml").hydra.runtime.cwd)
    except (OSError, ValueError, TypeError, AttributeError, YAMLError, OmegaConfBaseException):
        return Path()
