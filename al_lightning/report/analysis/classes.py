"""Classes one by one: their share of the queries, and their recall."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log
from statistics import fmean
from typing import Literal

from scipy.special import chdtrc

from al_lightning.report.rules import ALPHA, Rules
from al_lightning.report.statistics.comparison import Comparison, compare
from al_lightning.report.statistics.looks import basis
from al_lightning.report.statistics.paired import Scores
from al_lightning.report.study.runs import Run
from al_lightning.report.study.settings import Setting


@dataclass(frozen=True)
class ClassFrequencies:
    """How often each class is in the pool, as far as journals show it.

    Attributes:
        shares: Of each class; they sum to 1.
        counted: Labels that the shares are made of.
        source: "all labels": counted, by a run on all of them; "random queries": estimated from what
            the reference queried.
    """

    shares: tuple[float, ...]
    counted: int
    source: Literal["all labels", "random queries"]

    @property
    def rarest(self) -> int:
        """The class with the fewest images, the first of several."""
        return self.shares.index(min(self.shares))

    @property
    def uneven(self) -> bool:
        """Whether classes differ in size for sure: counted, or by a chi-square test at 5 %.

        Shares of a few drawn labels differ by chance also where the classes are of one size.
        """
        if self.source == "all labels":
            return len(set(self.shares)) > 1
        size = len(self.shares)
        expected = self.counted / size
        square = sum((share * self.counted - expected) ** 2 / expected for share in self.shares)
        return float(chdtrc(size - 1, square)) < ALPHA

    @property
    def ratio(self) -> float | None:
        """Most frequent / rarest class; None where a class was not seen at all."""
        return max(self.shares) / min(self.shares) if min(self.shares) > 0 else None


@dataclass(frozen=True)
class ClassReport:
    """The classes of a setting.

    Attributes:
        names: Of the classes.
        recall: At the last budget, by strategy; mean of the seeds, a value a class.
        passive_recall: The same of the passive baseline; None where there is none.
        mix: Share of each class in all queries of a strategy; without strategies that asked nothing.
        pool: What the queries were drawn from; None where no journal has it.
    """

    names: tuple[str, ...]
    recall: Mapping[str, tuple[float, ...]]
    passive_recall: tuple[float, ...] | None
    mix: Mapping[str, tuple[float, ...]]
    pool: ClassFrequencies | None


def class_report(setting: Setting) -> ClassReport:
    """Return the class report of a setting."""
    runs = setting.all_runs
    counts = {name: _asked(group, setting) for name, group in setting.runs.items()}
    counts = {name: found for name, found in counts.items() if sum(found)}
    return ClassReport(
        names=runs[0].classes if runs else (),
        recall={
            name: recall
            for name, group in setting.runs.items()
            if (recall := _mean_recall(group.values(), setting.budgets[-1]))
        },
        passive_recall=_mean_recall(setting.passive.values(), None) or None,
        mix={name: _shares(found) for name, found in counts.items()},
        pool=_pool(setting, counts),
    )


def evenness(shares: Sequence[float]) -> float:
    """Return the entropy of shares over that of equal shares, in [0, 1]; 1 for a single class.

    Args:
        shares: Of the classes; they sum to 1.
    """
    if len(shares) < 2:  # noqa: PLR2004 - a single class is as even as it can be
        return 1.0
    return -sum(share * log(share) for share in shares if share > 0) / log(len(shares))


def compare_evenness(setting: Setting, rules: Rules) -> list[Comparison]:
    """Compare the evenness of the queried classes with that of the reference, as one family.

    A run is a single observation, paired by seed: the labels of one run are not independent, so a test
    that treats them as independent draws, such as chi-square, would claim too much. The entropy of a
    sample is too low on average (Miller 1955), by the same amount in both runs of a pair, because both
    query the same number of labels.

    Args:
        setting: With a reference.
        rules: By which differences are read.
    """
    found = {
        name: {
            seed: evenness(_shares(counts))
            for seed, run in runs.items()
            if sum(counts := _asked({seed: run}, setting))
        }
        for name, runs in setting.runs.items()
    }
    return _against_reference(setting, found, rules)


def compare_recall(setting: Setting, of: int | None, rules: Rules) -> list[Comparison]:
    """Compare the final recall of a class with the reference's, as one family.

    Args:
        setting: With a reference.
        of: A class; None for the one that is found worst, whichever that is in a run.
        rules: By which differences are read.
    """
    recall: dict[str, dict[int, float]] = {}
    for name, runs in setting.runs.items():
        for seed, run in runs.items():
            if values := run.at(setting.budgets[-1]).per_class.get("recall"):
                recall.setdefault(name, {})[seed] = min(values) if of is None else values[of]
    return _against_reference(setting, recall, rules)


def _against_reference(setting: Setting, values: Scores, rules: Rules) -> list[Comparison]:
    reference = setting.reference or ""
    others = [name for name in setting.runs if name != reference]
    found = basis(values, reference, rules)
    return compare(found.scores, reference, others, rules, claims=bool(found.seeds))


def _mean_recall(runs: Iterable[Run], budget: int | None) -> tuple[float, ...]:
    rounds = [run.rounds[-1] if budget is None else run.at(budget) for run in runs]
    found = [entry.per_class["recall"] for entry in rounds if "recall" in entry.per_class]
    return tuple(fmean(values) for values in zip(*found, strict=True)) if found else ()


def _asked(runs: Mapping[int, Run], setting: Setting) -> tuple[int, ...]:
    """Return the labels of each class in the queries up to the last budget, of all seeds."""
    counts = [mix for run in runs.values() for mix in run.query_mix[: _queries(run, setting)]]
    return tuple(sum(column) for column in zip(*counts, strict=True))


def _shares(counts: Sequence[int]) -> tuple[float, ...]:
    return tuple(number / sum(counts) for number in counts)


def _queries(run: Run, setting: Setting) -> int:
    """Return how many queries led to the last budget."""
    return run.labels.index(setting.budgets[-1])


def _pool(setting: Setting, asked: Mapping[str, tuple[int, ...]]) -> ClassFrequencies | None:
    for run in setting.passive.values():
        return ClassFrequencies(_shares(run.initial_mix), sum(run.initial_mix), "all labels")
    if setting.reference is not None and setting.reference in asked:
        counts = asked[setting.reference]
        return ClassFrequencies(_shares(counts), sum(counts), "random queries")
    return None
