"""What is checked before Hydra makes a folder."""

import os
import sys
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf, open_dict, read_write
from omegaconf.errors import OmegaConfBaseException

from al_lightning.cli.choices import require_single_choices
from al_lightning.cli.paths import absolute
from al_lightning.run.keys import NOT_RECORDED
from al_lightning.utils.errors import UsageError
from al_lightning.utils.redaction import redacted

_FAILURE = 1  # exit status


class Door(Callback):
    """Refuses what no run can be made of, and keeps secrets out of what Hydra writes.

    Hydra makes it in the process that was started, and calls it first.
    """

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:  # noqa: ARG002
        """Check a single run."""
        _check(config)

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:  # noqa: ARG002
        """Check a sweep, and take secrets out of what becomes its ``multirun.yaml``.

        Hydra composes every job's configuration again; of this one, it needs only its own part.
        """
        _check(config)
        plain: Any = OmegaConf.to_container(config)
        with read_write(config), open_dict(config):
            config.hydra.job.env_set = {}
            config.hydra.overrides.task = given = redacted(plain["hydra"]["overrides"]["task"])
            config.hydra.job.override_dirname = ",".join(given)
            for key in plain.keys() - {"hydra"}:
                config[key] = None if key in NOT_RECORDED else redacted(plain[key])


def _check(config: DictConfig) -> None:
    """Leave with a message: anything else that a callback raises becomes a warning."""
    given: Any = OmegaConf.to_container(config.hydra.overrides.task)
    try:
        require_single_choices(config.hydra.runtime.choices, given)
        _check_output_root(str(config.output_root))
        place = OmegaConf.select(config, "dataset.path", throw_on_missing=False)
        require_images_apart(place, str(config.output_root))
    except (UsageError, OmegaConfBaseException, OSError) as error:
        print(f"Error: {error}", file=sys.stderr)  # noqa: T201
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
    root = Path(os.path.expanduser(output_root)).absolute()  # noqa: PTH111 - fails for no ~user
    try:
        there = next(path for path in (root, *root.parents) if path.exists())
        if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
            what = f"{there} {'cannot be written' if there.is_dir() else 'is no folder'}"
        else:
            Path(mkdtemp(dir=there)).rmdir()  # a full disk shows here, and not inside of Hydra
            return
    except OSError as error:
        what = f"No folder can be made for {root}: {error.strerror}"
    raise UsageError(f"{what}: set output_root to a folder for the runs")
