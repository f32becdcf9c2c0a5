"""Tables of labels saved, against the reference and against labeling everything."""

from collections.abc import Sequence

from al_lightning.report.analysis.results import Analysis
from al_lightning.report.analysis.savings import PASSIVE_SHARES, Savings
from al_lightning.report.statistics.efficiency import Crossing
from al_lightning.report.tables.cells import CROSSING_MARKS, NONE, share_cell, strategy_cell
from al_lightning.report.tables.formats import Cell, Column, Table
from al_lightning.report.wording import count, percent
from al_lightning.report.words.phrases import AT_LEAST, ends


def label_savings(analysis: Analysis) -> Table | None:
    """Labels to reach the reference's final accuracy; None without a reference."""
    reference = analysis.setting.reference
    if not analysis.savings or reference is None:
        return None
    unknown = any(found.unknown for found in analysis.savings.values())
    return Table(
        name="label_savings",
        caption=f"Labels until a run first reaches the last accuracy of {reference} under the same "
        f"seed, by linear interpolation, and the share of {reference}'s labels that this saves: median "
        "of the seeds, with a 95% interval by order statistics from 6 seeds on, else the range. Below "
        "0, it takes more labels. A seed that never reaches it counts as the smallest. Where the first "
        "labels are enough for both, nothing is known, and the seed does not count; where they are "
        "enough for the strategy alone, the saving is at least what is shown.",
        columns=[
            Column("strategy", numeric=False),
            Column("labels saved, %"),
            Column("by seed, %"),
            Column("seeds that save"),
            Column("never reached with", numeric=False),
            *([Column("unknown with", numeric=False)] if unknown else []),
        ],
        rows=[
            _savings(name, analysis.savings[name], unknown)
            for name in analysis.order
            if name in analysis.savings
        ],
    )


def passive_savings(analysis: Analysis) -> Table | None:
    """Labels to come near the passive baseline; None without one."""
    length = analysis.setting.passive_length
    if not analysis.gaps or length is None:
        return None
    labels = next(iter(analysis.gaps.values())).labels
    rows = []
    for name in [name for name in analysis.order if name in analysis.gaps]:
        gap = analysis.gaps[name]
        rows.append(
            [
                strategy_cell(name),
                Cell(
                    f"{gap.seeds}{'' if gap.paired else ', not paired'}",
                    {"seeds": gap.seeds, "paired": gap.paired},
                ),
                share_cell("final_accuracy", gap.final),
                share_cell("passive_accuracy", gap.accuracy),
                Cell(f"{percent(gap.share, 1)}%", {"share_of_passive": gap.share}),
                *(_crossing_share(s, gap.shares[s], gap.labels) for s in PASSIVE_SHARES),
            ]
        )
    return Table(
        name="passive_savings",
        caption=f"Against the passive baseline with all {count(labels)} labels, trained for "
        f"{length.text}, over the seeds that both have: accuracy at the last common budget, that of "
        "the baseline, the share of it, and the share of all labels until the mean curve reaches "
        "95, 98, 99 and 100% of the baseline's accuracy. >: not within the budget; \u2264: from the "
        "first labels on.",
        columns=[
            Column("strategy", numeric=False),
            Column("seeds"),
            Column("accuracy, %"),
            Column("passive, %"),
            Column("of passive"),
            *(Column(f"labels for {percent(s, 0)}%") for s in PASSIVE_SHARES),
        ],
        rows=rows,
    )


def saved(found: Savings) -> str:
    """Return the median of the labels saved, in per cent, as text."""
    if found.median is None:
        return "never" if found.never else "unknown"
    return f"{AT_LEAST if found.at_least else ''}{percent(found.median, 1)}"


def _savings(name: str, found: Savings, unknown: bool) -> list[Cell]:
    """Return a row; ``unknown`` says whether it has a cell for the seeds of which nothing is known."""
    kind = "95% interval" if found.confident else "range"
    between = f"{ends(found)} ({kind})" if found.known else ends(found)
    saving = {"seeds_saving": found.seeds_saving, "seeds": found.known}
    return [
        strategy_cell(name),
        Cell(saved(found), {"saved": found.median}),
        Cell(between, {"saved_low": found.low, "saved_high": found.high}),
        Cell(f"{found.seeds_saving} of {found.known}" if found.known else NONE, saving),
        Cell(_named(found.never), {"never": _seeds(found.never)}),
        *([Cell(_named(found.unknown), {"unknown": _seeds(found.unknown)})] if unknown else []),
    ]


def _crossing_share(share: float, found: Crossing, labels: int) -> Cell:
    mark = CROSSING_MARKS[found.kind]
    key = f"labels_for_{percent(share, 0)}"
    return Cell(
        f"{mark}{percent(found.labels / labels, 1)}%",
        {key: found.labels, f"{key}_kind": found.kind},
    )


def _named(seeds: Sequence[int]) -> str:
    return f"seed{'s' * (len(seeds) > 1)} {_seeds(seeds)}" if seeds else "none"


def _seeds(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, seeds)) or "none"
