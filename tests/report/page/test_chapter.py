import pytest

from al_lightning.report.figures import gallery
from al_lightning.report.figures.looks import looks
from al_lightning.report.page.chapter import Chapter, Glance, write_chapter
from al_lightning.report.study.runs import Run
from tests.report.helpers import a_run, a_study, the_analysis


@pytest.fixture(autouse=True)
def no_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery, "to_png", lambda figure: b"pixels")
    monkeypatch.setattr(gallery, "to_svg", lambda figure: "<svg/>")


def chapter_of(runs: list[Run]) -> Chapter:
    analysis = the_analysis(runs)
    return write_chapter(analysis, looks(list(analysis.setting.runs), "random"), "slug", "pre-")


def test_what_stands_out_are_the_gain_the_savings_and_the_share_of_passive() -> None:
    chapter = chapter_of(a_study({"random": 0.0, "margin": 0.06}, passive=0.9))
    assert chapter.glances == [
        Glance("+5.0", "points of AUBC", "margin over random, 3 seeds"),
        Glance("15%", "fewer labels", "to reach random's final accuracy, median of 3 seeds"),
        Glance("96.7%", "of passive accuracy", "with 20.0% of its labels"),
    ]
    assert chapter.pictures["accuracy"].name == "pre-accuracy"
    assert list(chapter.tables) == [
        "against_reference",
        "other_measures",
        "label_savings",
        "passive_savings",
        "class_recall",
        "class_mix",
        "times",
        "accuracy_by_budget",
        "macro_f1_by_budget",
    ]
    assert chapter.curves == ["accuracy"]


def test_bounds_stand_out_as_bounds() -> None:
    runs = [a_run("random", s, (0.6, 0.7, 0.65, 0.7)) for s in range(3)]
    runs += [a_run("margin", s, (0.7, 0.8, 0.8, 0.799 + s / 1000)) for s in range(3)]
    # AUBC 2 / 3 and 2.35 / 3; 10 labels at most where random needs 20.
    assert [glance.number for glance in chapter_of(runs).glances] == ["+11.7", "\u2265 50%"]


def test_several_leaders_stand_out_together() -> None:
    runs = [a_run("random", s) for s in range(3)]
    runs += [a_run("kl", s, (0.5, 0.65 + s / 500, 0.75, 0.85)) for s in range(3)]
    runs += [a_run("margin", s, (0.5, 0.655 - s / 500, 0.75, 0.85)) for s in range(3)]
    (gain, *_) = chapter_of(runs).glances
    assert gain.detail == "margin and kl over random, 3 seeds"
