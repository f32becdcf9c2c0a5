"""Loops for tests, put together from all their options at once."""

from typing import Any

from al_lightning import ActiveLearningLoop, Learner, Query, RunRecord

_OF_LEARNER = (
    *("seed", "save_minutes", "warm_start", "fall_back", "fit_cache", "embeddings"),
    "pool_sample",
)
_OF_RECORD = ("config", "overrides", "irrelevant", "irrelevant_to_fits", "project")


def loop_of(**options: Any) -> ActiveLearningLoop:
    """A loop from the arguments of its learner, its record, its query, and its own."""

    def taken(*names: str) -> dict[str, Any]:
        return {name: options.pop(name) for name in names if name in options}

    record = RunRecord(**taken(*_OF_RECORD))
    parts = (options.pop(name) for name in ("datamodule", "make_classifier", "make_trainer"))
    learner = Learner(*parts, record=record, **taken(*_OF_LEARNER))
    query = Query(options.pop("strategy"), **taken("query_seed", "initial_strategy"))
    return ActiveLearningLoop(learner, query, **options)
