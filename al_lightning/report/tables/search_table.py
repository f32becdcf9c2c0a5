"""The trials of a search as a table."""

from al_lightning.report.study.run_names import plain
from al_lightning.report.study.trials import Search, Trial
from al_lightning.report.tables.cells import NONE, count_cell, share_cell
from al_lightning.report.tables.formats import Cell, Column, Table, word
from al_lightning.report.wording import count, percent
from al_lightning.utils.intervals import wilson_interval


def trials(search: Search, name: str = "trials") -> Table:
    """The trials of a search, the best on validation labels first.

    Args:
        search: Its trials.
        name: Of the table's files.
    """
    several = len(search.strategies) > 1
    area = len(search.budgets) > 1
    labels = " to ".join(dict.fromkeys(count(b) for b in (search.budgets[0], search.budgets[-1])))
    test = [Column("test AUBC, not used to choose")] if area else []
    return Table(
        name=name,
        caption=f"The trials on {search.name} by {search.measure} on validation labels, from {labels} "
        "labels, mean of the seeds, in per cent, the best first. Choose only by this column: choosing "
        "by test figures makes them too high, and so they were not used to choose. No "
        f"difference is tested. {_certainty(search)}{NONE}: not tried over all of these labels.",
        columns=[
            Column("trial"),
            *([Column("strategy", numeric=False)] if several else []),
            *(Column(key, numeric=_is_numeric(key, search)) for key in search.keys),
            Column("seeds"),
            Column("validation AUBC" if area else "validation accuracy"),
            *test,
            Column("test accuracy at the end, not used to choose"),
        ],
        rows=[
            [
                _place(place, trial),
                *([word("strategy", trial.strategy)] if several else []),
                *(_parameter(key, trial) for key in search.keys),
                count_cell("seeds", len(trial.runs)),
                share_cell("validation", trial.validation),
                *([share_cell("test_not_used_to_choose", trial.test)] if area else []),
                share_cell("final_test_not_used_to_choose", trial.final),
            ]
            for place, trial in enumerate(search.trials, start=1)
        ],
    )


def _certainty(search: Search) -> str:
    """Return how sure the best trial's figure is, as a sentence."""
    best = search.best
    labels = min((run.validation_labels for run in best.runs), default=0) if best else 0
    if best is None or best.validation is None or labels == 0:
        return ""
    low, high = (percent(end, 1) for end in wilson_interval(best.validation, labels))
    return (
        f"On {labels:,} labels for validation, an accuracy of {percent(best.validation, 1)}% in one "
        f"run has the 95% interval [{low}, {high}] (Wilson). "
    )


def _place(place: int, trial: Trial) -> Cell:
    known = trial.validation is not None
    return Cell(str(place) if known else NONE, {"place": place if known else None})


def _parameter(key: str, trial: Trial) -> Cell:
    value = trial.parameters.get(key)
    raw = value if value is None or isinstance(value, bool | int | float) else str(value)
    return Cell(plain(value), {key: raw})


def _is_numeric(key: str, search: Search) -> bool:
    values = [trial.parameters.get(key) for trial in search.trials]
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
