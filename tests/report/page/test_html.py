import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest

from al_lightning.report.analysis.results import analyse, penalties
from al_lightning.report.figures import gallery
from al_lightning.report.figures.line_styles import COLOURS, line_styles
from al_lightning.report.figures.svg import inline_svg
from al_lightning.report.page.chapter import write_chapter
from al_lightning.report.page.html import Page, render, typeset
from al_lightning.report.page.overview import write_overview
from al_lightning.report.page.search_chapter import write_search
from al_lightning.report.page.write import compared
from al_lightning.report.rules import Rules
from al_lightning.report.study.grouping import build_study
from al_lightning.report.study.runs import Run
from al_lightning.report.study.trials import searches
from al_lightning.report.tables.penalty_table import penalties as penalty_table
from al_lightning.report.tables.run_table import runs
from al_lightning.report.tables.score_table import final_scores
from tests.report.helpers import a_passive_run, a_run, a_study

_VOID = {"meta", "br", "hr", "img", "link", "input"}


class Reader(HTMLParser):
    """Checks that tags are nested, and keeps what is needed of them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def page_of(study: list[Run], *, problems: list[str] | None = None, title: str = "A study") -> str:
    settings = build_study(study)
    found = searches(settings)
    analyses = [analyse(setting) for setting in compared(settings, found)]
    names = {name for analysis in analyses for name in analysis.setting.runs}
    styles = line_styles(sorted(names), "random")
    several = len(analyses) > 1
    matrix = penalties(settings)
    chapters = [
        write_chapter(analysis, styles, f"part-{k}", f"part-{k}-" if several else "")
        for k, analysis in enumerate(analyses)
    ]
    return render(
        Page(
            title=title,
            overview=write_overview(analyses, Rules()),
            chapters=chapters,
            searches=[write_search(s, f"search-{k}", f"{k}-") for k, s in enumerate(found)],
            left_out=[left for setting in settings for left in setting.left_out],
            final_scores=final_scores(analyses),
            penalties=penalty_table(matrix) if matrix else None,
            penalty_picture=gallery.penalty_picture(matrix) if matrix else None,
            runs=runs(settings),
            problems=problems or [],
        )
    )


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


@pytest.fixture(scope="module")
def no_drawing() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gallery, "to_png", lambda figure: b"pixels")
        patch.setattr(gallery, "to_svg", lambda figure: '<svg><g id="a"/><use href="#a"/></svg>')
        yield


@pytest.fixture(scope="module")
def html(no_drawing: None) -> str:
    study = a_study({"random": 0.0, "margin": 0.06, "kl": -0.06}, passive=0.9)
    study += a_study({"random": 0.0, "margin": 0.0}, dataset="<other & more>", noise=0.01, seeds=4)
    study.append(a_run("kl", 1, (0.5,), (10,), finished=False, dataset="<other & more>"))
    return page_of(study, problems=["bad/journal.jsonl, line 3: not JSON"])


def test_it_is_well_formed_and_named(html: str) -> None:
    reader = read(html)
    assert html.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert "<title>A study</title>" in html
    ids = [str(a["id"]) for _, a in reader.tags if "id" in a]
    assert len(ids) == len(set(ids))
    links = [str(a["href"]) for a in reader.all("a")]
    assert {link.removeprefix("#") for link in links} <= set(ids)


def test_it_needs_nothing_else(html: str) -> None:
    reader = read(html)
    assert "http" not in html
    assert not {"script", "link", "iframe", "img", "object"} & {tag for tag, _ in reader.tags}
    assert not re.search(r"@import|url\((?!#)", html)
    assert all(str(a.get("href", "#")).startswith("#") for _, a in reader.tags)


def test_a_reader_finds_the_sections_in_the_order_of_the_questions(html: str) -> None:
    order = "verdict curves scores savings penalties classes stopping times insights provenance"
    sections = [str(a["id"]) for a in read(html).all("section")]
    assert sections == order.split()


def test_a_single_run_says_nothing_of_comparisons(no_drawing: None) -> None:
    html = page_of([a_run("margin")])
    sections = [str(a["id"]) for a in read(html).all("section")]
    assert sections == [
        "verdict", "curves", "scores", "classes", "stopping", "times", "provenance",
    ]  # fmt: skip
    text = " ".join(" ".join(read(html).text).split())
    for word in ("Holm", "paired", "Penalty", "reference", "baseline to", "mean of the seeds"):
        assert word not in text.replace("there is nothing to compare it with", ""), word
    assert "1 run " in text


def test_it_can_be_read_without_eyes(html: str) -> None:
    reader = read(html)
    ids = {a["id"] for _, a in reader.tags if "id" in a}
    for svg in reader.all("svg"):
        assert svg["role"] == "img"
        assert set(str(svg["aria-labelledby"]).split()) <= ids
    assert len(reader.all("svg")) == 6 + 6 + 1
    assert len(reader.all("caption")) == len(reader.all("table")) > 10
    assert all(a.get("scope") in ("col", "row") for a in reader.all("th"))
    assert {"main", "nav", "header", "footer"} <= {tag for tag, _ in reader.tags}
    headings = [tag for tag, _ in reader.tags if re.fullmatch("h[1-6]", tag)]
    assert headings.count("h1") == 1
    levels = [int(tag[1]) for tag in headings]
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_a_single_setting_skips_no_heading_level(no_drawing: None) -> None:
    html = page_of([*a_study({"random": 0.0}, seeds=2), *a_study({"margin": 0.0}, seeds=1)])
    headings = [int(tag[1]) for tag, _ in read(html).tags if re.fullmatch("h[1-6]", tag)]
    assert "Caveats" in html
    assert all(after <= before + 1 for before, after in pairwise(headings))


def test_notes_are_linked_from_the_verdict(no_drawing: None) -> None:
    reader = read(page_of([*a_study({"random": 0.0}, seeds=2), *a_study({"margin": 0.0}, seeds=1)]))
    assert {"href": "#notes-part-0"} in reader.all("a")
    assert any(attributes.get("id") == "notes-part-0" for attributes in reader.all("h3"))


def test_all_lines_stand_out_from_the_paper(html: str) -> None:
    """A contrast of 3 : 1 (WCAG 2.1, 1.4.11), on light pages and on dark ones."""
    light, dark = re.findall(r":root \{(.*?)\}", html, re.DOTALL)[:2]
    for theme in (light, dark):
        colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", theme))
        for drawn in COLOURS:
            shown = inline_svg(f'<svg><path style="stroke: {drawn}"/></svg>', "x", "t", "d")
            name = re.search(r"stroke: var\(--([\w-]+)\)", shown)
            assert contrast(colours[name[1]] if name else drawn, colours["paper"]) >= 3


def contrast(one: str, other: str) -> float:
    """The ratio of two colours' relative luminances, as WCAG defines it."""
    low, high = sorted(luminance(colour) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    shares = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return sum(w * s for w, s in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_hyperparameters_are_chosen_by_validation_labels(no_drawing: None) -> None:
    recipes = [{"recipe": {"optimizer": {"lr": lr}}} for lr in (0.1, 0.2)]
    html = page_of([run for c in recipes for run in a_study({"margin": 0}, validation=5, config=c)])
    reader = read(html)
    sections = [str(a["id"]) for a in reader.all("section")]
    assert sections == ["verdict", "searches", "provenance"]  # no chapter for each trial
    assert 'id="table-search-0"' in html
    assert "2 trials of a search" in html
    assert (
        html.count("not used to choose") == 2 * (1 + 2) + 2
    )  # two columns, in the head and in two rows, the caption and the verdict
    assert "is the only strategy" not in html
    links = {str(a["href"]).removeprefix("#") for a in reader.all("a")}
    assert links <= {str(a["id"]) for _, a in reader.tags if "id" in a}


def test_names_are_escaped(html: str) -> None:
    assert "<other" not in html
    assert "&lt;other &amp; more&gt; with cnn" in html


def test_the_numbers_are_those_of_the_tables(html: str) -> None:
    text = " ".join(" ".join(read(html).text).split())
    assert (
        "margin beats random in AUBC over [10, 40] labels, 3 seeds: by 5.0 points [4.8, 5.2]."
        in text
    )
    assert "+5.00 [4.80, 5.20] better" in text
    assert "\u22125.00 [\u22125.19, \u22124.81]" in text  # a true minus
    assert "kl never never (range) 0 of 3 seeds 0, 1, 2" in text
    assert "undecided against random" in text
    assert "Provisional, as 1 run is unfinished." in text


def test_what_was_left_out_is_named(html: str) -> None:
    text = " ".join(" ".join(read(html).text).split())
    assert ", 2 left out" in text
    assert "bad/journal.jsonl, line 3: not JSON" in text
    assert "&lt;" not in text
    assert "kl/seed=1 : it is unfinished at 10 labels, and the comparison goes to 40." in text


@pytest.mark.parametrize(
    "study",
    [
        [a_run("margin")],
        [a_passive_run()],
        [a_run("random", 0, (), (), finished=False)],
        [
            a_run(name, s, (0.5,), (10,), finished=False)
            for name in ("random", "kl")
            for s in range(3)
        ],
        [a_run("random", 0), a_run("margin", 1)],
        a_study({"margin": 0.1, "kl": 0.0}, seeds=2),
    ],
)
def test_little_to_report_on_is_a_page_all_the_same(no_drawing: None, study: list[Run]) -> None:
    text = " ".join(read(page_of(study)).text)
    assert "beats" not in text.split("Learning curves")[0]


def test_minus_signs_are_typeset_and_names_are_not() -> None:
    assert typeset("-1.0 [-2.0, -3] 32-true seed-1 a -b p-1, 1-2") == (
        "\u22121.0 [\u22122.0, \u22123] 32-true seed-1 a -b p-1, 1-2"
    )
