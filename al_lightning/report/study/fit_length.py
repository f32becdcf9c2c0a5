"""How long runs were trained: in steps, and in passes over their labels."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

from al_lightning.report.study.conditions import flat
from al_lightning.report.study.runs import Run
from al_lightning.report.wording import count
from al_lightning.utils.batch_sizes import batch_sizes

_FEWEST = 2  # images a batch
_BATCH_SIZE = "recipe.batch_size"  # of a recorded configuration; the library's has no recipe


@dataclass(frozen=True)
class FitLength:
    """How long the last fits of some runs were.

    Attributes:
        steps: Of the optimizer: the fewest and the most of the runs.
        epochs: The same as passes over the labels, steps / batches a pass; None where a journal records
            no batch size, as those of the library do not: a step there is what the module makes it.
    """

    steps: tuple[int, int]
    epochs: tuple[float, float] | None

    @classmethod
    def of(cls, runs: Collection[Run]) -> Self:
        """Return the length of the last fits of some runs, at least one."""
        steps = [run.rounds[-1].steps for run in runs]
        epochs = [passed for run in runs if (passed := _epochs(run)) is not None]
        known = len(epochs) == len(steps)
        return cls((min(steps), max(steps)), (min(epochs), max(epochs)) if known else None)

    @property
    def short(self) -> str:
        """For names and headings: "32 epochs"; "8,000 steps" where the epochs are unknown."""
        if self.epochs is None:
            return self._in_steps
        first, last = (f"{number:,.1f}".removesuffix(".0") for number in self.epochs)
        return _span(first, last, "epoch")

    @property
    def text(self) -> str:
        """For sentences: "32 epochs (30,016 steps)"; "8,000 steps" where the epochs are unknown."""
        return self.short if self.epochs is None else f"{self.short} ({self._in_steps})"

    @property
    def _in_steps(self) -> str:
        first, last = map(count, self.steps)
        return _span(first, last, "step")


def _span(first: str, last: str, unit: str) -> str:
    """Return one number or two with their unit: "1 step", "8.5 to 9 epochs"."""
    number = last if first == last else f"{first} to {last}"
    return f"{number} {unit if number == '1' else f'{unit}s'}"


def _epochs(run: Run) -> float | None:
    """Return the passes of a run's last fit over the labels it trained on."""
    size, last = flat(run.config).get(_BATCH_SIZE), run.rounds[-1]
    if type(size) is not int or size < _FEWEST:
        return None
    batches = len(batch_sizes(last.labels - run.validation_labels - run.test_labels, size))
    return last.steps / batches if batches else None
