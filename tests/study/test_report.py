from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest

from al_lightning.report.analysis.results import Analysis
from al_lightning.utils.errors import UsageError
from study.archive import pack
from study.beside import beside
from study.parts import PLAN
from study.report import StudyReport
from study.study import ARCHIVES
from tests.report.helpers import texts
from tests.study.tiny import PART, write_journal

PAGE = Path(__file__).resolve().parents[2] / "docs" / "study.md"
RUNS = [*PART.runs([0])][:1]


@pytest.fixture
def report(tmp_path: Path) -> StudyReport:
    for run in RUNS:
        write_journal(tmp_path / "runs", run)
    pack(PART, RUNS, tmp_path / "runs", tmp_path / "t.tar.xz")
    return StudyReport([PART], tmp_path)


@pytest.fixture(scope="module")
def whole() -> StudyReport:
    """The study as it is archived."""
    parts = tuple(dict.fromkeys(run.part for run in PLAN))
    return StudyReport(parts, PAGE.parents[1] / ARCHIVES)


def test_the_pages_say_what_the_archives_say(whole: StudyReport) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert whole.fill(text) == text
    pages = {path.stem: path.read_text(encoding="utf-8") for path in PAGE.parent.glob("study/*.md")}
    assert {part.name: page for part, page in whole.pages()} == pages
    assert all(f"(study/{name}.md)" in text for name in pages)


class Figures:
    """Figures of a part as the text of the study has them, in per cent and points."""

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._runs = analysis.setting.runs

    def lead(self, strategy: str) -> str:
        """In AUBC."""
        (found,) = (c for c in self._analysis.against if c.strategy == strategy)
        assert found.difference is not None
        return f"{100 * found.difference.mean:.1f}".replace("-", "").lstrip("0")

    def saved(self, strategy: str) -> str:
        found = self._analysis.savings[strategy].median
        assert found is not None
        return f"{100 * found:.0f}"

    def accuracy(self, strategy: str, labels: int) -> float:
        runs = self._runs[strategy].values()
        return 100 * fmean(run.at(labels).metrics["accuracy"] for run in runs)

    def ahead(self, strategy: str, labels: int) -> str:
        """Of random, whichever of them it is."""
        found = self.accuracy(strategy, labels) - self.accuracy("random", labels)
        return f"{abs(found):.1f}".lstrip("0")

    def macro_f1(self, strategy: str) -> str:
        runs = self._runs.get(strategy) or self._analysis.setting.passive
        return f"{fmean(run.rounds[-1].metrics['macro_f1'] for run in runs.values()):.3f}"[1:]

    @property
    def with_all(self) -> float:
        """Accuracy of the passive baseline."""
        runs = self._analysis.setting.passive.values()
        return 100 * fmean(run.rounds[-1].metrics["accuracy"] for run in runs)

    @property
    def best(self) -> list[str]:
        return [s.strategy for s in self._analysis.standings if s.can_be_best]


def apart(whole: StudyReport, one: str, other: str) -> dict[str, str]:
    """The AUBC of a part's strategies less that in another part, in points."""
    table = beside(whole.analysis(one), whole.analysis(other), other)
    return {name: cells[3].lstrip("+-") for name, cells in texts(table).items()}


def test_the_text_says_what_the_parts_say_side_by_side(whole: StudyReport) -> None:
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    first, noisy = apart(whole, "a_first", "a"), apart(whole, "d_noisy", "b")
    small, random = apart(whole, "d_query_100", "b"), noisy.pop("random")
    assert max(float(points) for points in small.values()) < 0.5  # points: "the same" by its margin
    for said in (
        f"that is {rounded(first['dropquery'])} points of AUBC",
        f"that of `margin`, {rounded(first['margin'])}, is",
        f"change the AUBC of `margin` by {rounded(small['margin'])} points and that of `random` by "
        f"{rounded(small['random'])}",
        f"takes {rounded(random)} points of AUBC from `random`, and {rounded(min(noisy.values()))} "
        f"to {rounded(max(noisy.values()))} from the others",
    ):
        assert said in text


def rounded(points: str) -> str:
    return f"{float(points):.1f}".removeprefix("0")


def test_the_text_says_what_the_archives_say(whole: StudyReport) -> None:
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    names = ("a", "a_first", "b", "c_cifar10", "c_mnist", "c_imbalanced", "d_noisy", "d_finetuned")
    a, first, b, photos, easy, rare, noisy, tuned = (
        Figures(whole.analysis(name)) for name in names
    )
    assert (a.best, first.best) == (["dropquery"], ["dropquery"])
    assert {*b.best} == {"dropquery", "margin", "badge"}
    assert {*rare.best} == {*easy.best} == {"badge", "margin", "dropquery", "entropy"}
    assert {*noisy.best} == {"margin", "badge"}
    three = ("dropquery", "margin", "badge")
    leads, saved = ([of(name) for name in three] for of in (b.lead, b.saved))
    lower, upper = sorted(rare.lead(name) for name in rare.best)[:: len(rare.best) - 1]
    least, most = (end(easy.saved(name) for name in easy.best) for end in (min, max))
    everybody = {f"{easy.accuracy(name, 3000):.1f}" for name in easy.best}
    assert everybody == {f"{easy.with_all:.1f}"}
    gain = first.accuracy("dropquery", 20) - a.accuracy("dropquery", 20)
    for said in (
        f"leads `random` by {a.lead('dropquery')} points of the area under the curve",
        f"they lead by {leads[0]}, {leads[1]} and {leads[2]} points",
        f"save {saved[0]}, {saved[1]} and {saved[2]} % of the labels",
        f"lead by {lower} to {upper} points",
        f"lead by {easy.lead('margin')} points, save {least} to {most} %, and have "
        f"{easy.accuracy('margin', 3000):.1f} % with 3,000 labels, as all 60,000 give",
        f"where it begins at {easy.accuracy('random', 500):.0f} %, `entropy` cannot be told",
        f"the CNN has {photos.with_all:.1f} % with all 50,000",
        f"than the CNN from scratch with all of them ({photos.with_all:.1f} %)",
        f"`margin` leads by {noisy.lead('margin')} points and saves half",
        f"ahead by {photos.lead('dropquery')} points",
        f"worse than random by {photos.lead('entropy')}",
        f"right about {photos.accuracy('random', 500):.0f} to",
        f"{a.ahead('dropquery', 20).split('.')[0]} points at 20 labels to",
        f"{a.ahead('dropquery', 1000)} at 1,000",
        f"`margin` leads by {b.ahead('margin', 1000)} points at 1,000 labels",
        f"disagreement of dropout samples: {b.lead('bald')} points of AUBC",
        f"give {first.accuracy('random', 10):.0f} % where random ones give "
        f"{a.accuracy('random', 10):.0f} %",
        f"`dropquery` has {gain:.1f} points more at 20 labels",
        f"it has {tuned.accuracy('margin', 3000):.1f} % with 3,000 labels by `margin`, and "
        f"{tuned.accuracy('random', 3000):.1f} % by `random`",
        f"by {tuned.lead('margin')} points of AUBC, and {tuned.saved('margin')} % saved; `badge` by "
        f"{tuned.lead('badge')}, and {tuned.saved('badge')} %",
        f"{a.accuracy('random', 500):.1f} % frozen, {tuned.accuracy('random', 500):.1f} % fine-tuned",
        f"{a.accuracy('random', 1000):.1f} and {tuned.accuracy('random', 1000):.1f} % by `random`, "
        f"{a.accuracy('margin', 1000):.1f} and {tuned.accuracy('margin', 1000):.1f} % by `margin`",
        f"by `margin` it has {tuned.accuracy('margin', 2000):.1f} %",
        f"with 3,000: `margin` {tuned.macro_f1('margin')}, `random` {tuned.macro_f1('random')}",
        f"`dropquery` {b.macro_f1('dropquery')}, `random` {b.macro_f1('random')}, with all labels "
        f"{b.macro_f1('passive')}",
        f"`dropquery` {a.macro_f1('dropquery')}, `random` {a.macro_f1('random')}, with all labels "
        f"{a.macro_f1('passive')}",
    ):
        assert said in text


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
        "- On data with the model (a few digits), strategy reaches 50.0% accuracy with 4 labels, "
        "1 seed." in found
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


@pytest.mark.usefixtures("report")
def test_a_part_stands_beside_the_one_that_it_names(tmp_path: Path) -> None:
    other = replace(PART, name="u", beside="t")
    run = next(iter(other.runs([0])))
    write_journal(tmp_path / "runs", run)
    pack(other, [run], tmp_path / "runs", tmp_path / "u.tar.xz")
    for parts, there in (([other], False), ([PART, other], True)):
        pages = {part.name: page for part, page in StudyReport(parts, tmp_path).pages()}
        assert ("## Beside part t" in pages["u"]) is there
    assert "## Beside part" not in pages["t"]


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
