"""A part of the study, and the runs that it is made of."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

_OWN = "-r"  # in the name of a folder, before the revision of a strategy


@dataclass(frozen=True)
class Part:
    """Runs of several strategies under one setting.

    A part or a strategy whose results a later change alters gets the next revision: its runs are made
    again in folders of their own, and no other run is.

    Attributes:
        name: Of its folder and of its archive.
        title: Its data and its network, in a few words.
        question: What it is to show.
        overrides: Of the command line, which all its runs share.
        strategies: In the order in which they are run under each seed.
        revision: Raised where a change alters all results of the part.
        strategy_revisions: Raised, from 1, where a change alters the results of single strategies.
        strategy_overrides: More overrides of single strategies.
        strategy_seeds: How many seeds single strategies have, from 0 on; the others have all.
        looks: Numbers of seeds at which claims are planned.
        beside: Name of another part, with which its strategies are compared one by one.
        shown: Strategies that have a line in the part's picture "selected", at most six.
    """

    name: str
    title: str
    question: str
    overrides: tuple[str, ...]
    strategies: tuple[str, ...]
    revision: int = 1
    strategy_revisions: Mapping[str, int] = field(default_factory=dict, hash=False)
    strategy_overrides: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    strategy_seeds: Mapping[str, int] = field(default_factory=dict, hash=False)
    looks: tuple[int, ...] = (5,)
    beside: str = ""
    shown: tuple[str, ...] = ()

    def runs(self, seeds: Iterable[int]) -> "Iterator[PlannedRun]":
        """Yield the runs, seed after seed: wherever this is cut off, the seeds before it are paired.

        Strategies of fewer seeds come last.
        """
        seeds = [*seeds]
        for seed in seeds:
            for strategy in self.strategies:
                if strategy not in self.strategy_seeds:
                    yield PlannedRun(self, strategy, seed)
        for strategy in self.strategies:
            count = self.strategy_seeds.get(strategy, 0)
            yield from (PlannedRun(self, strategy, seed) for seed in seeds if seed < count)

    def is_superseded(self, place: PurePosixPath) -> bool:
        """Return whether a run is of an earlier revision, by its :attr:`PlannedRun.place`."""
        revision, strategy = place.parts[:2]
        name, _, own = strategy.partition(_OWN)
        return int(revision[1:]) < self.revision or int(own or 1) < self._revision_of(name)

    def _revision_of(self, strategy: str) -> int:
        return self.strategy_revisions.get(strategy, 1)


@dataclass(frozen=True)
class PlannedRun:
    """A run of the study.

    Attributes:
        part: Whose run it is.
        strategy: By its name on the command line.
        seed: By which runs of a part are paired.
    """

    part: Part
    strategy: str
    seed: int

    def __str__(self) -> str:
        """Return its name in messages."""
        return f"{self.part.name} {self.strategy} seed={self.seed}"

    @property
    def place(self) -> PurePosixPath:
        """Its folder below that of the part, such as r1/margin/seed=0; its revisions are in it."""
        own = self.part._revision_of(self.strategy)
        strategy = self.strategy if own == 1 else f"{self.strategy}{_OWN}{own}"
        return PurePosixPath(f"r{self.part.revision}", strategy, f"seed={self.seed}")

    @property
    def overrides(self) -> tuple[str, ...]:
        """All that decides its results, as the command line and the journal have it."""
        return (
            *self.part.overrides,
            *self.part.strategy_overrides.get(self.strategy, ()),
            *(f"strategy={self.strategy}", f"seed={self.seed}", "threads=1"),
        )

    def folder(self, root: Path) -> Path:
        """Return the folder of the run, where all runs of the study are below ``root``."""
        return root / self.part.name / self.place

    def journal(self, root: Path) -> Path:
        """Return the journal of the run, where all runs of the study are below ``root``."""
        return self.folder(root) / "journal.jsonl"

    def arguments(self, root: Path) -> list[str]:
        """Return the arguments of ``python -m al_lightning``.

        A revision of the part has caches of its own: a cached fit may be older than the change.
        """
        output_root = root / self.part.name / f"r{self.part.revision}"
        folder = f"hydra.run.dir='{self.folder(root)}'"
        return [*self.overrides, f"output_root={output_root}", folder]
