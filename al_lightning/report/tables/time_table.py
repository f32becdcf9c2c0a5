"""The table of where the time went."""

from al_lightning.report.analysis.costs import Costs
from al_lightning.report.analysis.results import Analysis
from al_lightning.report.statistics.efficiency import Crossing
from al_lightning.report.study.runs import PHASES
from al_lightning.report.tables.cells import CROSSING_MARKS, NONE, passive_cell, strategy_cell
from al_lightning.report.tables.formats import Cell, Column, Table
from al_lightning.report.wording import percent, seconds


def times(analysis: Analysis) -> Table | None:
    """Time per stage; None where there are no runs."""
    if not analysis.costs and analysis.passive_costs is None:
        return None
    reference = analysis.setting.reference
    compared = reference is not None
    rows = [
        [strategy_cell(name), *_times(analysis.costs[name], compared)] for name in analysis.order
    ]
    if analysis.passive_costs is not None and analysis.setting.passive_length is not None:
        rows.append(
            [
                passive_cell(analysis.setting.passive_length),
                *_times(analysis.passive_costs, compared),
            ]
        )
    until = (
        f"; and of its fits and queries until it reaches {reference}'s last accuracy of the same seed"
        if compared
        else ""
    )
    return Table(
        name="times",
        caption="Seconds of a mean round by phase, of a mean query (scoring the pool and "
        f"selecting), and of a run{until}; medians of the seeds. As measured: other load on the "
        "machine is included.",
        columns=[
            Column("strategy", numeric=False),
            *(Column(phase) for phase in PHASES),
            Column("a query"),
            Column("query / fit, %"),
            Column("a run"),
            *([Column(f"to {reference}'s accuracy")] if compared else []),
        ],
        rows=rows,
    )


def _times(found: Costs, compared: bool) -> list[Cell]:
    return [
        *(Cell(seconds(found.per_round[p]), {f"{p}_a_round": found.per_round[p]}) for p in PHASES),
        Cell(NONE if found.query is None else seconds(found.query), {"query": found.query}),
        Cell(
            NONE
            if found.query_share is None or found.query is None
            else percent(found.query_share, 1),
            {"query_share": found.query_share},
        ),
        Cell(seconds(found.total), {"run": found.total}),
        *([_reached(found.to_reference)] if compared else []),
    ]


def _reached(crossing: Crossing | None) -> Cell:
    return Cell(
        NONE if crossing is None else CROSSING_MARKS[crossing.kind] + seconds(crossing.labels),
        {
            "to_reference": crossing.labels if crossing else None,
            "to_reference_kind": crossing.kind if crossing else None,
        },
    )
