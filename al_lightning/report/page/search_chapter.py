"""A search, told in full: words, and a table."""

from dataclasses import dataclass

from al_lightning.report.study.commands import command_of
from al_lightning.report.study.trials import Search, verdict
from al_lightning.report.tables.formats import Table
from al_lightning.report.tables.search_table import trials


@dataclass(frozen=True)
class SearchChapter:
    """What a report says of a search.

    Attributes:
        slug: Names its files and its places in the page.
        search: The trials.
        verdict: In a few sentences.
        table: All trials.
        command: What plays the best trial again; None where that is not known.
    """

    slug: str
    search: Search
    verdict: str
    table: Table
    command: str | None


def write_search(search: Search, slug: str, prefix: str) -> SearchChapter:
    """Tell a search.

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
        command=command_of(search.best.runs) if search.best else None,
    )
