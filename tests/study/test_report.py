from dataclasses import replace
from pathlib import Path

import pytest

from al_lightning.utils.errors import UsageError
from study.archive import pack
from study.parts import PLAN
from study.report import StudyReport
from study.study import ARCHIVES
from tests.study.tiny import PART, write_journal

PAGE = Path(__file__).resolve().parents[2] / "docs" / "study.md"
RUNS = [*PART.runs([0])][:1]


@pytest.fixture
def report(tmp_path: Path) -> StudyReport:
    for run in RUNS:
        write_journal(tmp_path / "runs", run)
    pack(PART, RUNS, tmp_path / "runs", tmp_path / "t.tar.xz")
    return StudyReport([PART], tmp_path)


def test_the_pages_say_what_the_archives_say() -> None:
    text = PAGE.read_text(encoding="utf-8")
    parts = tuple(dict.fromkeys(run.part for run in PLAN))
    made = StudyReport(parts, PAGE.parents[1] / ARCHIVES)
    assert made.fill(text) == text
    pages = {path.stem: path.read_text(encoding="utf-8") for path in PAGE.parent.glob("study/*.md")}
    assert {part.name: page for part, page in made.pages()} == pages
    assert all(f"(study/{name}.md)" in text for name in pages)


def test_what_is_marked_is_made_of_the_journals(report: StudyReport, tmp_path: Path) -> None:
    page = tmp_path / "docs" / "page.md"
    page.parent.mkdir()
    marked = "# Mine\n<!-- study: t {} -->\nold\n<!-- /study -->\nAnd mine.\n"
    page.write_text(marked.format("verdict") + marked.format("accuracy_by_budget"))
    assert report.write(page) == [page, tmp_path / "docs" / "study" / "t.md"]
    found = page.read_text()
    assert "old" not in found
    assert found.count("And mine.") == 2
    assert (
        "- On data with the model, strategy reaches 50.0% accuracy with 4 labels, 1 seed." in found
    )
    assert "|      50.00 |      50.00 |" in found
    assert report.write(page) == []  # markers are still there, and say the same


def test_a_table_over_all_parts_has_those_with_an_archive(
    report: StudyReport, tmp_path: Path
) -> None:
    page = "<!-- study: all final_scores -->\n<!-- /study -->"
    alone = report.fill(page)
    assert "| strategy " in alone
    assert " 50.00 |" in alone
    absent, other = replace(PART, name="absent"), replace(PART, name="u")
    assert StudyReport([PART, absent], tmp_path).fill(page) == alone
    run = next(iter(other.runs([0])))
    write_journal(tmp_path / "runs", run)
    pack(other, [run], tmp_path / "runs", tmp_path / "u.tar.xz")
    both = StudyReport([PART, other], tmp_path).fill(page)
    assert both.count("| a few digits") == 2  # rows of either part


def test_pictures_are_those_that_the_page_shows(report: StudyReport, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("![Curves](study/t/accuracy.svg)")
    assert report.write(page) == [tmp_path / "study" / name for name in ("t.md", "t/accuracy.svg")]
    assert report.write(page) == []
    page.write_text("![Curves](study/t/nothing.svg)")
    with pytest.raises(UsageError, match="no picture nothing, but selected, accuracy"):
        report.write(page)


@pytest.mark.parametrize(
    ("marker", "said"),
    [
        ("t nothing", "Part t has no nothing, but verdict, "),
        ("all nothing", "Part all has no nothing, but verdict, final_scores"),
        ("u verdict", r"no archive .*u\.tar\.xz"),
    ],
)
def test_what_cannot_be_made_is_named(report: StudyReport, marker: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        report.fill(f"<!-- study: {marker} -->\n<!-- /study -->")


@pytest.mark.usefixtures("report")
def test_the_picture_of_a_few_shows_those_that_the_part_names(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("![Curves](study/t/selected.svg)")
    few = replace(PART, shown=("strategy", "of another part"))
    StudyReport([few], tmp_path).write(page)
    assert "](t/selected.svg)" in (tmp_path / "study" / "t.md").read_text()
    assert "strategy" in (tmp_path / "study" / "t" / "selected.svg").read_text()
