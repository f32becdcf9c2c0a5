"""YAML files of one's own that Hydra cannot compose, where Hydra says neither which nor why."""

import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

from omegaconf import OmegaConf
from yaml import YAMLError

from al_lightning.cli.typos import config_dirs

_COMPOSE = ("hydra._internal.config_", "hydra._internal.defaults_list", "omegaconf.", "yaml.")


def is_of_composing(error: BaseException) -> bool:
    """Return whether an error was raised while Hydra read or composed YAML files."""
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_globals.get("__name__", "").startswith(_COMPOSE) for frame, _ in frames)


def why_not_composed(error: Exception, arguments: Sequence[str]) -> str:
    """Return what an error says; of files that could not be composed, also which these are.

    Args:
        error: What Python has raised.
        arguments: Of the command line, which names their folders.
    """
    if type(error) is ValueError or not is_of_composing(error):  # which says it
        return str(error)
    paths = [path for folder in config_dirs(arguments) for path in sorted(folder.rglob("*.yaml"))]
    if troubles := [trouble for path in paths for trouble in _troubles(path)]:
        return "\n".join(troubles)
    if isinstance(error, RecursionError):
        return "A YAML file includes itself: look at its defaults, and at theirs"
    return str(error)


def _troubles(path: Path) -> Iterator[str]:
    try:
        OmegaConf.load(path)
    except UnicodeDecodeError:
        yield f"{path} is not in UTF-8: save it as UTF-8"
    except RecursionError:
        yield f"{path} is nested too deeply"
    except YAMLError as error:
        yield f"{path} is no YAML: {error}"
    except OSError as error:
        yield f"{path} {f'cannot be read: {error.strerror}' if error.strerror else 'holds no keys'}"
