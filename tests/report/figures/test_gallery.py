import pytest
from matplotlib.figure import Figure

from al_lightning.report.analysis.results import penalties
from al_lightning.report.figures import gallery
from al_lightning.report.figures.line_styles import line_styles
from al_lightning.report.study.grouping import build_study
from tests.report.helpers import a_run, a_study, the_analysis, the_setting


@pytest.fixture(autouse=True)
def no_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery, "to_png", lambda figure: b"pixels")
    monkeypatch.setattr(gallery, "to_svg", rows)


def rows(figure: Figure) -> str:
    """Instead of a drawing, the names of its rows."""
    names = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    return f"<svg><g>{' '.join(names)}</g></svg>"


def test_every_picture_has_words_and_a_name_of_its_own() -> None:
    analysis = the_analysis(a_study({"random": 0.0, "margin": 0.06}, passive=0.9))
    found = gallery.pictures(analysis, line_styles(["random", "margin"], "random"), "toys-")
    assert list(found) == [
        "accuracy",
        "difference",
        "efficiency",
        "recall",
        "mix",
        "times",
    ]
    for kind, picture in found.items():
        assert picture.name == f"toys-{kind}"
        assert picture.title
        assert picture.alt.endswith(".")
        assert picture.caption.endswith(".")
        assert f'aria-labelledby="figure-toys-{kind}-title' in picture.inline
        assert picture.png == b"pixels"
    assert found["accuracy"].alt == (
        "Learning curves of 2 strategies from 10 to 40 labels. Highest: margin, 87.0%; lowest: "
        "random, 81.0%. The passive baseline is at 90.0%."
    )
    told = found["accuracy"].caption
    assert told.endswith(
        "Dashed: the passive baseline, trained on all labels for 100 steps. The means of macro-F1 "
        "differ from these by at most 0.00 points, and have no figure."
    )
    assert found["recall"].caption.endswith("Strokes: the passive baseline, 100 steps.")


def test_a_single_run_has_fewer_pictures() -> None:
    found = gallery.pictures(the_analysis([a_run("margin")]), line_styles(["margin"]), "")
    assert list(found) == ["accuracy", "recall", "mix", "times"]
    assert found["accuracy"].caption.startswith("Accuracy on the test set over labels bought. The")
    assert found["accuracy"].alt.endswith("margin: 80.0%.")


def test_macro_f1_has_a_figure_where_it_differs_and_metrics_of_ones_own_have_one() -> None:
    runs = [
        a_run(
            "margin", seed, macro_f1=(0.4, 0.5, 0.6, 0.8), metrics={"f(beta=2)": (1.0, 2.0, 3.0, 9)}
        )
        for seed in range(2)
    ]
    found = gallery.pictures(the_analysis(runs), line_styles(["margin"]), "")
    assert list(found)[:3] == ["accuracy", "macro_f1", "f_beta_2"]
    assert "macro-F1" not in found["accuracy"].caption
    assert found["f_beta_2"].alt.endswith("margin: 9.000.")
    assert found["macro_f1"].caption.endswith("those that leave the panel are cut.")


def test_of_many_classes_the_hardest_are_drawn() -> None:
    classes = [f"class {k}" for k in range(30)]
    recall = [[0.1] * 30] * 3 + [[k / 30 for k in range(30)]]
    run = a_run("random", classes=classes, recall=recall)
    found = gallery.pictures(the_analysis([run]), line_styles(["random"], "random"), "")
    drawn = " ".join(f"class {k}" for k in range(20))
    assert found["recall"].svg == found["mix"].svg == f"<svg><g>{drawn}</g></svg>"
    assert "The 20 classes with the lowest recall." in found["recall"].caption


def test_the_penalty_picture_names_who_is_beaten_least_and_most() -> None:
    matrix = penalties([the_setting(a_study({"random": 0.0, "margin": 0.06, "kl": 0.02}))])
    assert matrix is not None
    picture = gallery.penalty_picture(matrix)
    assert picture is not None
    assert picture.name == "penalties"
    assert "margin is beaten the least and random is beaten the most." in picture.alt
    assert picture.caption == (
        "Each number is the share of the budgets (20 and 30 labels) at which the row beats the column. "
        "Columns with little blue are good."
    )


def test_of_many_strategies_the_penalty_picture_says_what_blue_is() -> None:
    effects = {"random": 0.0, **{f"s{k}": k / 1000 for k in range(12)}}
    (one,) = build_study(a_study(effects))
    (two,) = build_study(a_study(effects, dataset="others", labels=(5, 10, 20, 50)))
    matrix = penalties([one, two])
    assert matrix is not None
    picture = gallery.penalty_picture(matrix)
    assert picture is not None
    assert picture.caption == (
        "Blue is the share of the budgets (20 and 30, or 10, 20 and 50 labels) at which the row beats "
        "the column, added up over the settings. Columns with little blue are good. The table has the "
        "numbers."
    )


def test_small_multiples_name_the_line_that_all_panels_have() -> None:
    names = ["random", *(f"s{k}" for k in range(6))]
    for seeds in (1, 2):
        found = gallery.pictures(
            the_analysis(a_study(dict.fromkeys(names, 0.0), seeds)),
            line_styles(names, "random"),
            "",
        )
        assert (
            "A panel has the other strategies too, faint. Black (white on a dark page): random."
        ) in found["accuracy"].caption
    few = names[:6]
    found = gallery.pictures(
        the_analysis(a_study(dict.fromkeys(few, 0.0))), line_styles(few, "random"), ""
    )
    assert "Black" not in found["accuracy"].caption


def test_of_equals_nobody_is_named_and_of_nobody_there_is_no_picture() -> None:
    equal = penalties([the_setting(a_study({"random": 0.0, "margin": 0.0}, spread=0.0))])
    assert equal is not None
    picture = gallery.penalty_picture(equal)
    assert picture is not None
    assert "No strategy stands out." in picture.alt
    unknown = penalties([the_setting(a_study({"random": 0.0, "margin": 0.06}, seeds=1))])
    assert unknown is not None
    assert gallery.penalty_picture(unknown) is None
