"""The advice on a run, from its journal and the files beside it."""

import warnings
from collections.abc import Sequence
from pathlib import Path

from al_lightning.run.advice.advice import Advice, advise
from al_lightning.run.advice.agreement import WINDOW, Agreement, agreement_of
from al_lightning.run.advice.pool_predictions import (
    PoolPredictions,
    load_pool_predictions,
    predictions_file,
)
from al_lightning.run.advice.settings import AdviceSettings
from al_lightning.run.history import History
from al_lightning.run.keys import CHANGES_WEIGHTS, is_below
from al_lightning.run.pool import Pool
from al_lightning.run.state import Event
from al_lightning.utils.errors import UsageError


def advice_on(
    history: History,
    folder: Path,
    settings: AdviceSettings,
    now: tuple[Event, Pool] | None = None,
) -> Advice | None:
    """Return the advice after the last round of a run; None where there is no round.

    Args:
        history: Of the run.
        folder: Of the run; it may hold the predictions of the pool.
        settings: What is asked for.
        now: A further round, which the history does not have yet, and its pool.
    """
    rounds, trained = rounds_of_one_model(history)
    if now is not None:
        event, pool = now
        rounds, trained = [*rounds, event], [*trained, len(pool.labeled_ids)]
    elif rounds:
        pool = history.pool_in(rounds[-1]["round"])
    else:
        return None
    agreements = agreements_in(folder, rounds[-WINDOW - 1 :])  # of earlier ones, nothing is said
    return advise(settings, rounds, trained, agreements, pool, history.test_images)


def rounds_of_one_model(history: History) -> tuple[list[Event], list[int]]:
    """Return the rounds since the model, the recipe or the classes of a project were changed.

    In a run, which changes none of them, all rounds.

    Returns:
        The events, oldest first, and the number of labels that each was trained on.
    """
    rounds: list[Event] = []
    for event in history.events:
        if event["event"] == "round":
            rounds.append(event)
        elif _begins_anew(event):
            rounds = []
    # Without images that have gone since, as the round has trained.
    return rounds, [len(history.pool_in(event["round"]).labeled_ids) for event in rounds]


def _begins_anew(event: Event) -> bool:
    """Return whether rounds after an event cannot be compared with those before it."""
    if event["event"] == "setting":
        return is_below(event["key"], CHANGES_WEIGHTS)
    return event["event"] == "classes" and bool(event["added"] or event["merged"])


def agreements_in(folder: Path, rounds: Sequence[Event]) -> list[Agreement | None]:
    """Return the agreement of each round with the one before it; None where a file is missing.

    Warns of a file that is damaged, and goes on without it: advice stops no run.
    """
    found = [_predictions(predictions_file(folder, event["round"])) for event in rounds]
    pairs = zip([None, *found], found, strict=False)
    return [agreement_of(a, b) if a is not None and b is not None else None for a, b in pairs]


def _predictions(path: Path) -> PoolPredictions | None:
    if not path.exists():
        return None
    try:
        return load_pool_predictions(path)
    except UsageError as error:
        warnings.warn(f"{error}. Agreement is not computed", stacklevel=2)
        return None
