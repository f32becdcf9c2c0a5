"""What a person's project changed on its way: its strategy, its model, its classes."""

from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Any

from al_lightning.report.wording import count, listed
from al_lightning.run.history import History
from al_lightning.run.state import Event

_MOST_NAMED = 4  # classes


def rounds_of_one_task(history: History) -> list[Event]:
    """Return the rounds since classes were added or merged; of a run that never did, all.

    Accuracies on other classes are no points of one curve. A change that no round has followed yet
    does not count.
    """
    rounds: list[Event] = []
    changed = False
    for event in history.events:
        if event["event"] == "round":
            rounds, changed = [] if changed else rounds, False
            rounds.append(event)
        elif event["event"] == "classes":
            changed |= bool(event["added"] or event["merged"])
    return rounds


def changes(history: History) -> tuple[str, ...]:
    """Return what changed, and the first round with it: "strategy from margin to entropy in round 6".

    A change that no round has followed yet has changed no result, and is left out.
    """
    found: list[str] = []
    for earlier, event in pairwise(history.rounds if history.is_project else []):
        before, after = earlier["round"], event["round"]
        known = [
            *(_of_config(history, key, before, after) for key in ("strategy", "model")),
            _of_classes(history.classes_in(before), history.classes_in(after)),
        ]
        place = f"in round {after} ({count(event['labels_bought'])} labels)"
        found += [f"{text} {place}" for text in known if text]
    return tuple(found)


def _of_config(history: History, key: str, before: int, after: int) -> str:
    """Return how the strategy or the model changed; "" where it did not."""
    one, other = (history.config_in(index) for index in (before, after))
    names = [str(config.get("names", {}).get(key, key)) for config in (one, other)]
    if names[0] != names[1]:
        return f"{key} from {names[0]} to {names[1]}"
    return "" if one.get(key) == other.get(key) else f"settings of the {key} {names[0]}"


def _of_classes(before: Sequence[str], after: Sequence[str]) -> str:
    """Return how the classes changed, renamed ones as other ones; "" where they did not."""
    parts = [
        f"{what} {_some([name for name in names if name not in others])}"
        for what, names, others in (("with", after, before), ("without", before, after))
        if {*names} - {*others}
    ]
    return f"classes {' and '.join(parts)}" if parts else ""


def _some(names: Collection[Any]) -> str:
    shown = [str(name) for name in names][:_MOST_NAMED]
    more = len(names) - len(shown)
    return listed([*shown, *([f"{more} more"] if more else [])])
