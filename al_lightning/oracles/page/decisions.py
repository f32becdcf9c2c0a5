"""What is decided about images: by the file of the page, and by the run's record."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from al_lightning.oracles.page.page_log import Entry, Kind, PageLog
from al_lightning.run.class_change import ClassChange
from al_lightning.run.label_rows import LabelRow
from al_lightning.run.pool import Pool
from al_lightning.utils.errors import DataError, UsageError
from al_lightning.utils.names import check_class_names


class Refused(Exception):  # noqa: N818 - it is no error of the program
    """What a page wants is not possible; the message is for the person."""


class Decisions:
    """Labels and skips of images, the last decision on each; and classes that people have added.

    An entry of the file counts if it is newer than what the run has recorded of its image. So a label
    that somebody has given or corrected elsewhere since, as in a sheet, stays.

    Args:
        log: Where they are kept.
        classes: Names of the run's classes, by label.
        aliases: What classes are called now, by names that they had before.
        recorded: What the run has recorded of images so far, from whom and when.
        is_strict: Whether the run keeps the labels that it has recorded: all but projects do.
    """

    def __init__(
        self,
        log: PageLog,
        classes: Sequence[str],
        aliases: Mapping[str, str] | None = None,
        recorded: Sequence[LabelRow] = (),
        is_strict: bool = False,
    ) -> None:
        self._log = log
        self.aliases = dict(aliases or {})
        self._is_strict = is_strict
        self.run_classes = list(classes)
        self.new_classes: list[str] = []  # that the run has not recorded
        self._label_of = self._numbered()
        self._recorded = {row.id: (row.by, _seconds(row.at)) for row in recorded}
        self._latest: dict[int, Entry] = {}
        self._confirmed: dict[int, Entry] = {}  # labels that a person has found right
        self._unknown: dict[int, Entry] = {}  # labels of classes that there are not
        self._known: dict[int, int] = {}  # labels that the run has recorded
        self._skipped: set[int] = set()  # skips that the run has recorded
        self._absent: set[int] = set()  # images whose files have gone: there is nothing to record
        for entry in log.entries:
            _, at = self._recorded.get(entry.id, ("", None))
            if at is None or entry.at >= at:
                self._apply(entry)

    @property
    def classes(self) -> list[str]:
        """The names of all classes, those of the run first."""
        return [*self.run_classes, *self.new_classes]

    def sync_with(self, pool: Pool) -> None:
        """Take over what the run has recorded."""
        self._known = pool.label_of
        self._skipped = set(pool.skipped_ids.tolist())
        self._absent = set(pool.absent_ids.tolist())

    def require_classes(self) -> None:
        """Refuse labels of classes that do not exist.

        Raises:
            UsageError: If the run lacks such a label; of what it has, it knows today's class.
        """
        lost = [entry for image, entry in self._unknown.items() if image not in self._known]
        if lost:
            raise UsageError(
                f"{self._log.path} has labels of the class {lost[0].name!r}, which is none of "
                f"{', '.join(self.classes)}. Add it to the classes, or remove these lines"
            )

    def change_classes(self, change: ClassChange) -> None:
        """Take over a change of the run's classes."""
        labels = change.new_labels(self.run_classes)
        self._known = {i: labels[known] for i, known in self._known.items() if known < len(labels)}
        self.aliases = change.aliases(self.run_classes, self.aliases)
        self.run_classes = change.after(self.run_classes)
        self.new_classes = [name for name in self.new_classes if name not in self.run_classes]
        self._label_of = self._numbered()

    def mark_recorded(self, labels: dict[int, int], skipped: Sequence[int]) -> None:
        """Note what the run is about to record."""
        self._known |= labels
        self._skipped |= set(skipped)

    def is_decided(self, image: int) -> bool:
        """Return whether an image has a label or a skip."""
        return image in self._latest or self.is_recorded(image)

    def is_recorded(self, image: int) -> bool:
        """Return whether the run has recorded a label or a skip of an image, or its file has gone."""
        return any(image in some for some in (self._known, self._skipped, self._absent))

    def label(self, image: int) -> int | None:
        """Return the class of an image; None where it is skipped or open."""
        latest = self._latest.get(image)
        if latest is not None and latest.kind == "label":
            return self._label(latest)
        return None if latest is not None else self._known.get(image)

    def value(self, image: int) -> str | None:
        """Return what the page shows of an image: its class, "" for a skip, None if it is open."""
        label = self.label(image)
        if label is not None:
            return self.classes[label]
        return "" if image in self._latest or image in self._skipped else None

    def is_confirmed(self, image: int) -> bool:
        """Return whether a person has found that the present label of an image is right."""
        entry, label = self._confirmed.get(image), self.label(image)
        return entry is not None and self._label_of.get(self._today(entry)) == label

    def new(self) -> tuple[dict[int, int], list[int]]:
        """Return labels and skips that the run has not recorded, oldest first."""
        fresh = [e for i, e in self._latest.items() if not self.is_recorded(i)]
        return (
            {e.id: self._label(e) for e in fresh if e.kind == "label"},
            [e.id for e in fresh if e.kind == "skip"],
        )

    def corrections(self) -> dict[int, int]:
        """Return labels that differ from the recorded ones: classes by ids."""
        labels = {i: self._label(e) for i, e in self._latest.items() if e.kind == "label"}
        known = self._known
        return {i: label for i, label in labels.items() if i in known and known[i] != label}

    def names(self, images: Sequence[int]) -> dict[int, str]:
        """Return who has decided about each of these images."""
        return {i: self._latest[i].by for i in images if i in self._latest}

    def add_class(self, name: str, by: str) -> str:
        """Add a class.

        Returns:
            Its name, without blanks around it.

        Raises:
            Refused: If it exists, or is no name of a class.
            OSError: If the disk refuses.
        """
        name = name.strip()
        if name in self.aliases:
            raise Refused(f"{name} is what {self.aliases[name]} was called before")
        try:
            check_class_names([*self.classes, name])
        except DataError as error:
            raise Refused(f"{name or 'Nothing'} cannot be a class: {error}") from error
        self._append([Entry(-1, "class", name, by, time.time())])
        return name

    def problem(self, image: int, value: str | None) -> str | None:
        """Return why a value cannot be decided of an image, for the person; None if it can."""
        if value and value not in self._label_of:
            return f"{value} is none of the classes"
        if image in self._skipped:
            return "This image was skipped, and the run has recorded that"
        if image in self._known and self._is_strict:
            return (
                "The model has trained on this label, and this run keeps it: only a project takes "
                "corrections (project=NAME)"
            )
        if image in self._known and not value:
            return (
                "The model has trained on this label: it can be changed to another class, and not "
                "taken back"
            )
        return None

    def submit(self, values: Sequence[tuple[int, str | None]], by: str) -> list[Entry]:
        """Write decisions down, all of them or none.

        Args:
            values: Ids, each with a class, "" for a skip, or None to take back what was decided;
                possible ones.
            by: The person's name.

        Returns:
            The entries that were new.

        Raises:
            OSError: If the disk refuses.
        """
        wanted = [(i, value) for i, value in values if self.value(i) != value]
        entries = [Entry(i, _kind(value), value or "", by, time.time()) for i, value in wanted]
        self._append(entries)
        return entries

    def confirm(self, image: int, by: str) -> None:
        """Write down that the label of an image is right.

        Raises:
            OSError: If the disk refuses.
        """
        self._append([Entry(image, "confirm", self.value(image) or "", by, time.time())])

    def counts(self) -> list[int]:
        """Return the number of labels of each class."""
        labels = {i: self.label(i) for i in (*self._known, *self._latest)}
        found = Counter(labels.values())
        return [found[label] for label in range(len(self.classes))]

    def skips(self) -> int:
        """Return the number of skipped images."""
        return len({i for i, e in self._latest.items() if e.kind == "skip"} | self._skipped)

    def history(self) -> list[dict[str, Any]]:
        """Return all images with a label or a skip, the newest first; wherever it was given."""
        given = {i: self._recorded.get(i, ("", None)) for i in (*self._known, *self._skipped)}
        given |= {i: (e.by, e.at) for i, e in self._latest.items()}
        newest = sorted(given, key=lambda i: -(given[i][1] or 0.0))
        return [
            {
                "id": i,
                "value": self.value(i),
                "by": given[i][0],
                "at": given[i][1],
                "fixed": self.is_recorded(i),
            }
            for i in newest
        ]

    def entries(self) -> Sequence[Entry]:
        """Return everything that was ever decided on the page, oldest first."""
        return self._log.entries

    def _today(self, entry: Entry) -> str:
        return self.aliases.get(entry.name, entry.name)

    def _label(self, entry: Entry) -> int:
        return self._label_of[self._today(entry)]

    def _numbered(self) -> dict[str, int]:
        return {name: label for label, name in enumerate(self.classes)}

    def _append(self, entries: Sequence[Entry]) -> None:
        if entries:
            self._log.append(entries)
        for entry in entries:
            self._apply(entry)

    def _apply(self, entry: Entry) -> None:
        name = self._today(entry)
        if entry.kind == "class":
            self.new_classes += [name] if name not in self._label_of else []
            self._label_of = self._numbered()
        elif entry.kind == "confirm":
            self._confirmed[entry.id] = entry
        else:
            self._unknown.pop(entry.id, None)
            if entry.kind == "label" and name not in self._label_of:
                self._unknown[entry.id] = entry
                return
            self._latest.pop(entry.id, None)  # so that the order is that of the last decisions
            if entry.kind != "undo":
                self._latest[entry.id] = entry


def _kind(value: str | None) -> Kind:
    if value is None:
        return "undo"
    return "label" if value else "skip"


def _seconds(at: str) -> float | None:
    """Return a time in UTC in seconds since 1970; None without one."""
    return datetime.fromisoformat(at).timestamp() if at else None
