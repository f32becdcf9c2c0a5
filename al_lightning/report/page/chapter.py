"""The chapter of a setting: words, figures and tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from al_lightning.report.analysis.results import Analysis
from al_lightning.report.figures.gallery import Picture, pictures
from al_lightning.report.figures.line_styles import LineStyle
from al_lightning.report.study.reproduction import Provenance, provenance
from al_lightning.report.tables.budget_table import by_budget
from al_lightning.report.tables.class_tables import class_mix, class_recall
from al_lightning.report.tables.comparison_tables import (
    against_best,
    against_reference,
    other_measures,
)
from al_lightning.report.tables.formats import Table
from al_lightning.report.tables.image_table import seeds_and_images
from al_lightning.report.tables.savings_tables import label_savings, passive_savings
from al_lightning.report.tables.stopping_table import stopping
from al_lightning.report.tables.time_table import times
from al_lightning.report.wording import decimals_for, listed, percent, points
from al_lightning.report.words.insight import Insight
from al_lightning.report.words.insights import insights
from al_lightning.report.words.phrases import AT_LEAST, seed_range
from al_lightning.report.words.verdict import verdict
from al_lightning.run.advice.wording import sentences

_TABLES = (
    against_reference,
    against_best,
    other_measures,
    seeds_and_images,
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
        slug: Names its places in the page.
        prefix: Of its files' names; empty where it is the only chapter.
        analysis: The numbers.
        verdict: The answer, then a sentence a point.
        glances: Numbers that stand out; empty where nothing is decided.
        insights: What else follows.
        pictures: By kind.
        tables: By name, without the prefix that files have.
        scores: Names of the tables of scores by budget.
        provenance: How it was run.
        advice: On when to stop, in sentences; empty unless there is a single run.
    """

    slug: str
    prefix: str
    analysis: Analysis
    verdict: tuple[str, ...]
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


def write_chapter(
    analysis: Analysis, styles: Mapping[str, LineStyle], slug: str, prefix: str
) -> Chapter:
    """Write the chapter of a setting.

    Args:
        analysis: The numbers.
        styles: A line style for each strategy.
        slug: Unique in the report.
        prefix: Of the files' names.
    """
    return Chapter(
        slug=slug,
        prefix=prefix,
        analysis=analysis,
        verdict=verdict(analysis),
        glances=_glances(analysis),
        insights=insights(analysis),
        pictures=pictures(analysis, styles, prefix),
        tables=tables_of(analysis),
        scores=[table.name for table in by_budget(analysis)],
        provenance=provenance(analysis.setting),
        advice=_advice(analysis),
    )


def tables_of(analysis: Analysis) -> dict[str, Table]:
    """Return the tables of a setting, by name; without those that there is nothing for."""
    found = [table for make in _TABLES if (table := make(analysis)) is not None]
    return {table.name: table for table in (*found, *by_budget(analysis))}


def _advice(analysis: Analysis) -> list[str]:
    runs = analysis.setting.known_runs
    if len(runs) != 1 or runs[0].advice is None:
        return []
    return sentences(runs[0].advice, runs[0].classes)


def _glances(analysis: Analysis) -> list[Glance]:
    """Return what those gain that beat the reference and can be the best."""
    leaders, reference = analysis.leaders, analysis.setting.reference
    if not leaders:
        return []
    gains = [c for c in analysis.against if c.strategy in leaders]
    decimals = decimals_for(*(c.mean for c in gains))
    seeds = seed_range([c.seeds for c in gains])
    glances = [
        Glance(
            _from_to([points(c.mean, decimals) for c in gains]),
            "points of AUBC",
            f"{listed(leaders)} over {reference}, {seeds}",
        )
    ]
    found = [analysis.savings[name] for name in leaders if name in analysis.savings]
    medians = sorted(each.median or 0.0 for each in found)
    if medians and round(100 * medians[0]) > 0:
        share = _from_to([percent(median, 0) for median in medians])
        over = seed_range([each.known for each in found])
        detail = f"to reach {reference}'s final accuracy, median of {over}"
        least = AT_LEAST if any(each.at_least for each in found) else ""
        glances.append(Glance(f"{least}{share}%", "fewer labels", detail))
    if gaps := [analysis.gaps[name] for name in leaders if name in analysis.gaps]:
        share = _from_to(sorted((percent(gap.share, 1) for gap in gaps), key=float))
        detail = f"with {percent(analysis.setting.budgets[-1] / gaps[0].labels, 1)}% of its labels"
        glances.append(Glance(f"{share}%", "of passive accuracy", detail))
    return glances


def _from_to(texts: list[str]) -> str:
    return texts[0] if texts[0] == texts[-1] else f"{texts[0]} to {texts[-1]}"
