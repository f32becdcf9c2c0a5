"""A part beside another one: what the setting in which they differ gains or costs each strategy."""

from dataclasses import replace
from statistics import fmean

from al_lightning.report.analysis.results import Analysis
from al_lightning.report.statistics.comparison import compare
from al_lightning.report.statistics.looks import basis
from al_lightning.report.statistics.paired import Scores
from al_lightning.report.study.scores import MEASURES, scores
from al_lightning.report.tables.cells import count_cell, share_cell, strategy_cell
from al_lightning.report.tables.comparison_tables import difference_cells, difference_columns
from al_lightning.report.tables.formats import Table
from al_lightning.report.words.phrases import label_range

_NO_DIFFERENCE = "0"


def beside(analysis: Analysis, other: Analysis, name: str) -> Table | None:
    """Compare each strategy of a part with itself in another part, over the budgets of both.

    Args:
        analysis: Of the part.
        other: Of the other part.
        name: Of the other part.

    Returns:
        A row a strategy, in the order of the part; None where the parts share no strategy and seed.
    """
    settings = [analysis.setting, other.setting]
    budgets = tuple(b for b in settings[0].budgets if b in settings[1].budgets)
    common = [replace(setting, budgets=budgets) for setting in settings]
    here, there = (scores(setting, MEASURES[0]) for setting in common)
    apart = _differences(here, there)
    if not apart:
        return None
    # Strategies are one family, of which each has a reference of its own: so it is of differences.
    zero = {seed: 0.0 for found in apart.values() for seed in found}
    rests_on = basis({**apart, _NO_DIFFERENCE: zero}, _NO_DIFFERENCE, analysis.rules)
    names = [name for name in analysis.order if name in apart]
    claims = bool(rests_on.seeds)
    compared = compare(rests_on.scores, _NO_DIFFERENCE, names, analysis.rules, claims=claims)
    return Table(
        name="beside",
        caption=f"AUBC of accuracy over {label_range(common[0])} at the {len(budgets)} budgets of both "
        f"parts, that in part {name}, and their difference, paired by seed, in percentage points. The "
        "95% intervals are simultaneous: all hold at once.",
        columns=difference_columns(f"in part {name}", f"part {name}"),
        rows=[
            [
                strategy_cell(found.strategy),
                count_cell("seeds", found.seeds),
                share_cell("aubc", _mean(here, rests_on.scores, found.strategy)),
                share_cell("aubc_beside", _mean(there, rests_on.scores, found.strategy)),
                *difference_cells(found, analysis.rules),
            ]
            for found in compared
        ],
    )


def _differences(here: Scores, there: Scores) -> dict[str, dict[int, float]]:
    """Return by how much each strategy scores more here, by the seeds that both have."""
    found = {
        name: {seed: mine[seed] - there[name][seed] for seed in mine if seed in there[name]}
        for name, mine in here.items()
        if name in there
    }
    return {name: by_seed for name, by_seed in found.items() if by_seed}


def _mean(values: Scores, compared: Scores, strategy: str) -> float:
    return fmean(values[strategy][seed] for seed in compared[strategy])
