"""What is checked before Hydra makes a folder."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf, open_dict, read_write
from omegaconf.errors import OmegaConfBaseException

from al_lightning.cli.choices import require_single_choices
from al_lightning.cli.configuration import before_a_job
from al_lightning.cli.failures import without_resolver
from al_lightning.cli.paths import absolute
from al_lightning.cli.projects import require_project_name
from al_lightning.cli.sweep_checks import require_sweep
from al_lightning.run.keys import NOT_RECORDED
from al_lightning.utils.errors import UsageError
from al_lightning.utils.redaction import redacted

_FAILURE = 1  # exit status


class PreflightCheck(Callback):
    """Refuses what no run can be made of, and keeps secrets out of what Hydra writes.

    Hydra makes it in the process that was started, and calls it first.
    """

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:  # noqa: ARG002
        """Check a single run."""
        _check(config, "run")

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:  # noqa: ARG002
        """Check a sweep, and take secrets out of what becomes its ``multirun.yaml``.

        Hydra composes every job's configuration again; of this one, it needs only its own part.
        """
        _check(config, "sweep")
        with _refusals_shown():
            require_sweep(config)
        plain: Any = OmegaConf.to_container(config)
        with read_write(config), open_dict(config):
            config.hydra.job.env_set = {}
            config.hydra.overrides.task = given = redacted(plain["hydra"]["overrides"]["task"])
            config.hydra.job.override_dirname = ",".join(given)
            for key in plain.keys() - {"hydra"}:
                config[key] = None if key in NOT_RECORDED else redacted(plain[key])


def _check(config: DictConfig, kind: str) -> None:
    given: Any = OmegaConf.to_container(config.hydra.overrides.task)
    with _refusals_shown():
        _require_hydras_groups(config)
        require_single_choices(config.hydra.runtime.choices, given)
        _check_output_root(str(config.output_root))
        require_project_name(config.project)
        _check_folder(config, kind)
        place = OmegaConf.select(config, "dataset.path", throw_on_missing=False)
        require_images_apart(place, str(config.output_root))


def _require_hydras_groups(config: DictConfig) -> None:
    for group in ("launcher", "sweeper"):
        if not isinstance(config.hydra[group], DictConfig):
            raise UsageError(
                f"hydra.{group}={config.hydra[group]}: write hydra/{group}={config.hydra[group]}"
            )


@contextmanager
def _refusals_shown() -> Iterator[None]:
    """Leave with a message: anything else that a callback raises becomes a warning."""
    try:
        yield
    except OmegaConfBaseException as error:
        _leave(without_resolver(error))
    except (UsageError, OSError) as error:
        _leave(str(error))


def _leave(message: str) -> NoReturn:
    print(f"Error: {message}", file=sys.stderr)  # noqa: T201
    sys.exit(_FAILURE)


def require_images_apart(place: object, output_root: str) -> None:
    """Refuse images that are nowhere, and runs among folders that are read as classes.

    Args:
        place: ``dataset.path``; None where there is none.
        output_root: The folder of the runs.

    Raises:
        UsageError: If the path is empty, or has the folder of the runs in it.
    """
    if place is None:
        return
    if not str(place).strip():
        raise UsageError("dataset.path is empty: name the folder or the table of the images")
    images, root = Path(absolute(str(place), Path.cwd())), Path(absolute(output_root, Path.cwd()))
    if not images.is_dir() or (images / "train").is_dir() or not root.is_relative_to(images):
        return
    if not str(root.relative_to(images) / "x").startswith("."):  # what is hidden is no class
        raise UsageError(
            f"output_root={output_root} is in the folder of the images, {images}, whose folders are "
            "read as classes: set it to a folder elsewhere, such as output_root=../outputs"
        )


def _check_output_root(output_root: str) -> None:
    """Refuse a folder in which no run's folder can be made; Hydra would show a traceback."""
    if (why := _why_not_made(output_root)) is not None:
        raise UsageError(f"{why}: set output_root to a folder for the runs")


def _check_folder(config: DictConfig, kind: str) -> None:
    """Refuse a folder that Hydra could not make, such as where a file is in the way."""
    with before_a_job(config):
        folder = str(config.hydra[kind].dir)
    if (why := _why_not_made(folder)) is not None:
        raise UsageError(
            f"{why}: give it another place or a shorter name, by output_root, project, names or "
            f"hydra.{kind}.dir"
        )


def _why_not_made(folder: str) -> str | None:
    """Return why a folder can be neither made nor written; None if it can."""
    path = Path(os.path.expanduser(folder)).absolute()  # noqa: PTH111 - fails for no ~user
    try:
        there = next(each for each in (path, *path.parents) if _is_there(each))
        if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
            return f"{there} {'cannot be written' if there.is_dir() else 'is no folder'}"
        # A full disk shows here, and not inside of Hydra.
        with TemporaryDirectory(dir=there) as made:
            for name in path.relative_to(there).parts:
                _is_there(Path(made) / name)  # raises if it is too long
    except OSError as error:
        return f"No folder can be made for {path}: {error.strerror}"
    return None


def _is_there(path: Path) -> bool:
    """Return whether there is something, if only a link to nothing."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True
