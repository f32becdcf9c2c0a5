"""Tables of labels saved, against the reference and against labeling everything."""

from al_lightning.report.analysis.results import Analysis
from al_lightning.report.analysis.savings import PASSIVE_SHARES
from al_lightning.report.statistics.efficiency import Bounded, Crossing
from al_lightning.report.tables.cells import CROSSING_MARKS, share_cell, strategy_cell
from al_lightning.report.tables.formats import Cell, Column, Raw, Table
from al_lightning.report.words.phrases import bounded_percent
from al_lightning.report.words.wording import count, percent, points


def label_savings(analysis: Analysis) -> Table | None:
    """Labels to reach the reference's final accuracy; None without a reference."""
    reference = analysis.setting.reference
    if not analysis.savings or reference is None:
        return None
    rows = []
    for name in [name for name in analysis.order if name in analysis.savings]:
        found = analysis.savings[name]
        saving = f"{found.seeds_saving} of {found.seeds}"
        rows.append(
            [
                strategy_cell(name),
                _crossing("labels_needed", found.strategy),
                _crossing("reference_needs", found.reference),
                _share("saved", found.saved),
                Cell(saving, {"seeds_saving": found.seeds_saving, "seeds": found.seeds}),
                _saved_range(found.extremes),
                Cell(points(-found.shortfall), {"ends_above": -found.shortfall}),
            ]
        )
    return Table(
        name="label_savings",
        caption=f"Labels until the mean curve first reaches {reference}'s accuracy at the last "
        "common budget, by linear interpolation. >: not within the budget; "
        "\u2264: from the first labels on. Labels saved follow with their bounds. Then: seeds in "
        f"which the strategy needs fewer labels than {reference} of the same seed for the accuracy "
        f"of the latter, the smallest and largest saving, and how far above {reference}'s accuracy "
        "the mean curve ends, in percentage points.",
        columns=[
            Column("strategy", numeric=False),
            Column("labels needed"),
            Column(f"{reference} needs"),
            Column("labels saved, %"),
            Column("seeds that save"),
            Column("by seed, %"),
            Column("ends above by"),
        ],
        rows=rows,
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


def _crossing(key: str, found: Crossing) -> Cell:
    mark = CROSSING_MARKS[found.kind]
    return Cell(f"{mark}{count(found.labels)}", {key: found.labels, f"{key}_kind": found.kind})


def _crossing_share(share: float, found: Crossing, labels: int) -> Cell:
    mark = CROSSING_MARKS[found.kind]
    key = f"labels_for_{percent(share, 0)}"
    return Cell(
        f"{mark}{percent(found.labels / labels, 1)}%",
        {key: found.labels, f"{key}_kind": found.kind},
    )


def _share(key: str, found: Bounded) -> Cell:
    raw: dict[str, Raw] = {key: found.value, f"{key}_bound": found.bound}
    if found.value is None:
        return Cell("unknown", raw)
    return Cell(bounded_percent(found, 1), raw)


def _saved_range(found: tuple[Bounded, Bounded] | None) -> Cell:
    least, most = found or (None, None)
    raw: dict[str, Raw] = {
        "saved_least": least.value if least else None,
        "saved_most": most.value if most else None,
    }
    if least is None or most is None:
        return Cell("unknown", raw)
    ends = dict.fromkeys((bounded_percent(least), bounded_percent(most)))
    return Cell(" to ".join(ends), raw)
