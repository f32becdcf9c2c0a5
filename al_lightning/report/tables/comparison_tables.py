"""Tables of strategies against the reference, and against the best."""

from statistics import fmean

from al_lightning.report.analysis.results import Analysis
from al_lightning.report.rules import Rules
from al_lightning.report.statistics.comparison import Comparison
from al_lightning.report.statistics.paired import PairedDifference, Scores
from al_lightning.report.study.scores import MEASURES
from al_lightning.report.tables.cells import NONE, count_cell, share_cell, strategy_cell
from al_lightning.report.tables.formats import Cell, Column, Raw, Table
from al_lightning.report.wording import interval, percent, points
from al_lightning.report.words.phrases import label_range, reading


def against_reference(analysis: Analysis) -> Table | None:
    """Each strategy against the reference on the first measure; None where there is none."""
    setting = analysis.setting
    if not analysis.against or setting.reference is None:
        return None
    values = analysis.basis.scores
    mine = values[setting.reference]
    reference = [
        strategy_cell(setting.reference),
        count_cell("seeds", len(mine)),
        share_cell("aubc", fmean(mine.values())),
        share_cell("aubc_of_reference", None),
        Cell(NONE, {"difference": None}),
        Cell(NONE, {"low": None, "high": None}),
        Cell("reference", {"reading": "reference"}),
    ]
    return Table(
        name="against_reference",
        caption=f"AUBC of accuracy over {label_range(setting)}, that of {setting.reference} over the "
        "same seeds, and their difference, paired by seed, in percentage points. The 95% intervals are "
        "simultaneous: all hold at once, at all planned looks.",
        columns=difference_columns(f"{setting.reference}, same seeds", setting.reference),
        rows=[
            *(
                [*_paired_aubc(c, values), *difference_cells(c, analysis.rules)]
                for c in analysis.against
            ),
            reference,
        ],
    )


def against_best(analysis: Analysis) -> Table | None:
    """Which strategies can be the best on the first measure; None where there are no two."""
    if not analysis.standings:
        return None
    found = {standing.strategy: standing for standing in analysis.standings}
    reference = analysis.setting.reference
    rows = []
    for standing in (found[name] for name in analysis.order if name in found):
        text = "can be the best" if standing.can_be_best else "not the best"
        behind = standing.behind
        rows.append(
            [
                strategy_cell(standing.strategy),
                Cell(text, {"can_be_best": standing.can_be_best}),
                Cell(NONE if behind is None else percent(behind), {"behind_at_most": behind}),
            ]
        )
    without = f", without {reference}" if reference else ""
    return Table(
        name="against_best",
        caption=f"The strategies against the best of them{without}, on AUBC of accuracy over "
        f"{label_range(analysis.setting)}: which can be the best, and by how many percentage points "
        "each is behind it at most. With 95% confidence, all best ones are among those that can be, "
        "and all bounds hold at once.",
        columns=[
            Column("strategy", numeric=False),
            Column("reading", numeric=False),
            Column("behind by at most"),
        ],
        rows=rows,
    )


def other_measures(analysis: Analysis) -> Table | None:
    """Each strategy against the reference on the other measures; None where there is none."""
    measures = [m for m in MEASURES[1:] if m.key in analysis.other_measures]
    if not measures:
        return None
    names = [name for name in analysis.order if name != analysis.setting.reference]
    return Table(
        name="other_measures",
        caption=f"Differences to {analysis.setting.reference} on other measures, paired by seed, in "
        "percentage points with unadjusted 95% intervals. They do not enter the verdict.",
        columns=[
            Column("strategy", numeric=False),
            *(Column(measure.name) for measure in measures),
        ],
        rows=[
            [
                strategy_cell(name),
                *(_unadjusted(analysis.other_measures[m.key][name], m.key) for m in measures),
            ]
            for name in names
        ],
    )


def _paired_aubc(comparison: Comparison, values: Scores) -> list[Cell]:
    """Return the mean scores of both sides of a difference, over the seeds that both have."""
    seeds = comparison.difference.seeds if comparison.difference else ()
    mine, other = (values.get(n, {}) for n in (comparison.strategy, comparison.reference))
    return [
        strategy_cell(comparison.strategy),
        count_cell("seeds", len(seeds)),
        share_cell("aubc", fmean(mine[s] for s in seeds) if seeds else None),
        share_cell("aubc_of_reference", fmean(other[s] for s in seeds) if seeds else None),
    ]


def difference_columns(other: str, reference: str) -> list[Column]:
    """Return the columns of a table of differences in AUBC to a reference.

    Args:
        other: Heading of the AUBC of the reference.
        reference: What the difference is to.
    """
    return [
        Column("strategy", numeric=False),
        Column("seeds"),
        Column("AUBC"),
        Column(other),
        Column(f"to {reference}"),
        Column("simultaneous 95% interval"),
        Column("reading", numeric=False),
    ]


def difference_cells(comparison: Comparison, rules: Rules) -> list[Cell]:
    """Return a mean difference, its interval, and how it is read."""
    mean = comparison.difference.mean if comparison.difference else None
    low, high = comparison.interval or (None, None)
    return [
        Cell(NONE if mean is None else points(mean), {"difference": mean}),
        Cell(_between(low, high) or NONE, {"low": low, "high": high}),
        Cell(reading(comparison, rules), {"reading": str(comparison.outcome)}),
    ]


def _unadjusted(found: PairedDifference | None, key: str) -> Cell:
    low, high = (found.low, found.high) if found else (None, None)
    raw: dict[str, Raw] = {
        key: found.mean if found else None,
        f"{key}_low": low,
        f"{key}_high": high,
    }
    text = f"{points(found.mean)} {_between(low, high)}".rstrip() if found else NONE
    return Cell(text, raw)


def _between(low: float | None, high: float | None) -> str:
    return interval(low, high) if low is not None and high is not None else ""
