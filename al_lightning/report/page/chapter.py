"""The chapter of a setting: words, figures and tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from al_lightning.report.analysis.results import Analysis
from al_lightning.report.figures.gallery import Picture, pictures
from al_lightning.report.figures.looks import Look
from al_lightning.report.statistics.comparison import Comparison
from al_lightning.report.study.reproduction import Provenance, provenance
from al_lightning.report.study.scores import MEASURES
from al_lightning.report.tables.budget_table import by_budget
from al_lightning.report.tables.class_tables import class_mix, class_recall
from al_lightning.report.tables.comparison_tables import (
    against_reference,
    all_pairs,
    other_measures,
)
from al_lightning.report.tables.formats import Table
from al_lightning.report.tables.image_table import seeds_and_images
from al_lightning.report.tables.savings_tables import label_savings, passive_savings
from al_lightning.report.tables.stopping_table import stopping
from al_lightning.report.tables.time_table import times
from al_lightning.report.words.insight import Insight
from al_lightning.report.words.insights import insights
from al_lightning.report.words.phrases import bounded_percent
from al_lightning.report.words.verdict import verdict
from al_lightning.report.words.wording import counted, decimals_for, interval, percent, points
from al_lightning.run.advice.wording import sentences

_TABLES = (
    against_reference,
    other_measures,
    seeds_and_images,
    all_pairs,
    label_savings,
    passive_savings,
    class_recall,
    class_mix,
    times,
    stopping,
)


@dataclass(frozen=True)
class Glance:
    """A number that stands out.

    Attributes:
        number: As it is shown.
        meaning: What it is, as a continuation of the number.
        detail: What it rests on.
    """

    number: str
    meaning: str
    detail: str


@dataclass(frozen=True)
class Chapter:
    """The parts of a report on a setting.

    Attributes:
        slug: Names its files and its places in the page.
        analysis: The numbers.
        verdict: In two or three sentences.
        glances: Numbers that stand out; empty where nothing is decided.
        insights: What else follows.
        pictures: By kind.
        tables: By name, without the prefix that files have.
        scores: Names of the tables of scores by budget.
        provenance: How it was run.
        advice: On when to stop, in sentences; empty unless there is a single run.
    """

    slug: str
    analysis: Analysis
    verdict: str
    glances: Sequence[Glance]
    insights: Sequence[Insight]
    pictures: Mapping[str, Picture]
    tables: Mapping[str, Table]
    scores: Sequence[str]
    provenance: Provenance
    advice: Sequence[str]

    @property
    def alone(self) -> bool:
        """Whether there is one strategy or none, and no passive baseline: nothing to compare."""
        setting = self.analysis.setting
        return len(setting.runs) + bool(setting.passive) < 2  # noqa: PLR2004 - to compare

    @property
    def sampled(self) -> str:
        """What intervals of differences are over, in a sentence; empty where there are none."""
        sample = self.analysis.image_sample
        if sample is None:
            return ""
        if sample.missing:
            return (
                "All intervals are over seeds alone, on these test images. Intervals over other test "
                f"images need the predictions of every run: {sample.missing}."
            )
        return (
            "Intervals are over seeds alone, on these test images, but for those in the table of seeds "
            "and images."
        )

    @property
    def curves(self) -> list[str]:
        """The kinds of pictures that are learning curves."""
        return [name for name in self.pictures if self.pictures[name].curves]


def write_chapter(analysis: Analysis, looks: Mapping[str, Look], slug: str, prefix: str) -> Chapter:
    """Write the chapter of a setting.

    Args:
        analysis: The numbers.
        looks: A look for each strategy.
        slug: Unique in the report.
        prefix: Of the files' names.
    """
    tables = [table for make in _TABLES if (table := make(analysis)) is not None]
    scores = [*by_budget(analysis)]
    return Chapter(
        slug=slug,
        analysis=analysis,
        verdict=verdict(analysis),
        glances=_glances(analysis),
        insights=insights(analysis),
        pictures=pictures(analysis, looks, prefix),
        tables={table.name: table for table in (*tables, *scores)},
        scores=[table.name for table in scores],
        provenance=provenance(analysis.setting),
        advice=_advice(analysis),
    )


def _advice(analysis: Analysis) -> list[str]:
    runs = [*analysis.setting.all_runs, *analysis.setting.unfinished]
    if len(runs) != 1 or runs[0].advice is None:
        return []
    return sentences(runs[0].advice, runs[0].classes)


def _glances(analysis: Analysis) -> list[Glance]:
    best, reference = analysis.best, analysis.setting.reference
    if best is None:
        return []
    first = next(c for c in analysis.against[MEASURES[0].key] if c.strategy == best)
    glances = [_gain(first)]
    saving = analysis.savings[best]
    if saving.claimed:
        detail = (
            f"to reach {reference}'s final accuracy, in {saving.seeds_saving} of "
            f"{counted(saving.seeds, 'seed')}"
        )
        glances.append(Glance(f"{bounded_percent(saving.saved)}%", "fewer labels", detail))
    if best in analysis.gaps:
        gap, labels = analysis.gaps[best], analysis.setting.budgets[-1]
        detail = f"with {percent(labels / gap.labels, 1)}% of its labels"
        glances.append(Glance(f"{percent(gap.share, 1)}%", "of passive accuracy", detail))
    return glances


def _gain(comparison: Comparison) -> Glance:
    found = comparison.difference
    low, high = (found.low, found.high) if found else (None, None)
    decimals = decimals_for(comparison.mean)
    between = f"{interval(low, high, decimals)}, " if low is not None and high is not None else ""
    return Glance(
        points(comparison.mean, decimals),
        "points of AUBC",
        f"{comparison.strategy} over {comparison.reference} "
        f"{between}{counted(comparison.seeds, 'seed')}",
    )
