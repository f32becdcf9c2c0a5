"""How a run was configured, and which of that its results depend on."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: Keys of the configuration that affect the queries, but not the training on given labels.
QUERY_KEYS = ("strategy", "initial_strategy", "oracle", "budget", "query_seed")


@dataclass(frozen=True)
class RunRecord:
    """The configuration of a run, as its journal records it.

    Attributes:
        config: The configuration, as plain values. A run continues only with the same configuration.
            None records budget, seeds, strategy and batch size; add everything else that affects the
            results, such as a learning rate.
        overrides: The arguments of the command line, to reproduce the run.
        irrelevant: Keys of ``config``, dotted, that may change between sessions, because no result
            depends on them.
        irrelevant_to_fits: Keys of ``config`` that affect the queries, but not the training on given
            labels. Runs that differ only in these keys share fits.

        project: Whether the run is a person's project: the same folder continues under another budget,
            oracle, strategy, model or recipe, and labels can be corrected. The journal records each
            change.

    Example:
        >>> from al_lightning import RunRecord
        >>> RunRecord(config={"learning_rate": 0.1, "threads": 2}, irrelevant=["threads"]).overrides
        ()
    """

    config: Mapping[str, Any] | None = None
    overrides: Sequence[str] = ()
    irrelevant: Collection[str] = ("budget.memory_limit",)
    irrelevant_to_fits: Collection[str] = QUERY_KEYS
    project: bool = False
