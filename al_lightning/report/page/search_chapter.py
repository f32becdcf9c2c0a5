"""The chapter of a search for hyperparameters: its verdict and its table."""

from collections.abc import Sequence
from dataclasses import dataclass

from al_lightning.report.study.commands import commands_of
from al_lightning.report.study.trials import Search, verdict
from al_lightning.report.tables.formats import Table
from al_lightning.report.tables.search_table import trials


@dataclass(frozen=True)
class SearchChapter:
    """The parts of a report on a search for hyperparameters.

    Attributes:
        slug: Names its files and its places in the page.
        search: The trials.
        verdict: In a few sentences.
        table: All trials.
        commands: Commands to reproduce the runs of the best trial.
    """

    slug: str
    search: Search
    verdict: str
    table: Table
    commands: Sequence[str]


def write_search(search: Search, slug: str, prefix: str) -> SearchChapter:
    """Write the chapter of a search.

    Args:
        search: Its trials.
        slug: Unique in the report.
        prefix: Of the files' names.
    """
    return SearchChapter(
        slug=slug,
        search=search,
        verdict=verdict(search),
        table=trials(search, f"{prefix}trials"),
        commands=commands_of(search.best.runs) if search.best else (),
    )
