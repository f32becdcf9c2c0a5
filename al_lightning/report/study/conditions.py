"""The conditions of a run: the facts that runs must share to be compared."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from al_lightning.report.study.runs import Run
from al_lightning.run.keys import HYPERPARAMETERS, NO_EFFECT_ON_RESULTS, is_below
from al_lightning.utils.nested import leaves

Facts = Mapping[str, Any]
"""Conditions by dotted key; one that is absent is null."""

# What strategies are compared over, and so no part of the conditions that they share; how far a run
# goes is seen from its rounds.
_COMPARED = ("strategy", "seed", "query_seed", "budget_override", "budget.total")
# Of the trainer: where it computes, and what it shows. Hardware that differs is noted.
_NO_CONDITION = (
    *NO_EFFECT_ON_RESULTS,
    "trainer.accelerator",
    "trainer.devices",
    "trainer.enable_checkpointing",
    "trainer.enable_model_summary",
    "trainer.enable_progress_bar",
    "trainer.log_every_n_steps",
)


def conditions(run: Run, besides: Collection[str] = ()) -> dict[str, Any]:
    """Return the facts that runs must share to be compared.

    Args:
        run: A run.
        besides: Further keys that do not count; a key includes all keys below it.
    """
    ignored = (*_COMPARED, *_NO_CONDITION, *besides)
    config = {k: v for k, v in flat(run.config).items() if not is_below(k, ignored)}
    return {
        **config,
        "dataset": run.dataset,
        "model": run.model,
        # A library's configuration may hold neither data nor model: what the journal saw of them.
        "model.trainable_parameters": run.trainable_parameters,
        "data.classes": ", ".join(run.classes),
        "data.train": run.data.get("train"),
        "data.test": run.data.get("test"),
        "data.fingerprint": run.data.get("fingerprint"),
        # It rounds every step, which may favour one model or strategy; a device does not.
        "trainer.precision": run.hardware.get("precision"),
    }


def setup(run: Run) -> dict[str, Any]:
    """Return how the strategy of a run is set up."""
    return flat({"strategy": run.config.get("strategy")})


def buys_validation(run: Run) -> bool:
    """Return whether a run has labels to choose hyperparameters by, or will have."""
    return bool(run.validation_labels or flat(run.config).get("budget.validation"))


def digest(facts: Facts) -> str:
    """Return a text that is the same for the same facts alone."""
    return repr(sorted((key, repr(value)) for key, value in facts.items()))


def differing(facts: Sequence[Facts]) -> list[str]:
    """Return the keys that are not the same in all, sorted."""
    keys = sorted({key for each in facts for key in each})
    return [key for key in keys if len({repr(each.get(key)) for each in facts}) > 1]


def without_hyperparameters(facts: Facts) -> dict[str, Any]:
    """Return conditions without the keys that a search may choose."""
    return {key: value for key, value in facts.items() if not is_below(key, HYPERPARAMETERS)}


def flat(value: Any) -> dict[str, Any]:
    """Return the leaves of nested mappings by dotted keys; null counts as absent."""
    return {key: leaf for key, leaf in leaves(value) if leaf is not None and leaf != {}}
