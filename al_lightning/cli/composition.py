"""From what Hydra composed to what a run is built from, and what it records of that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from al_lightning.cli.argument_types import require_declared_types
from al_lightning.cli.by_mode import compose_by_mode
from al_lightning.cli.choices import require_single_choices
from al_lightning.cli.configuration import configuration_options
from al_lightning.cli.known_keys import require_known_keys
from al_lightning.cli.paths import places_as_written, weights_files, with_absolute_paths
from al_lightning.cli.projects import project_of
from al_lightning.cli.text_values import with_text_as_text
from al_lightning.run.keys import NO_EFFECT_ON_RESULTS, NOT_RECORDED, is_below, key_of
from al_lightning.utils.errors import UsageError
from al_lightning.utils.redaction import MASK, redacted


@dataclass(frozen=True)
class Composition:
    """A configuration that is ready to be built from.

    Attributes:
        cfg: What to build from: paths are absolute, text is text. What is decided in it before the run
            begins is recorded, too.
        recipe: The recipe that the mode of the model chose, if it did.
        places: What was written for keys that say where things are.
        given: The overrides of the command line, as typed.
    """

    cfg: DictConfig
    recipe: str | None
    places: Mapping[str, str]
    given: Sequence[str]

    def recorded(self) -> dict[str, Any]:
        """Return the configuration as plain values, as the journal has it.

        Interpolations are resolved but for those that say where things are; without secrets.

        Raises:
            OmegaConfBaseException: If a value is missing, or an interpolation leads nowhere.
        """
        plain = OmegaConf.to_container(self.cfg, resolve=True, throw_on_missing=True)
        return _for_the_disk(plain, self.places)

    def overrides(self) -> list[str]:
        """Return what was given on the command line, but for what may not be written down."""
        hidden = (*NOT_RECORDED, "overwrite")
        return redacted([o for o in self.given if not is_below(key_of(o), hidden)])

    def arguments(self) -> list[str]:
        """Return the command line that composes this again: where files are found, then overrides."""
        return [*configuration_options(), *self.overrides()]

    def irrelevant(self) -> tuple[str, ...]:
        """Return the keys, dotted, that no result depends on, or whose content the journal has."""
        return (*NO_EFFECT_ON_RESULTS, *weights_files(self.cfg, Path.cwd()))

    def files(self) -> dict[str, str]:
        """Return what Hydra would have written into .hydra/ before the folder was known to be free."""
        recorded = _for_the_disk(OmegaConf.to_container(self.cfg), self.places)
        return _files(recorded, self.overrides())


def completed(cfg: DictConfig) -> Composition:
    """Complete the configuration of this job.

    Raises:
        UsageError: If a group was given a list, a value is missing or of another type than its
            constructor declares, or nothing reads a key.
        OmegaConfBaseException: If an interpolation leads nowhere.
    """
    hydra_cfg = HydraConfig.get()
    given: Any = OmegaConf.to_container(hydra_cfg.overrides.task)  # as typed, nothing resolved
    require_single_choices(hydra_cfg.runtime.choices, given)
    require_known_keys(cfg, hydra_cfg)
    _require_given(cfg)
    cfg, recipe = compose_by_mode(cfg, hydra_cfg)
    cwd = Path(hydra_cfg.runtime.cwd)
    cfg.output_root = str(cfg.output_root)  # a folder may be called 2024
    places = places_as_written(cfg, cwd)
    cfg.project = project_of(cfg, is_sweep=hydra_cfg.mode == RunMode.MULTIRUN)
    cfg = with_text_as_text(cfg, given)
    require_declared_types(cfg)
    cfg = with_absolute_paths(cfg, cwd)
    return Composition(cfg, recipe, places, given)


def _require_given(cfg: DictConfig) -> None:
    for key in sorted(OmegaConf.missing_keys(cfg)):
        raise UsageError(f"{key} must be given: {key}=...")


def _for_the_disk(plain: Any, places: Mapping[str, str]) -> dict[str, Any]:
    """Return a configuration as it may be written, places as they were given."""
    for key, text in places.items():
        node, *parts = plain, *key.split(".")
        for part in parts[:-1]:
            node = node[part]
        node[parts[-1]] = text
    return redacted({key: value for key, value in plain.items() if key not in NOT_RECORDED})


def _files(recorded: dict[str, Any], overrides: list[str]) -> dict[str, str]:
    hydra_cfg: Any = OmegaConf.to_container(HydraConfig.get())
    hydra_cfg["overrides"]["task"] = overrides
    hydra_cfg["job"]["override_dirname"] = ",".join(overrides)
    hydra_cfg["job"]["env_set"] = dict.fromkeys(hydra_cfg["job"]["env_set"], MASK)
    return {
        "config.yaml": OmegaConf.to_yaml(OmegaConf.create(recorded)),
        "hydra.yaml": OmegaConf.to_yaml(OmegaConf.create({"hydra": redacted(hydra_cfg)})),
        "overrides.yaml": OmegaConf.to_yaml(OmegaConf.create(overrides)),
    }
