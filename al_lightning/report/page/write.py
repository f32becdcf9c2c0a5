"""Writes a report: a page, figures, tables, and all numbers for programs."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from al_lightning.report.analysis.results import Analysis, analyse, penalties
from al_lightning.report.figures.gallery import Picture, penalty_picture
from al_lightning.report.figures.line_styles import line_styles
from al_lightning.report.frame import RESULTS
from al_lightning.report.page.chapter import Chapter, write_chapter
from al_lightning.report.page.facts import facts
from al_lightning.report.page.html import Page, render
from al_lightning.report.page.overview import Overview, write_overview
from al_lightning.report.page.search_chapter import SearchChapter, write_search
from al_lightning.report.page.target import FACTS, digest, replace_files, require_no_links
from al_lightning.report.rules import Rules
from al_lightning.report.study.grouping import build_study
from al_lightning.report.study.measured import with_metrics
from al_lightning.report.study.recorded_rules import recorded_rules
from al_lightning.report.study.runs import read_runs
from al_lightning.report.study.settings import LeftOut, Setting
from al_lightning.report.study.trials import Search, searches
from al_lightning.report.tables.formats import Table, to_csv, to_latex, to_markdown
from al_lightning.report.tables.penalty_table import penalties as penalty_table
from al_lightning.report.tables.run_table import runs as run_table
from al_lightning.report.tables.score_table import final_scores
from al_lightning.report.tables.tidy import tidy_scores, to_tidy_csv, to_tidy_parquet
from al_lightning.report.wording import count, listed
from al_lightning.report.words.phrases import place
from al_lightning.utils.errors import UsageError

PAGE = "report.html"
_LONGEST_SLUG = 60


@dataclass(frozen=True)
class Report:
    """A report that was written.

    Attributes:
        verdict: For the console: what holds over several settings, a sentence a paragraph; then a
            paragraph a setting that is compared, and one a search.
        page: The HTML file.
        problems: Journals that could not be read, and runs that are left out, a message each.
        analyses: All numbers, one a setting, trials of searches included.
    """

    verdict: str
    page: Path
    problems: tuple[str, ...]
    analyses: tuple[Analysis, ...]


def write_report(
    folders: Sequence[Path],
    target: Path,
    title: str | None = None,
    metrics: Sequence[str] = (),
    rules: Rules | None = None,
    changes: Mapping[str, Any] | None = None,
) -> Report:
    """Write a report on runs.

    The same journals give the same files. A report that is there is replaced file by file, the page
    last, so that there is a whole page at any time.

    Args:
        folders: Run folders, or folders somewhere above them.
        target: Folder of the report; made where it does not exist.
        title: Of the page; by default what was compared.
        metrics: More metrics, by their names in torchmetrics, from the predictions that runs keep.
        rules: By which differences are read; by default those that the runs recorded, see
            :func:`~al_lightning.report.study.recorded_rules.recorded_rules`.
        changes: Single rules that are others, by name.

    Raises:
        UsageError: If there is no run to report on, a metric cannot be computed, a rule is not what it
            must be, or the target cannot be written; names the folders.
    """
    require_no_links(target)
    runs, unreadable = read_runs(_existing(folders))
    if not runs:
        named = ", ".join(str(folder) for folder in folders)
        raise UsageError("\n".join([f"There is no run to report on in {named}", *unreadable]))
    settings = build_study(with_metrics(runs, metrics))
    found = searches(settings)
    shown = {setting.name for setting in compared(settings, found)}
    rules = replace(rules or recorded_rules(runs), **(changes or {}))
    analyses = tuple(analyse(setting, rules) for setting in settings)
    chapters = _chapters([each for each in analyses if each.setting.name in shown])
    overview = write_overview([chapter.analysis for chapter in chapters], rules)
    tried = _search_chapters(found)
    heading = title or _title(chapters, tried)
    replace_files(target, _files(heading, settings, overview, chapters, tried, unreadable))
    left_out = [
        f"{left.run.folder} is left out: {left.reason}"
        for setting in settings
        for left in setting.left_out
    ]
    answers = ["\n- ".join(chapter.verdict) for chapter in chapters]
    said = "\n\n".join([*overview.sentences, *answers, *(search.verdict for search in tried)])
    return Report(said, target / PAGE, (*unreadable, *left_out), analyses)


def compared(settings: Sequence[Setting], found: Sequence[Search]) -> list[Setting]:
    """Return the settings that have a chapter of their own: all but the trials of searches."""
    tried = {trial.setting.name for search in found for trial in search.trials}
    own = [
        setting
        for setting in settings
        if not setting.trial or (setting.name not in tried and setting.all_runs)
    ]
    return own if own or found else list(settings)


def _existing(folders: Sequence[Path]) -> Sequence[Path]:
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"{folder} is no folder; name a run's folder, or one above it")
    return folders


def _title(chapters: Sequence[Chapter], tried: Sequence[SearchChapter]) -> str:
    if not chapters:
        return f"Hyperparameters on {listed([chapter.search.name for chapter in tried])}"
    if len(chapters) == 1:
        return f"Active learning on {place(chapters[0].analysis.setting)}"
    return f"Active learning in {count(len(chapters))} settings"


def _search_chapters(found: Sequence[Search]) -> list[SearchChapter]:
    slugs = _slugs([search.name for search in found])
    several = len(found) > 1
    return [
        write_search(search, f"search-{slug}", f"{slug}-" if several else "")
        for search, slug in zip(found, slugs, strict=True)
    ]


def _chapters(analyses: Sequence[Analysis]) -> list[Chapter]:
    names = {name for analysis in analyses for name in analysis.setting.runs}
    reference = next((a.setting.reference for a in analyses if a.setting.reference), None)
    styles = line_styles(sorted(names), reference)
    slugs = _slugs([analysis.setting.name for analysis in analyses])
    several = len(analyses) > 1
    return [
        write_chapter(analysis, styles, slug, f"{slug}-" if several else "")
        for analysis, slug in zip(analyses, slugs, strict=True)
    ]


def _slugs(names: Sequence[str]) -> list[str]:
    """Return a short form of each name that files and links can have; unique."""
    slugs: list[str] = []
    for name in names:
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:_LONGEST_SLUG].rstrip("-")
        slugs.append(f"{slug}-{len(slugs) + 1}" if slug in slugs or not slug else slug)
    return slugs


def _files(
    title: str,
    settings: Sequence[Setting],
    overview: Overview,
    chapters: Sequence[Chapter],
    tried: Sequence[SearchChapter],
    problems: Sequence[str],
) -> dict[str, bytes]:
    """Return all files of a report by their paths in its folder, the page last."""
    analyses = [chapter.analysis for chapter in chapters]
    matrix = penalties(settings)
    left_out: list[LeftOut] = [left for setting in settings for left in setting.left_out]
    page = Page(
        title=title,
        overview=overview,
        chapters=chapters,
        searches=tried,
        left_out=left_out,
        final_scores=final_scores(analyses),
        penalties=penalty_table(matrix) if matrix else None,
        penalty_picture=penalty_picture(matrix) if matrix else None,
        runs=run_table(settings),
        problems=problems,
    )
    over_all = (overview.models, page.final_scores, page.penalties, page.runs)
    shared = [table for table in over_all if table]
    files = _results(settings)
    for table in [*shared, *(chapter.table for chapter in tried)]:
        files |= _table_files(table, "")
    for chapter in chapters:
        for table in chapter.tables.values():
            files |= _table_files(table, chapter.prefix)
        for picture in chapter.pictures.values():
            files |= _picture_files(picture)
    if page.penalty_picture:
        files |= _picture_files(page.penalty_picture)
    names = sorted([*files, FACTS, PAGE])
    digests = {name: digest(content) for name, content in sorted(files.items())}
    files[FACTS] = facts(page, shared, matrix, names, digests).encode()
    files[PAGE] = render(page).encode()
    return files


def _results(settings: Sequence[Setting]) -> dict[str, bytes]:
    scores = tidy_scores(settings)
    columns = to_tidy_parquet(scores)
    more = {} if columns is None else {"results.parquet": columns}
    return {RESULTS: to_tidy_csv(scores).encode(), **more}


def _table_files(table: Table, prefix: str) -> dict[str, bytes]:
    texts = {"csv": to_csv(table), "md": to_markdown(table), "tex": to_latex(table)}
    return {f"tables/{prefix}{table.name}.{end}": text.encode() for end, text in texts.items()}


def _picture_files(picture: Picture) -> dict[str, bytes]:
    stem = f"figures/{picture.name}"
    return {f"{stem}.svg": picture.svg.encode(), f"{stem}.png": picture.png}
