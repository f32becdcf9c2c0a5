"""The folder of the configuration, and its groups."""

from pathlib import Path

from omegaconf import OmegaConf

_PACKAGE = Path(__file__).resolve().parent.parent

#: In a wheel the configuration is inside the package, in a source tree beside it.
CONF = next(path for path in (_PACKAGE / "conf", _PACKAGE.parent / "conf") if path.is_dir())


def groups() -> list[str]:
    """Return the groups that every run chooses from, such as "strategy"; some may choose nothing."""
    defaults = OmegaConf.load(CONF / "config.yaml").defaults
    named = [str(next(iter(entry))) for entry in defaults if entry != "_self_"]
    return [name for name in named if not name.startswith("override ")]
