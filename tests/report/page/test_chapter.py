from pathlib import Path

import pytest

from al_lightning.report.figures import gallery
from al_lightning.report.figures.line_styles import line_styles
from al_lightning.report.page.chapter import Chapter, Glance, write_chapter
from al_lightning.report.study.runs import Run, read_runs
from tests.report.helpers import a_run, a_study, the_analysis
from tests.report.projects import Project


@pytest.fixture(autouse=True)
def no_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery, "to_png", lambda figure: b"pixels")
    monkeypatch.setattr(gallery, "to_svg", lambda figure: "<svg/>")


def chapter_of(runs: list[Run]) -> Chapter:
    analysis = the_analysis(runs)
    return write_chapter(
        analysis, line_styles(list(analysis.setting.runs), "random"), "slug", "pre-"
    )


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


def test_labels_that_are_not_saved_do_not_stand_out() -> None:
    runs = [a_run("random", s, (0.5, 0.95, 0.5, 0.88)) for s in range(3)]
    runs += [a_run("margin", s, (0.5, 0.9, 0.9 + s / 1000, 0.9)) for s in range(3)]
    assert [glance.meaning for glance in chapter_of(runs).glances] == ["points of AUBC"]


def test_seeds_of_which_nothing_is_known_are_not_counted() -> None:
    runs = [
        a_run("random", s, (0.5, 0.6, 0.7, 0.8) if s < 3 else (0.8, 0.7, 0.7, 0.75))
        for s in range(5)
    ]
    runs += [
        a_run("margin", s, (0.5, 0.7, 0.9, 0.95) if s < 3 else (0.8, 0.85, 0.85, 0.85 + s / 1000))
        for s in range(5)
    ]
    (_, saved) = chapter_of(runs).glances
    assert saved == Glance(
        "38%", "fewer labels", "to reach random's final accuracy, median of 3 seeds"
    )


@pytest.mark.parametrize("test", [30, 0])
def test_a_persons_run_has_its_advice_once_with_test_images_and_without(
    tmp_path: Path, test: int
) -> None:
    project = Project(tmp_path, test=test, validation=20)  # not finished, and compared with itself
    project.rounds(0.5, 0.6, 0.65, 0.7)
    runs, _ = read_runs([tmp_path])
    chapter = chapter_of(runs)
    assert chapter.advice[0].startswith("40 more labels: accuracy ")
    assert len(chapter.tables["stopping"].rows) == 1
    assert ("validation" in chapter.pictures) == (not test)
    assert chapter.curves == (["accuracy"] if test else ["validation"])


def test_several_leaders_stand_out_together() -> None:
    runs = [a_run("random", s) for s in range(3)]
    runs += [a_run("kl", s, (0.5, 0.65 + s / 500, 0.75, 0.85)) for s in range(3)]
    runs += [a_run("margin", s, (0.5, 0.655 - s / 500, 0.75, 0.85)) for s in range(3)]
    (gain, *_) = chapter_of(runs).glances
    assert gain.detail == "margin and kl over random, 3 seeds"
