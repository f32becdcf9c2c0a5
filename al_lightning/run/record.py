"""How a run was configured, and which of that its results depend on."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: Keys of the configuration that decide what is asked for, but not how given labels are trained on.
QUERY_KEYS = ("strategy", "initial_strategy", "oracle", "budget", "query_seed")


@dataclass(frozen=True)
class RunRecord:
    """What a journal says of how its run was configured.

    Attributes:
        config: What the run is made of, as plain values. A journal is only gone on with under the same.
            None records budget, seeds, strategy and batch size; what else the results depend on, such
            as a learning rate, should then be passed here.
        overrides: What was given on the command line, to repeat the run by.
        irrelevant: Keys of ``config``, dotted, that may change between sessions, since no result
            depends on them.
        irrelevant_to_fits: Keys of ``config`` that decide what is asked for, but not how given labels
            are trained on. Runs that differ in nothing else share fits.

    Example:
        >>> from al_lightning import RunRecord
        >>> RunRecord(config={"learning_rate": 0.1, "threads": 2}, irrelevant=["threads"]).overrides
        ()
    """

    config: Mapping[str, Any] | None = None
    overrides: Sequence[str] = ()
    irrelevant: Collection[str] = ("budget.memory_limit",)
    irrelevant_to_fits: Collection[str] = QUERY_KEYS
