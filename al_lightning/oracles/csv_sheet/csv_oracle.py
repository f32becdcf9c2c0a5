"""The oracle of a person who fills in a CSV sheet."""

import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from al_lightning.data.project.project_source import with_changed_classes
from al_lightning.data.source import ImageData
from al_lightning.oracles.csv_sheet.contact_page import contact_page
from al_lightning.oracles.csv_sheet.sheet import (
    COLUMNS,
    Filled,
    Rows,
    has_content,
    ids_in,
    read_sheet,
    sheet_rows,
    sheet_text,
)
from al_lightning.oracles.pictures import picture
from al_lightning.run.class_change import ClassChange
from al_lightning.run.journal import Journal
from al_lightning.run.pool import Pool
from al_lightning.run.questions import Answer, Oracle, Question, is_question_name
from al_lightning.utils.errors import UsageError
from al_lightning.utils.files import write_whole
from al_lightning.utils.names import plain
from al_lightning.utils.spreadsheet import cell


class CsvOracle(Oracle):
    """Asks a person for labels, with a sheet to fill in and a page with the images.

    A question is ``<name>.csv``, such as ``round_01.csv``, with an empty column ``label``, and
    ``<name>.html``, which shows the images and can be filled in too. A sheet with at least one label
    or skip is an answer; images without an entry return to the pool. Labels that are added to an
    earlier sheet are read with the next answer.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import torch
    >>> from al_lightning import Question
    >>> from al_lightning.data import Digits
    >>> from al_lightning.oracles import CsvOracle
    >>> with TemporaryDirectory() as folder:
    ...     oracle = CsvOracle(Digits().load(), Path(folder))
    ...     oracle.answer(Question(0, "initial", torch.tensor([4, 7])))  # None: nothing filled in yet
    ...     sorted(path.name for path in Path(folder).iterdir())
    ['round_00.csv', 'round_00.html']

    Args:
        data: The images, their files and the names of their classes.
        folder: Folder of the sheets.
        skip_mark: Entry for an image that cannot be labeled.
        takes_new: Whether another name in a sheet is a new class; in a project only.
        earlier_marks: Skip marks of the run before, which sheets may still have.

    Raises:
        UsageError: If a class has the name of the skip mark.
    """

    answers_at_once = False
    keeps_sheets = True

    def __init__(
        self,
        data: ImageData,
        folder: Path,
        skip_mark: str = "skip",
        *,
        takes_new: bool = False,
        earlier_marks: Iterable[str] = (),
    ) -> None:
        mark = plain(str(skip_mark))
        if skip_mark is None or not mark or mark in map(plain, data.classes):
            raise UsageError(
                f"oracle.skip_mark={skip_mark!r} must differ from the name of every class"
            )
        self._data = data
        self._folder = Path(folder)
        self._skip_mark = mark
        self._earlier_marks = [plain(name) for name in earlier_marks]
        self._takes_new = takes_new
        # Size and time of the sheets that were read.
        self._read_as: dict[Path, tuple[int, int]] = {}
        self._just_read: dict[Path, Rows] = {}  # for the answer of the same step
        self._filled: dict[Path, set[int]] = {}  # ids with an entry, of the sheets that were read

    @classmethod
    def for_run(
        cls,
        data: ImageData,
        folder: Path,
        seed: int,  # noqa: ARG003
        skip_mark: str = "skip",
        classes: str = "fixed",
    ) -> Self:
        """Make the oracle of a run from its data, the folder of its query sheets, and its seed."""
        earlier = Journal(folder.parent / "journal.jsonl").skip_marks
        return cls(data, folder, skip_mark, takes_new=classes == "open", earlier_marks=earlier)

    def answer(self, question: Question) -> Answer | None:
        """Read the sheet; write it where there is none."""
        sheet, asked = self._sheet(question), question.ids.tolist()
        filled = Filled({}, frozenset())
        if is_written := has_content(sheet):
            filled = self._read(sheet, question.ids, self._data.classes)
        if not filled.labels and not filled.skipped:
            # The page first: where there is a sheet, there is a page. It offers the classes of today.
            write_whole(sheet.with_suffix(".html"), self._page(question))
            if not is_written:
                write_whole(sheet, sheet_text(self._rows(question), _columns(question)))
            return None
        given = [i for i in asked if i in filled.labels]
        if filled.taken_as:
            said = ", ".join(f"{mine!r} as {name!r}" for mine, name in filled.taken_as.items())
            warnings.warn(f"{sheet}: labels were read as classes: {said}", stacklevel=2)
        names = (*self._data.classes, *filled.new_classes)
        earlier = [(self._sheet(asked), asked.ids) for asked in question.earlier]
        # A person may tidy up, and a power loss empty a sheet.
        late = self._gathered([(path, ids) for path, ids in earlier if has_content(path)], names)
        late_ids = sorted(late.labels)
        self._just_read = {}
        return Answer(
            _ids(given),
            _ids([filled.labels[i] for i in given]),
            _ids([i for i in asked if i in filled.skipped]),
            _ids(late_ids),
            _ids([late.labels[i] for i in late_ids]),
            _ids(sorted(late.skipped)),
            new_classes=(*filled.new_classes, *late.new_classes),
        )

    def corrections(self, pool: Pool) -> Answer | None:
        """Return what is in sheets that were changed, also where no question is open."""
        there, count = sorted(self._folder.glob("*.csv")), len(self._data.train)
        sheets = [path for path in there if is_question_name(path.stem)]  # no copies
        new = [sheet for sheet in sheets if self._is_new(sheet) and has_content(sheet)]
        self._just_read = {sheet: sheet_rows(sheet) for sheet in new}
        changed = [(sheet, ids_in(rows, count)) for sheet, rows in self._just_read.items()]
        found = self._gathered(changed, self._data.classes)
        emptied = pool.label_of.keys() & found.empty.difference(*self._filled.values())
        if not (found.labels or found.skipped or emptied):
            return None
        ids = sorted(found.labels)
        return Answer(
            _ids([]),
            _ids([]),
            late_ids=_ids(ids),
            late_labels=_ids([found.labels[i] for i in ids]),
            late_skipped=_ids(sorted(found.skipped)),
            new_classes=found.new_classes,
            emptied_ids=_ids(sorted(emptied)),
        )

    def on_classes(self, change: ClassChange) -> None:
        """Take the new names of the classes."""
        self._data = with_changed_classes(self._data, change)

    def instructions(self, question: Question) -> str:
        """Return which file to fill in, and the labels that it may have."""
        sheet = self._sheet(question)
        if sheet.is_relative_to(Path.cwd()):
            sheet = sheet.relative_to(Path.cwd())
        return (
            f"{len(question.left_ids)} images need a label.\n"
            f"  Images:   {sheet.with_suffix('.html')}\n"
            f"  Fill in:  {sheet}, column label, with one of: {', '.join(self._data.classes)}; "
            f"{'another name for a new class; ' if self._takes_new else ''}"
            f"or {self._skip_mark} if an image has none\n"
            "Then run the same command again. Images without an entry return to the pool."
        )

    def _sheet(self, question: Question) -> Path:
        return self._folder / f"{question.name}.csv"

    def _is_new(self, sheet: Path) -> bool:
        """Return whether a sheet was changed since this was last asked."""
        status = sheet.stat()
        now = status.st_size, status.st_mtime_ns
        before, self._read_as[sheet] = self._read_as.get(sheet), now
        return before != now

    def _gathered(self, sheets: Sequence[tuple[Path, Tensor]], classes: Sequence[str]) -> Filled:
        """Return the labels and skips of several sheets, those taken already included.

        Args:
            sheets: Each with the ids that were asked in it.
            classes: With those that other sheets have brought.

        Raises:
            UsageError: If two of them give an image two classes.
        """
        labels: dict[int, int] = {}
        sheet_of: dict[int, Path] = {}
        skipped, empty = set[int](), set[int]()
        names = [*classes]
        for sheet, ids in sheets:
            filled = self._read(sheet, ids, names)
            names += filled.new_classes
            for image, label in filled.labels.items():
                other = sheet_of.setdefault(image, sheet)
                if labels.setdefault(image, label) != label:
                    raise UsageError(
                        f"{sheet} says that id {image} is {names[label]!r}, "
                        f"and {other} that it is {names[labels[image]]!r}. "
                        "Correct one of them, and run the same command again"
                    )
            skipped |= filled.skipped
            empty |= filled.empty
        new = tuple(names[len(classes) :])
        return Filled(
            labels, frozenset(skipped - labels.keys()), new_classes=new, empty=frozenset(empty)
        )

    def _read(self, sheet: Path, ids: Tensor, classes: Sequence[str]) -> Filled:
        # A sheet may be older than the names of today.
        files = {i: self._data.file_names(i) for i in ids.tolist()}
        filled = read_sheet(
            sheet,
            files,
            classes,
            [self._skip_mark, *self._earlier_marks],
            aliases=self._data.aliases,
            takes_new=self._takes_new,
            rows=self._just_read.get(sheet) or sheet_rows(sheet),
        )
        self._filled[sheet] = {*filled.labels, *filled.skipped}
        return filled

    def _rows(self, question: Question) -> list[dict[str, object]]:
        """Return the rows of the images that need a label."""
        rows: list[dict[str, object]] = [
            {"id": i, "file": cell(self._file(i))} for i in question.ids.tolist()
        ]
        if question.predicted is not None and question.confidence is not None:
            guesses = zip(question.predicted.tolist(), question.confidence.tolist(), strict=True)
            for row, (predicted, confidence) in zip(rows, guesses, strict=True):
                row |= {
                    "predicted": cell(self._data.classes[predicted]),
                    "confidence": f"{confidence:.4f}",
                }
        if question.scores is not None:
            for row, score in zip(rows, question.scores.tolist(), strict=True):
                row["score"] = f"{score:.9g}"
        for row, part in zip(rows, question.parts.names, strict=False):
            row["part"] = cell(part)
        left = {*question.left_ids.tolist()}
        return [row for row in rows if row["id"] in left]

    def _file(self, image: int) -> str:
        files = self._data.train.files
        return "" if files is None else files[image]

    def _page(self, question: Question) -> str:
        rows = self._rows(question)
        facts = [
            {
                "id": str(row["id"]),
                "file": str(row["file"]),
                "guess": f"{row['predicted']}, {row['confidence']}" if "predicted" in row else "",
                "chosen by": str(row.get("part", "")),
            }
            for row in rows
        ]
        return contact_page(
            "contact_sheet.html.j2",
            question.name,
            _columns(question),
            rows,
            facts,
            [picture(self._data, i) for i in question.left_ids.tolist()],
            [cell(name) for name in (*self._data.classes, self._skip_mark)],
        )


def _columns(question: Question) -> tuple[str, ...]:
    """Return the columns of a question's sheet; the label, which is to be filled in, is the last."""
    parts = ("part",) if any(question.parts.names) else ()
    return (*COLUMNS[:-1], *parts, COLUMNS[-1])


def _ids(values: list[int]) -> Tensor:
    return torch.tensor(values, dtype=torch.int64)
