"""What became of each image of a run: its label, from whom and when, and its correction."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from al_lightning.run.class_change import ClassChange
from al_lightning.run.history import History
from al_lightning.run.questions import Origin
from al_lightning.run.state import Event


@dataclass(frozen=True)
class LabelRow:
    """An image that was labeled or skipped.

    Attributes:
        id: Dataset id.
        label: Its class, corrections included; None if it was skipped.
        origin: What the label was bought as.
        round: The first round that could train on it.
        by: Who gave the label, or corrected or confirmed it last; "" if it is not known.
        at: When that was, in UTC; "" for labels that no person gave.
        corrected: The class that it had before its last correction; None without one.
    """

    id: int
    label: int | None
    origin: Origin
    round: int
    by: str = ""
    at: str = ""
    corrected: int | None = None

    @property
    def is_skipped(self) -> bool:
        """Whether an annotator could not label it."""
        return self.label is None


def label_rows(history: History) -> list[LabelRow]:
    """Return all images that were labeled or skipped, in the order in which that happened.

    >>> from al_lightning.run.history import History
    >>> label_rows(History())  # of a run that has not begun
    []
    """
    rows: dict[int, LabelRow] = {}
    classes: Sequence[str] = ()
    for event in history.events:
        if event["event"] == "start":
            classes = event["classes"]
        elif event["event"] == "classes":
            change = ClassChange.of(event)
            labels, classes = change.new_labels(classes), change.after(classes)
            rows = {i: _renumbered(row, labels) for i, row in rows.items()}
        if event["event"] == "labels":
            rows |= {row.id: row for row in _answered(event)}
        elif event["event"] == "correction":
            for i, before, after, by in zip(
                event["ids"], event["from"], event["to"], _names(event), strict=True
            ):
                at = event.get("at", "")
                changed = rows[i].corrected if before == after else before  # else it was confirmed
                rows[i] = replace(rows[i], label=after, corrected=changed, by=by, at=at)
    return [*rows.values()]


def _renumbered(row: LabelRow, labels: Sequence[int]) -> LabelRow:
    """Return a row in other classes; ``labels`` says what each is called from here on."""
    label, corrected = (None if i is None else labels[i] for i in (row.label, row.corrected))
    return replace(row, label=label, corrected=corrected)


def _answered(event: Event) -> Iterator[LabelRow]:
    place = event["origin"], event["round"]
    by, at = event.get("by", ""), event.get("at", "")
    for i, label, name in zip(event["ids"], event["labels"], _names(event), strict=True):
        yield LabelRow(i, label, *place, name, at)
    for i in event.get("skipped", ()):
        yield LabelRow(i, None, *place, by if isinstance(by, str) else "", at)


def _names(event: Event) -> list[str]:
    """Return who gave the label of each id of an event."""
    by = event.get("by", "")
    return [by] * len(event["ids"]) if isinstance(by, str) else list(by)
