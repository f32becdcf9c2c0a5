"""Labels for validation and test that are due since a project has raised their budget."""

from collections.abc import Iterable
from typing import Any

from al_lightning.run.questions import Origin
from al_lightning.run.state import Event


def labels_due(events: Iterable[Event], origin: Origin) -> int:
    """Return by how many labels a budget was raised that nobody was asked for since.

    A budget that is lowered, and raised again, is due from its highest value on. A question counts as
    asked even if it is answered in part, like the one at the start: what is left open stays open. One
    whose images have all gone is asked again, of other images.

    >>> raised = {"event": "setting", "key": "budget.validation", "from": 5, "to": 8}
    >>> labels_due([raised], "validation"), labels_due([raised], "test")
    (3, 0)

    Args:
        events: Of a project, oldest first.
        origin: What the labels are for.
    """
    due = highest = 0
    covered: int | None = None  # by the open question
    for event in events:
        kind = event["event"]
        if kind == "setting" and event["key"] == f"budget.{origin}":
            before, after = _amount(event["from"]), _amount(event["to"])
            due += max(0, after - max(highest, before))
            highest = max(highest, before, after)
        elif kind == "question":
            covered = min(due, len(event["ids"])) if event["origin"] == origin else None
        elif kind == "labels" and event["origin"] == origin:
            answered = len(event["ids"]) + len(event.get("skipped", ()))
            asked = answered if covered is None else covered
            due -= min(due, asked) if answered else 0
            covered = None
    return due


def _amount(value: Any) -> int:
    return value if isinstance(value, int) else 0
