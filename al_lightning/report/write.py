"""Writes a report: a page, figures, tables, and all numbers for programs."""

import json
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from al_lightning.errors import UsageError
from al_lightning.report.analysis import Analysis, analyse, penalties
from al_lightning.report.chapter import Chapter, write_chapter
from al_lightning.report.facts import facts
from al_lightning.report.gallery import Picture, penalty_picture
from al_lightning.report.looks import Look, looks
from al_lightning.report.page import Page, render
from al_lightning.report.result_tables import final_scores, tuning
from al_lightning.report.result_tables import penalties as penalty_table
from al_lightning.report.result_tables import runs as run_table
from al_lightning.report.run import read_runs
from al_lightning.report.study import Setting, build_study
from al_lightning.report.tables import Table, to_csv, to_latex, to_markdown
from al_lightning.report.verdict import place
from al_lightning.report.wording import count

PAGE = "report.html"
_FACTS = "report.json"
_LONGEST_SLUG = 60
_OURS = re.compile(r"(figures/[\w-]+\.(svg|png))|(tables/[\w-]+\.(csv|md|tex))")


@dataclass(frozen=True)
class Report:
    """What a report says, and where it is.

    Attributes:
        verdict: For the console: a paragraph a setting.
        page: The file to look at.
        problems: Journals that could not be read, and runs that are left out, a message each.
        analyses: All numbers, one a setting.
    """

    verdict: str
    page: Path
    problems: tuple[str, ...]
    analyses: tuple[Analysis, ...]


def write_report(folders: Sequence[Path], target: Path, title: str | None = None) -> Report:
    """Write a report on runs.

    The same journals give the same files. A report that is there is replaced file by file, the page
    last, so that there is a whole page at any time.

    Args:
        folders: Run folders, or folders somewhere above them.
        target: Folder of the report; made where it does not exist.
        title: Of the page; by default what was compared.

    Raises:
        UsageError: If there is no run to report on, or the target cannot be written; names the folders.
    """
    runs, unreadable = read_runs(_existing(folders))
    if not runs:
        named = ", ".join(str(folder) for folder in folders)
        raise UsageError("\n".join([f"There is no run to report on in {named}", *unreadable]))
    analyses = tuple(analyse(setting) for setting in build_study(runs))
    chapters = _chapters(analyses)
    _replace(target, _files(title or _title(analyses), chapters, unreadable))
    left_out = [
        f"{left.run.folder} is left out: {left.reason}"
        for analysis in analyses
        for left in analysis.setting.left_out
    ]
    verdicts = "\n\n".join(chapter.verdict for chapter in chapters)
    return Report(verdicts, target / PAGE, (*unreadable, *left_out), analyses)


def _existing(folders: Sequence[Path]) -> Sequence[Path]:
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"{folder} is no folder; name a run's folder, or one above it")
    return folders


def _title(analyses: Sequence[Analysis]) -> str:
    if len(analyses) == 1:
        return f"Active learning on {place(analyses[0].setting)}"
    return f"Active learning in {count(len(analyses))} settings"


def _chapters(analyses: Sequence[Analysis]) -> list[Chapter]:
    names = {name for analysis in analyses for name in analysis.setting.runs}
    reference = next((a.setting.reference for a in analyses if a.setting.reference), None)
    same_looks: Mapping[str, Look] = looks(sorted(names), reference)
    slugs = _slugs([analysis.setting for analysis in analyses])
    several = len(analyses) > 1
    return [
        write_chapter(analysis, same_looks, slug, f"{slug}-" if several else "")
        for analysis, slug in zip(analyses, slugs, strict=True)
    ]


def _slugs(settings: Sequence[Setting]) -> list[str]:
    """Return a short name for each setting that files and links can have; unique."""
    slugs: list[str] = []
    for setting in settings:
        slug = (
            re.sub(r"[^a-z0-9]+", "-", setting.name.lower()).strip("-")[:_LONGEST_SLUG].rstrip("-")
        )
        slugs.append(f"{slug}-{len(slugs) + 1}" if slug in slugs or not slug else slug)
    return slugs


def _files(title: str, chapters: Sequence[Chapter], problems: Sequence[str]) -> dict[str, bytes]:
    """Return all files of a report by their paths in its folder, the page last."""
    analyses = [chapter.analysis for chapter in chapters]
    matrix = penalties([analysis.setting for analysis in analyses])
    page = Page(
        title=title,
        chapters=chapters,
        tuning=tuning(analyses),
        final_scores=final_scores(analyses),
        penalties=penalty_table(matrix) if matrix else None,
        penalty_picture=penalty_picture(matrix) if matrix else None,
        runs=run_table(analyses),
        problems=problems,
    )
    shared = [
        table for table in (page.tuning, page.final_scores, page.penalties, page.runs) if table
    ]
    files: dict[str, bytes] = {}
    for table in shared:
        files |= _table_files(table, "")
    for chapter in chapters:
        prefix = f"{chapter.slug}-" if len(chapters) > 1 else ""
        for table in chapter.tables.values():
            files |= _table_files(table, prefix)
        for picture in chapter.pictures.values():
            files |= _picture_files(picture)
    if page.penalty_picture:
        files |= _picture_files(page.penalty_picture)
    names = sorted([*files, _FACTS, PAGE])
    files[_FACTS] = facts(title, chapters, shared, matrix, problems, names).encode()
    files[PAGE] = render(page).encode()
    return files


def _table_files(table: Table, prefix: str) -> dict[str, bytes]:
    texts = {"csv": to_csv(table), "md": to_markdown(table), "tex": to_latex(table)}
    return {f"tables/{prefix}{table.name}.{end}": text.encode() for end, text in texts.items()}


def _picture_files(picture: Picture) -> dict[str, bytes]:
    stem = f"figures/{picture.name}"
    return {f"{stem}.svg": picture.svg.encode(), f"{stem}.png": picture.png}


def _replace(target: Path, files: Mapping[str, bytes]) -> None:
    """Put files in the place of those of an earlier report; what else is there stays."""
    try:
        earlier = _earlier_files(target)
        for name, content in files.items():
            _write(target / name, content)
        for name in earlier - files.keys():
            (target / name).unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"The report cannot be written to {target}: {error}") from error


def _write(path: Path, content: bytes) -> None:
    """Write a file so that there is the old one or the new one at any time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(temporary).chmod(_permissions())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _permissions() -> int:
    """Return what a new file may have here; temporary ones have less."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _earlier_files(target: Path) -> set[str]:
    """Return the figures and tables of the report that is there; nothing else may be removed."""
    try:
        named = json.loads((target / _FACTS).read_text(encoding="utf-8"))["files"]
        return {name for name in named if _OURS.fullmatch(name)}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return set()
