"""The start event of a run: its configuration, data, code and versions."""

import json
import warnings
from dataclasses import asdict
from typing import Any

from al_lightning.callbacks.loop_callback import LoopCallback
from al_lightning.data.source import UNKNOWN, ImageData
from al_lightning.loop.project_changes import record_changes, write_manifest
from al_lightning.loop.query import Query
from al_lightning.oracles.answers import require_oracle
from al_lightning.run.budget import Budget
from al_lightning.run.journal import Journal
from al_lightning.run.label_rows import label_rows
from al_lightning.run.own_code import own_code
from al_lightning.run.project import continued
from al_lightning.run.provenance import config_hash, describe, hardware, versions
from al_lightning.run.questions import Oracle
from al_lightning.run.same_run import require_same_run
from al_lightning.run.state import Event
from al_lightning.strategies.evidence import Need
from al_lightning.training.environment import require_neutral_environment
from al_lightning.training.learner import Learner
from al_lightning.utils.checks import require_kind
from al_lightning.utils.errors import UsageError
from al_lightning.utils.memory import memory_limit
from al_lightning.utils.nested import without
from al_lightning.utils.spill import Spill


def require_parts(
    learner: object, query: object, oracle: object, journal: object, budget: object
) -> None:
    """Check the parts of a loop, before anything is begun.

    Raises:
        UsageError: If one is not of its kind; names it.
    """
    require_kind("learner", learner, Learner)
    require_kind("query", query, Query)
    require_oracle(oracle)
    require_kind("journal", journal, Journal)
    require_kind("budget", budget, Budget)


def begin_run(
    learner: Learner,
    query: Query,
    oracle: Oracle,
    journal: Journal,
    budget: Budget,
    callbacks: LoopCallback,
) -> None:
    """Write the start event, or check that the journal is this run's, and go on from there.

    Raises:
        UsageError: If the parts do not fit each other, or the missing weights of a finished run
            cannot be saved.
        OtherRunError: If the journal is another run's.
    """
    given = journal.given_labels(len(learner.data.given_ids))
    start = start_event(learner, query, oracle, budget, given)
    irrelevant = learner.record.irrelevant
    if (limit := memory_limit(budget.memory_limit)) is not None:
        learner.datamodule.spill = Spill(journal.path.parent, limit)
    if journal.start is None:
        write_manifest(learner.data.update)
        journal.begin(start)
    else:
        require_same_run(journal, start, irrelevant)
        if journal.is_project:
            record_changes(journal, start, learner.data, irrelevant, callbacks)
    if oracle.live is not None:
        oracle.live.publish(
            project=journal.is_project,
            aliases=dict(journal.aliases),
            recorded=label_rows(journal),
        )
    learner.begin(continued(journal, start), journal.path.parent)
    last = len(journal.rounds) - 1
    if journal.finished and not learner.has(last, journal.pool_in(last)):
        warnings.warn(f"The weights of round {last} are missing; it is fitted again", stacklevel=3)
        learner.serve()
        learner.fit(last, journal.pool_in, callbacks.on_fit_start)
        if not learner.has(last, journal.pool_in(last)):
            raise UsageError(
                f"The weights of round {last} could not be saved: `predict` and `export` cannot use "
                f"this run. Make {journal.path.parent / 'checkpoints'} writable, and run the same "
                "command again. The journal is complete, and was not changed"
            )


def open_run(learner: Learner, journal: Journal, callbacks: LoopCallback) -> None:
    """Make ready for rounds; a finished run needs it only where corrections open it again."""
    callbacks.on_run_start(journal, learner.data)
    learner.serve()


def start_event(
    learner: Learner, query: Query, oracle: Oracle, budget: Budget, given: int
) -> Event:
    """Check that the parts of a loop fit each other, and return what the journal says of them.

    Args:
        learner: Trains the classifiers.
        query: Selects images.
        oracle: Labels them.
        budget: Says how many.
        given: How many labels came with the images, where others came without, when the run began.

    Raises:
        UsageError: If they do not fit, or the environment would change results.
    """
    require_neutral_environment()
    data, record = learner.data, learner.record
    budget.limit(len(data.train), given)
    facts = learner.facts
    if Need.MC_PROBABILITIES in query.needs:
        learner.require_samples()
    query.check(data, budget, facts.embedding, given)
    config = record.config
    if config is None:
        config = _plain_config(learner, query, oracle, budget)
    oracle_code, packages = own_code([type(oracle)])  # what it holds may change with every question
    return {
        **({"project": True} if record.project else {}),
        "config": json.loads(json.dumps(config)),
        "config_hash": config_hash(without(config, frozenset(record.irrelevant))),
        "overrides": list(record.overrides),
        "versions": {**versions(), **facts.packages, **query.packages, **packages},
        "hardware": hardware(),
        "classes": list(data.classes),
        "data": {
            "train": len(data.train),
            "test": len(data.test),
            "fingerprint": data.fingerprint(),
            **_of_a_project(data),
        },
        "model": facts.model,
        "trainer": facts.trainer,
        "code": {"fits": facts.code, "queries": {**query.code, **oracle_code}},
        "reproducible": facts.reproducible,
    }


def _of_a_project(data: ImageData) -> dict[str, Any]:
    """Return what a project records of images that may change."""
    if data.update is None:
        return {}
    hidden = not bool((data.train.labels == UNKNOWN).any())
    return {
        "manifest": data.update.change.manifest,
        "manifest_sha256": data.update.change.manifest_sha256,
        "given": len(data.given_ids),
        "hidden": hidden,
    }


def _plain_config(learner: Learner, query: Query, oracle: Oracle, budget: Budget) -> dict[str, Any]:
    """Return the configuration that is recorded where none was given."""
    datamodule = learner.datamodule
    return {
        "budget": asdict(budget),
        "seed": learner.seed,
        "query_seed": query.query_seed,
        "warm_start": learner.warm_start,
        "strategy": describe(query.strategy),
        "initial_strategy": describe(query.initial_strategy),
        "oracle": describe(type(oracle)),
        "batch_size": datamodule.batch_size,
        "augment": describe(datamodule.augment),
        "classifier": learner.facts.settings,
    }
