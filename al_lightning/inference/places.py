"""Where the things of a run are: paths as its configuration has them, which may be relative."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from al_lightning.utils.errors import UsageError

_INTERPOLATION = re.compile(r"\$\{([^${}]*)\}")
_FROM_ENVIRONMENT = "oc.env:"
_PATHS = ("root", "path", "cache_dir", "output_root", "data_root")  # the last part of a key
_DEEPEST = 20  # interpolations in a value
_NO_PATH = re.compile(r"^$|://")


class Places:
    """Resolves the paths that a run has recorded.

    A run records where things are as it was typed, such as ``my_images`` or
    ``${oc.env:AL_LIGHTNING_DATA,data}``. Relative paths start from the folder that has the run's
    ``output_root`` in it, if the run is still there, so that runs and images can be moved together; or
    else from the working folder.

    >>> from pathlib import Path
    >>> from al_lightning.inference.places import Places
    >>> config = {"output_root": "outputs", "dataset": {"path": "images"}}
    >>> Places(config, Path("/home/ada/outputs/projects/birds")).of("dataset.path", "images")
    '/home/ada/images'

    Args:
        config: The recorded configuration.
        folder: The run's folder.
    """

    def __init__(self, config: Mapping[str, Any], folder: Path) -> None:
        self._config = config
        self._base = Path.cwd()
        folder = folder.absolute()
        root = Path(self._text("output_root", str(config.get("output_root", "outputs"))))
        holders = [parent for parent in folder.parents if folder.is_relative_to(parent / root)]
        if holders and not root.expanduser().is_absolute():
            self._base = holders[0]

    @property
    def outputs(self) -> Path:
        """The folder of all runs, which has their caches."""
        return Path(self.of("output_root", str(self._config.get("output_root", "outputs"))))

    def of(self, key: str, value: Any) -> Any:
        """Return a value of the configuration, with its interpolations resolved; paths are absolute.

        Args:
            key: Dotted.
            value: As recorded.

        Raises:
            UsageError: If it names a variable or a key that is not there.
        """
        if isinstance(value, Mapping):
            return {name: self.of(f"{key}.{name}", part) for name, part in value.items()}
        if not isinstance(value, str):
            return value
        text = self._text(key, value)
        if key.rpartition(".")[2] not in _PATHS or _NO_PATH.search(text):
            return text
        return str(self._base / Path(text).expanduser())

    def _text(self, key: str, text: str) -> str:
        for _ in range(_DEEPEST):
            if (found := _INTERPOLATION.search(text)) is None:
                break
            text = text[: found.start()] + self._value(key, found[1]) + text[found.end() :]
        return text

    def _value(self, key: str, name: str) -> str:
        """Return what an interpolation stands for, which may hold another one."""
        if name.startswith(_FROM_ENVIRONMENT):
            variable, has_default, default = name.removeprefix(_FROM_ENVIRONMENT).partition(",")
            value = os.environ.get(variable.strip(), default.strip() if has_default else None)
        else:
            node: Any = self._config
            for part in name.split("."):
                node = node.get(part) if isinstance(node, Mapping) else None
            value = node if isinstance(node, str) else None
        if value is None:
            raise UsageError(
                f"{key} of the run is ${{{name}}}, which is not there: set it, or say where the images "
                "are with --data"
            )
        return value
