"""The report as one page that needs nothing else: no scripts, no fonts, no network."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from al_lightning.report.figures.gallery import Picture
from al_lightning.report.page.chapter import Chapter
from al_lightning.report.page.overview import Overview
from al_lightning.report.page.search_chapter import SearchChapter
from al_lightning.report.study.settings import LeftOut
from al_lightning.report.tables.formats import Table
from al_lightning.utils.pages import environment

# A minus before a number, but not a hyphen inside a name or between two numbers.
_MINUS = re.compile(r"(?<![\w.)-])-(?=\d)")


@dataclass(frozen=True)
class Page:
    """What a page shows.

    Attributes:
        title: Of the report.
        overview: What holds over several settings.
        chapters: One a setting in which strategies are compared.
        searches: One a search for hyperparameters.
        left_out: Runs that are not compared.
        final_scores: Over all settings; None where there are none.
        penalties: Pairwise comparison; None where there are no two strategies.
        penalty_picture: The same as a figure.
        runs: All that were compared; None where none were.
        problems: On journals that could not be read.
    """

    title: str
    overview: Overview
    chapters: Sequence[Chapter]
    searches: Sequence[SearchChapter]
    left_out: Sequence[LeftOut]
    final_scores: Table | None
    penalties: Table | None
    penalty_picture: Picture | None
    runs: Table | None
    problems: Sequence[str]


def render(page: Page) -> str:
    """Return a page as HTML."""
    templates = environment("al_lightning.report.page")
    templates.filters |= {"typeset": typeset, "figure": _figure}
    return templates.get_template("report.html.j2").render(page=page)


def typeset(text: str) -> str:
    """Return a text with true minus signs."""
    return _MINUS.sub("\u2212", text)


def _figure(value: float | None) -> str:
    """Return a number that an insight rests on, with four digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
