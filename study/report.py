"""The figures of docs/study.md: sentences, tables and pictures, from the archives alone.

What stands between ``<!-- study: PART NAME -->`` and ``<!-- /study -->`` is made from the journals of
a part: NAME is "verdict", or a table of the part's report, such as "accuracy_by_budget". Of all parts
that have an archive, ``all final_scores`` shows the best strategy, the reference and the baseline.
Pictures are those that the page shows, ``study/PART/KIND.svg``: KIND is "selected", learning curves of
the strategies that the part names for it, or a figure of the part's report.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from al_lightning.report.analysis.results import Analysis, analyse
from al_lightning.report.figures.gallery import pictures
from al_lightning.report.figures.learning import learning_curves
from al_lightning.report.figures.looks import looks, style
from al_lightning.report.figures.svg import to_svg
from al_lightning.report.page.chapter import tables_of
from al_lightning.report.rules import Rules
from al_lightning.report.study.grouping import build_study
from al_lightning.report.study.runs import read_runs
from al_lightning.report.tables.formats import Table, to_markdown
from al_lightning.report.tables.score_table import final_scores
from al_lightning.report.words.verdict import verdict
from al_lightning.utils.errors import UsageError
from al_lightning.utils.files import write_whole
from study.archive import unpack
from study.part import Part

_MADE = re.compile(r"(<!-- study: (\w+) (\w+) -->\n)(.*?)(<!-- /study -->)", re.DOTALL)
_ALL = "all"  # parts, in a marker
_SELECTED = "selected"  # the picture of a few strategies
_SHOWN = re.compile(r"\(study/(\w+)/(\w+)\.svg\)")


class StudyReport:
    """What the archives say.

    Args:
        parts: Of the study.
        archives: The folder of their archives.
    """

    def __init__(self, parts: Sequence[Part], archives: Path) -> None:
        self._parts = {part.name: part for part in parts}
        self._archives = archives
        self._analysis = cache(self._analyse)

    def fill(self, text: str) -> str:
        """Return a page with all of its marked parts made anew.

        Raises:
            UsageError: If a marker names no part with an archive, or nothing that there is of it.
        """
        return _MADE.sub(self._made, text)

    def write(self, page: Path) -> list[Path]:
        """Make a page anew, and the pictures that it shows; return the files that have changed."""
        text = page.read_text(encoding="utf-8")
        files = {page: self.fill(text)}
        for part, kind in _SHOWN.findall(text):
            files[page.parent / "study" / part / f"{kind}.svg"] = self._picture(part, kind)
        changed = []
        for path, content in files.items():
            if not path.exists() or path.read_text(encoding="utf-8") != content:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_whole(path, content)
                changed.append(path)
        return changed

    def _made(self, found: re.Match[str]) -> str:
        part, name = found[2], found[3]
        if name == "verdict":
            made = "\n".join(f"- {sentence}" for sentence in verdict(self._analysis(part)))
        else:
            tables = self._tables_of_all() if part == _ALL else tables_of(self._analysis(part))
            if name not in tables:
                raise UsageError(f"Part {part} has no {name}, but verdict, {', '.join(tables)}")
            made = to_markdown(tables[name]).strip()
        return f"{found[1]}\n{made}\n\n{found[5]}"

    def _tables_of_all(self) -> dict[str, Table]:
        """Return the tables over all parts that have an archive, by name."""
        there = [name for name in self._parts if self._archive(name).exists()]
        named = [_named(name, self._analysis(name)) for name in there]
        table = final_scores(named, _best_and_reference)
        return {} if table is None else {table.name: table}

    def _archive(self, name: str) -> Path:
        return self._archives / f"{name}.tar.xz"

    def _picture(self, part: str, kind: str) -> str:
        analysis = self._analysis(part)
        if kind == _SELECTED:
            return _selected(analysis, self._parts[part].shown)
        drawn = pictures(analysis, looks(sorted(analysis.setting.runs), "random"), "")
        if kind not in drawn:
            raise UsageError(
                f"Part {part} has no picture {kind}, but {', '.join([_SELECTED, *drawn])}"
            )
        return drawn[kind].svg

    def _analyse(self, name: str) -> Analysis:
        part = self._parts.get(name)
        archive = self._archive(name)
        if part is None or not archive.exists():
            raise UsageError(f"The study has no archive {archive}")
        with TemporaryDirectory() as folder:
            unpack(part, Path(folder), archive)
            runs, problems = read_runs([Path(folder)])
        if problems:
            raise UsageError(f"{archive} has journals that cannot be read: {problems[0]}")
        (setting,) = build_study(runs)
        return analyse(setting, Rules(looks=part.looks))


def _selected(analysis: Analysis, strategies: Sequence[str]) -> str:
    """Draw the accuracy of some strategies, in their order of AUBC, as SVG."""
    curves = analysis.curves["accuracy"]
    names = [name for name in analysis.order if name in strategies]
    with style():
        return to_svg(
            learning_curves(
                {name: curves[name] for name in names},
                looks(names, analysis.setting.reference),
                passive=analysis.passive.get("accuracy"),
            )
        )


def _named(part: str, analysis: Analysis) -> Analysis:
    """Return the analysis of a part under a name that no other part has."""
    name = f"{part}: {analysis.setting.name}"
    return replace(analysis, setting=replace(analysis.setting, name=name))


def _best_and_reference(analysis: Analysis) -> list[str]:
    """Return the highest strategy of a part in AUBC, and the one that all are compared with."""
    reference = analysis.setting.reference
    return list(dict.fromkeys([*analysis.order[:1], *([reference] if reference else [])]))
