"""The study as it stands."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from study.part import Part, PlannedRun
from study.record import Record, read_record
from study.settings import differing_settings
from study.time_left import TimeLeft, time_left

#: Where everything is, from the repository's folder.
ROOT, ARCHIVES = Path("outputs/study"), Path("study/journals")
MOST_BYTES = 5_000_000  # of all archives together


@dataclass
class Study:
    """Some runs of the study, and what is known of them.

    Args:
        plan: The runs, in the order in which they are made.
        root: The folder of their folders.
        archives: The folder of the archives.

    Attributes:
        records: The finished runs.
        seconds: Those of them that were made here in one go: what they took from start to end.
        others: Runs whose journal was made by other overrides, which the study leaves alone.
    """

    plan: Sequence[PlannedRun]
    root: Path = ROOT
    archives: Path = ARCHIVES
    records: dict[PlannedRun, Record] = field(default_factory=dict)
    seconds: dict[PlannedRun, float] = field(default_factory=dict)
    others: list[PlannedRun] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Read what there is."""
        self.read()

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts, in the order of their first run."""
        return tuple(dict.fromkeys(run.part for run in self.plan))

    @property
    def left(self) -> list[PlannedRun]:
        """The runs that are to be made, in their order."""
        return [run for run in self.plan if run not in self.records and run not in self.others]

    def of(self, part: Part) -> "Study":
        """Return one part of it."""
        return Study([run for run in self.plan if run.part == part], self.root, self.archives)

    def read(self) -> None:
        """Read the journals of all runs."""
        self.records, self.seconds, self.others = {}, {}, []
        for run in self.plan:
            self.note(run)

    def note(self, run: PlannedRun) -> bool:
        """Read the journal of a run; return whether it is finished."""
        record = read_record(run.journal(self.root))
        if record is not None and not record.is_of(run):
            self.others.append(run)
        elif record is not None and record.finished:
            self.records[run] = record
            if (known := beside(run, self.root, ".seconds")).exists():
                self.seconds[run] = float(known.read_text(encoding="utf-8"))
        return run in self.records

    def time_left(self, jobs: int) -> TimeLeft:
        """Estimate how long the runs that are left will take.

        Where all finished runs of a part come from elsewhere, the seconds in their journals count: each
        has those of what is made once and then found in a cache.
        """
        here = {run.part for run in self.seconds}
        journals = {r: found.seconds for r, found in self.records.items() if r.part not in here}
        return time_left(self.left, {**journals, **self.seconds}, jobs)

    def notes(self) -> Iterator[str]:
        """Yield what somebody should look at before the runs are compared."""
        for run in self.others:
            yield (
                f"{run} was made by other overrides than study/parts.py has: raise the revision there, "
                f"or remove {run.folder(self.root)}"
            )
        for part in self.parts:
            configs = [record.config for run, record in self.records.items() if run.part == part]
            if keys := differing_settings(configs):
                yield (
                    f"The finished runs of part {part.name} differ in {', '.join(keys)}: if results "
                    "depend on it, raise the revision of the part in study/parts.py"
                )

    def archive(self, part: Part) -> Path:
        """Return the path of a part's archive."""
        return self.archives / f"{part.name}.tar.xz"


def beside(run: PlannedRun, root: Path, suffix: str) -> Path:
    """Return the path of a file beside the folder of a run."""
    folder = run.folder(root)
    return folder.with_name(f"{folder.name}{suffix}")
