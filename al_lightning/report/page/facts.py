"""All numbers of a report, for programs."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from al_lightning.report.page.chapter import Chapter
from al_lightning.report.page.html import Page
from al_lightning.report.page.search_chapter import SearchChapter
from al_lightning.report.statistics.penalty import PenaltyMatrix
from al_lightning.report.study.runs import Run
from al_lightning.report.tables.formats import Table, to_records

SCHEMA = 1


def facts(
    page: Page,
    tables: Sequence[Table],
    penalties: PenaltyMatrix | None,
    files: Sequence[str],
    digests: Mapping[str, str],
) -> str:
    """Return a report as JSON; unknown values are null.

    Args:
        page: What the report shows.
        tables: Those over all settings.
        penalties: Over all settings; None where there are no two strategies.
        files: That the report consists of, relative to its folder.
        digests: Of the contents of its figures and tables: a later report removes those alone.
    """
    document = {
        "schema": SCHEMA,
        "title": page.title,
        "problems": list(page.problems),
        "overview": list(page.overview.sentences),
        "settings": [_chapter(chapter) for chapter in page.chapters],
        "searches": [_search(search) for search in page.searches],
        "tables": {table.name: to_records(table) for table in tables},
        "penalties": None if penalties is None else _penalties(penalties),
        "files": list(files),
        "digests": digests,
    }
    return json.dumps(_plain(document), indent=1, allow_nan=False) + "\n"


def _chapter(chapter: Chapter) -> dict[str, Any]:
    analysis, setting = chapter.analysis, chapter.analysis.setting
    return {
        "name": setting.name,
        "dataset": setting.dataset,
        "model": setting.model,
        "differences": setting.differences,
        "verdict": chapter.verdict,
        "reference": setting.reference,
        "rules": asdict(analysis.rules),
        "readings_rest_on": analysis.basis.seeds,
        "can_be_best": analysis.can_be_best,
        "readings": {c.strategy: str(c.outcome) for c in analysis.against},
        "budgets": setting.budgets,
        "unfinished": [_run(run) for run in setting.unfinished],
        "left_out": [{**_run(out.run), "reason": out.reason} for out in setting.left_out],
        "notes": setting.notes,
        "curves": {
            metric: {name: asdict(curve) for name, curve in curves.items()}
            for metric, curves in analysis.curves.items()
        },
        "differences_to_reference": {n: asdict(c) for n, c in analysis.differences.items()},
        "passive": {metric: asdict(curve) for metric, curve in analysis.passive.items()},
        "passive_length": asdict(setting.passive_length) if setting.passive_length else None,
        "scores": analysis.scores,
        "efficiency": {name: asdict(found) for name, found in analysis.efficiency.items()},
        "classes": asdict(analysis.classes) if analysis.classes else None,
        "tables": {name: to_records(table) for name, table in chapter.tables.items()},
        "insights": [asdict(insight) for insight in chapter.insights],
        "provenance": asdict(chapter.provenance),
    }


def _search(chapter: SearchChapter) -> dict[str, Any]:
    search = chapter.search
    settings = {trial.setting.name: trial.setting for trial in search.trials}.values()
    return {
        "name": search.name,
        "verdict": chapter.verdict,
        "keys": search.keys,
        "budgets": search.budgets,
        "measure": search.measure,
        "best": search.best.parameters if search.best else None,
        "trials": to_records(chapter.table),
        "commands": chapter.commands,
        "unfinished": [_run(run) for setting in settings for run in setting.unfinished],
        "notes": [note for setting in settings for note in setting.notes],
    }


def _run(run: Run) -> dict[str, Any]:
    return {"folder": run.folder, "strategy": run.strategy, "seed": run.seed}


def _penalties(found: PenaltyMatrix) -> dict[str, Any]:
    return {
        "names": found.names,
        "matrix": found.matrix.tolist(),
        "penalties": found.penalties.tolist(),
        "experiments": found.experiments,
        "budgets": found.budgets,
    }


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: keys are text, NaN and infinity are null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, Path):
        return value.as_posix()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
