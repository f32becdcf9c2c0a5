"""The table of what model and strategy bring, by budget."""

from collections.abc import Sequence

from al_lightning.report.analysis.model_effects import ModelEffect
from al_lightning.report.statistics.paired import PairedDifference
from al_lightning.report.statistics.two_factors import TwoFactors
from al_lightning.report.tables.cells import NONE
from al_lightning.report.tables.formats import Cell, Column, Table, word
from al_lightning.report.wording import count, interval, points


def model_effects_table(effects: Sequence[ModelEffect]) -> Table | None:
    """Effects of model and strategy and their interaction, by budget; None where there are none."""
    rows = [
        [
            word("dataset", effect.dataset),
            Cell(
                f"{effect.models[1]} / {effect.models[0]}",
                {"model": effect.models[1], "instead_of_model": effect.models[0]},
            ),
            Cell(
                f"{effect.strategies[1]} / {effect.strategies[0]}",
                {"strategy": effect.strategies[1], "instead_of_strategy": effect.strategies[0]},
            ),
            Cell(count(labels), {"labels": labels}),
            *_effects(found),
        ]
        for effect in effects
        for labels, found in effect.budgets.items()
    ]
    if not rows:
        return None
    return Table(
        name="model_effects",
        caption="What another model brings in accuracy (mean over the two strategies), what another "
        "strategy brings (mean over the two models), and by how much more the strategy brings with "
        "the first model named, their interaction. In percentage points, paired by seed and first "
        "labels, with unadjusted 95% intervals.",
        columns=[
            Column("data set", numeric=False),
            Column("model / instead of", numeric=False),
            Column("strategy / instead of", numeric=False),
            Column("labels"),
            Column("model"),
            Column("strategy"),
            Column("interaction"),
            Column("model minus strategy"),
        ],
        rows=rows,
    )


def _effects(found: TwoFactors) -> list[Cell]:
    return [
        _cell("model_effect", found.first),
        _cell("strategy_effect", found.second),
        _cell("interaction", found.interaction),
        _cell("model_minus_strategy", found.lead),
    ]


def _cell(key: str, found: PairedDifference) -> Cell:
    low, high = found.low, found.high
    between = NONE if low is None or high is None else interval(low, high)
    return Cell(
        f"{points(found.mean)} {between}", {key: found.mean, f"{key}_low": low, f"{key}_high": high}
    )
