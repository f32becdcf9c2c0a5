"""The figures of docs/study.md and the pages of its parts, from the archives alone.

What stands in docs/study.md between ``<!-- study: PART NAME -->`` and ``<!-- /study -->`` is made from
the journals of a part: NAME is "verdict", or a table of the part's report, such as
"accuracy_by_budget". ``all NAME`` is a table over all parts that have an archive, see
:mod:`study.tables`. Pictures are ``study/PART/KIND.svg``: KIND is "selected", learning curves of the
strategies that the part names for it, or a figure of the part's report. ``study/PART.md`` is made as a
whole, see :mod:`study.part_page`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from al_lightning.report.analysis.results import Analysis, analyse
from al_lightning.report.figures.gallery import Picture, pictures
from al_lightning.report.figures.learning import learning_curves
from al_lightning.report.figures.line_styles import LineStyle, figure_style, line_styles
from al_lightning.report.figures.svg import to_svg
from al_lightning.report.page.chapter import tables_of
from al_lightning.report.rules import Rules
from al_lightning.report.study.grouping import build_study
from al_lightning.report.study.runs import read_runs
from al_lightning.report.tables.formats import Table, to_markdown
from al_lightning.report.words.verdict import verdict
from al_lightning.utils.errors import UsageError
from al_lightning.utils.files import write_whole
from study.archive import unpack
from study.beside import beside
from study.part import Part
from study.part_page import part_page
from study.tables import tables_over_parts

_MADE = re.compile(r"(<!-- study: (\w+) (\w+) -->\n)(.*?)(<!-- /study -->)", re.DOTALL)
_ALL = "all"  # parts, in a marker
_SELECTED, _DIFFERENCE = "selected", "difference"  # pictures that the page of a part has
_SHOWN = re.compile(r"\(study/(\w+)/(\w+)\.svg\)")


class StudyReport:
    """What the archives say.

    Args:
        parts: Of the study.
        archives: The folder of their archives.

    Attributes:
        analysis: Returns the analysis of a part, by its name.
    """

    def __init__(self, parts: Sequence[Part], archives: Path) -> None:
        self._parts = {part.name: part for part in parts}
        self._archives = archives
        shown = sorted({name for part in parts for name in part.shown})
        self._styles = line_styles(shown, "random")  # one colour a strategy in all parts
        self.analysis = cache(self._analyse)
        self._pictures = cache(self._draw)

    def fill(self, text: str) -> str:
        """Return a page with all of its marked parts made anew.

        Raises:
            UsageError: If a marker names no part with an archive, or nothing that there is of it.
        """
        return _MADE.sub(self._made, text)

    def pages(self) -> Iterator[tuple[Part, str]]:
        """Yield each part that has an archive, and its page."""
        for part in self._finished():
            yield (
                part,
                part_page(part, self._titled(part.name), self._kinds(part), self._beside(part)),
            )

    def write(self, page: Path) -> list[Path]:
        """Make a page anew, the pages of the parts, and the pictures; return the files that changed."""
        text = page.read_text(encoding="utf-8")
        files, folder = {page: self.fill(text)}, page.parent / "study"
        shown = set(_SHOWN.findall(text))
        for part, of_part in self.pages():
            files[folder / f"{part.name}.md"] = of_part
            shown |= {(part.name, kind) for kind in self._kinds(part)}
        for name, kind in sorted(shown):
            files[folder / name / f"{kind}.svg"] = self._picture(name, kind)
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
            made = "\n".join(f"- {sentence}" for sentence in verdict(self._titled(part)))
        else:
            tables = self._tables_of_all() if part == _ALL else tables_of(self.analysis(part))
            if name not in tables:
                raise UsageError(f"Part {part} has no {name}, but verdict, {', '.join(tables)}")
            made = to_markdown(tables[name]).strip()
        return f"{found[1]}\n{made}\n\n{found[5]}"

    def _tables_of_all(self) -> dict[str, Table]:
        return tables_over_parts([self._titled(part.name) for part in self._finished()])

    def _beside(self, part: Part) -> Table | None:
        """Return a part beside the one that it names, if that has an archive."""
        other = self._parts.get(part.beside)
        if other is None or other not in self._finished():
            return None
        return beside(self.analysis(part.name), self.analysis(other.name), other.name)

    def _titled(self, name: str) -> Analysis:
        """Return the analysis of a part, whose setting has the title of the part for its name."""
        analysis = self.analysis(name)
        return replace(analysis, setting=replace(analysis.setting, name=self._parts[name].title))

    def _finished(self) -> list[Part]:
        """Return the parts that have an archive."""
        return [part for name, part in self._parts.items() if self._archive(name).exists()]

    def _archive(self, name: str) -> Path:
        return self._archives / f"{name}.tar.xz"

    def _kinds(self, part: Part) -> list[str]:
        """Return the kinds of pictures that the page of a part shows."""
        compared = self.analysis(part.name).differences
        return [*([_SELECTED] if part.shown else []), *([_DIFFERENCE] if compared else [])]

    def _picture(self, part: str, kind: str) -> str:
        if kind == _SELECTED:
            return _selected(self.analysis(part), self._parts[part].shown, self._styles)
        drawn = self._pictures(part)
        if kind not in drawn:
            raise UsageError(
                f"Part {part} has no picture {kind}, but {', '.join([_SELECTED, *drawn])}"
            )
        return drawn[kind].svg

    def _draw(self, name: str) -> dict[str, Picture]:
        analysis = self.analysis(name)
        return pictures(analysis, line_styles(sorted(analysis.setting.runs), "random"), "")

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


def _selected(
    analysis: Analysis, strategies: Sequence[str], styles: Mapping[str, LineStyle]
) -> str:
    """Draw the accuracy of some strategies, in their order of AUBC, as SVG."""
    curves = analysis.curves["accuracy"]
    names = [name for name in analysis.order if name in strategies]
    with figure_style():
        return to_svg(
            learning_curves(
                {name: curves[name] for name in names},
                styles,
                passive=analysis.passive.get("accuracy"),
            )
        )
