"""Settings: runs that may be compared, since they differ in strategy and seed alone."""

from collections.abc import Mapping
from dataclasses import dataclass

from al_lightning.report.study.conditions import Facts
from al_lightning.report.study.fit_length import FitLength
from al_lightning.report.study.runs import Run

#: The strategy that the others are compared with, where there are runs of it.
REFERENCE = "random"


@dataclass(frozen=True)
class LeftOut:
    """A run that is not compared.

    Attributes:
        run: The run.
        reason: Why, and what would change it.
        repeats: Whether it only repeats the results of a run that is compared.
    """

    run: Run
    reason: str
    repeats: bool = False


@dataclass(frozen=True)
class Setting:
    """Runs under the same conditions: they differ in strategy and seed alone.

    Attributes:
        name: For readers; unique in a study.
        dataset: What its data set is called.
        model: What its model is called.
        differences: The keys that differ from other settings of this data set and model, dotted.
        runs: By strategy and seed; each has all of ``budgets``. The reference comes first.
        passive: Runs on all labels in one round, by seed.
        budgets: Labels that all ``runs`` have scores at, ascending.
        reference: The strategy to compare with; None where it was not run.
        unfinished: Unfinished runs.
        left_out: Runs that are not compared.
        notes: What a reader should know of the runs before trusting a comparison.
        unexplained: Seeds under which round 0 is not the same for all strategies, although nothing
            in their journals explains it.
        trial: Whether it is a trial of a search: one strategy, with validation labels to choose by.
        untested: Runs with rounds, but without test images; they are among those left out.
    """

    name: str
    dataset: str
    model: str
    differences: Facts
    runs: Mapping[str, Mapping[int, Run]]
    passive: Mapping[int, Run]
    budgets: tuple[int, ...]
    reference: str | None
    unfinished: tuple[Run, ...]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]
    unexplained: tuple[int, ...]
    trial: bool
    untested: tuple[Run, ...] = ()

    @property
    def all_runs(self) -> list[Run]:
        """All runs that are compared, those on all labels last."""
        groups = [*self.runs.values(), self.passive]
        return [run for by_seed in groups for run in by_seed.values()]

    @property
    def known_runs(self) -> list[Run]:
        """All runs that anything is shown of, each once: some unfinished ones are compared, too."""
        return list({id(r): r for r in (*self.all_runs, *self.unfinished, *self.untested)}.values())

    @property
    def repeated(self) -> bool:
        """Whether a strategy has several seeds, so that there are means."""
        return any(len(by_seed) > 1 for by_seed in self.runs.values())

    @property
    def passive_length(self) -> FitLength | None:
        """How long the passive baseline was trained; None without one."""
        return FitLength.of(self.passive.values()) if self.passive else None
