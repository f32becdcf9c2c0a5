"""Tables of strategies against the reference, and against each other."""

from statistics import fmean

from al_lightning.report.analysis.results import Analysis
from al_lightning.report.statistics.comparison import Comparison, Outcome
from al_lightning.report.study.scores import MEASURES, Scores
from al_lightning.report.tables.cells import NONE, count_cell, p_text, share_cell, strategy_cell
from al_lightning.report.tables.formats import Cell, Column, Raw, Table, word
from al_lightning.report.words.phrases import more_seeds
from al_lightning.report.words.wording import count, interval, points


def against_reference(analysis: Analysis) -> Table | None:
    """Each strategy against the reference on the first measure; None where there is none."""
    setting, key = analysis.setting, MEASURES[0].key
    found = analysis.against.get(key)
    if not found or setting.reference is None:
        return None
    over = f"[{count(setting.budgets[0])}, {count(setting.budgets[-1])}]"
    values = analysis.scores[key]
    mine = values[setting.reference]
    reference = [
        strategy_cell(setting.reference),
        count_cell("seeds", len(mine)),
        share_cell("aubc", fmean(mine.values())),
        share_cell("aubc_of_reference", None),
        *_no_comparison(),
    ]
    return Table(
        name="against_reference",
        caption=f"AUBC of accuracy over {over} labels, that of {setting.reference} over the same "
        "seeds, and their difference, paired by seed: mean, 95% interval by Student's t, two-sided "
        "p adjusted by Holm over the strategies. In percentage points.",
        columns=[
            Column("strategy", numeric=False),
            Column("seeds"),
            Column("AUBC"),
            Column(f"{setting.reference}, same seeds"),
            Column(f"to {setting.reference}"),
            Column("95% interval"),
            Column("p (Holm)"),
            Column("reading", numeric=False),
        ],
        rows=[*([*_paired_aubc(c, values), *_comparison(c)] for c in found), reference],
    )


def all_pairs(analysis: Analysis) -> Table | None:
    """All pairs of strategies on the first measure; None where there are no two."""
    if not analysis.pairs:
        return None
    ordered = sorted(analysis.pairs, key=lambda c: (c.p is None, c.p, -abs(c.mean)))
    rows = [
        [
            strategy_cell(c.strategy),
            word("reference", c.reference),
            Cell(str(c.seeds), {"seeds": c.seeds}),
            *_comparison(c),
        ]
        for c in ordered
    ]
    return Table(
        name="all_pairs",
        caption="All pairs of strategies on AUBC of accuracy: first minus second, in percentage "
        "points, paired by seed; p adjusted by Holm over all pairs.",
        columns=[
            Column("strategy", numeric=False),
            Column("against", numeric=False),
            Column("seeds"),
            Column("difference"),
            Column("95% interval"),
            Column("p (Holm)"),
            Column("reading", numeric=False),
        ],
        rows=rows,
    )


def other_measures(analysis: Analysis) -> Table | None:
    """Each strategy against the reference on the other measures; None where there is none."""
    measures = [m for m in MEASURES[1:] if m.key in analysis.against]
    if not measures:
        return None
    found = {m.key: {c.strategy: c for c in analysis.against[m.key]} for m in measures}
    names = [c.strategy for c in analysis.against[measures[0].key]]
    return Table(
        name="other_measures",
        caption=f"Differences to {analysis.setting.reference} on other measures, paired by seed, "
        "in percentage points with 95% intervals; * where p, adjusted by Holm within the measure, "
        "is below 0.05. They do not enter the verdict.",
        columns=[
            Column("strategy", numeric=False),
            *(Column(measure.name) for measure in measures),
        ],
        rows=[
            [strategy_cell(name), *(_starred(found[m.key][name], m.key) for m in measures)]
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


def _comparison(comparison: Comparison) -> list[Cell]:
    found = comparison.difference
    if found is None:
        return _no_comparison("no common seed")
    low, high = found.low, found.high
    between = interval(low, high) if low is not None and high is not None else NONE
    reading = str(comparison.outcome)
    if comparison.outcome is Outcome.UNDECIDED:
        reading = f"{reading}, {more_seeds(comparison)}"
    return [
        Cell(points(found.mean), {"difference": found.mean}),
        Cell(between, {"low": low, "high": high}),
        Cell(p_text(comparison.p), {"p": found.p, "p_holm": comparison.p}),
        Cell(
            reading,
            {
                "reading": str(comparison.outcome),
                "seeds_compared": comparison.seeds,
                "seeds_needed": comparison.needed,
            },
        ),
    ]


def _no_comparison(reading: str = "reference") -> list[Cell]:
    return [
        Cell(NONE, {"difference": None}),
        Cell(NONE, {"low": None, "high": None}),
        Cell(NONE, {"p": None, "p_holm": None}),
        Cell(reading, {"reading": reading, "seeds_compared": None, "seeds_needed": None}),
    ]


def _starred(comparison: Comparison, key: str) -> Cell:
    found = comparison.difference
    raw: dict[str, Raw] = {
        key: found.mean if found else None,
        f"{key}_low": found.low if found else None,
        f"{key}_high": found.high if found else None,
        f"{key}_p_holm": comparison.p,
    }
    if found is None:
        return Cell(NONE, raw)
    between = (
        f" {interval(found.low, found.high)}"
        if found.low is not None and found.high is not None
        else ""
    )
    star = "*" if comparison.outcome in (Outcome.BETTER, Outcome.WORSE) else ""
    return Cell(f"{points(found.mean)}{star}{between}", raw)
