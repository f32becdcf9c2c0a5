import math
from dataclasses import replace

import pytest

from al_lightning.run.advice.advice import Accuracy, Advice, Forecast
from al_lightning.run.advice.agreement import Agreement
from al_lightning.run.advice.by_class import WeakClass
from al_lightning.run.advice.settings import AdviceSettings
from al_lightning.run.advice.wording import sentences

MEASURED = Accuracy(0.9, (0.826, 0.945), 100, "validation labels")
NOTHING = Advice(AdviceSettings(), None, None, MEASURED, None, [], left=1000)
TARGET = AdviceSettings(target=0.95)
CLASSES = ("cat", "dog", "bird", "fish", "fox")


def said(advice: Advice) -> str:
    (sentence,) = sentences(advice, CLASSES)
    return sentence


def test_agreement_is_told_with_what_follows_from_it() -> None:
    agreed = replace(NOTHING, agreement=Agreement(0.912, 0.0734, 1000), left=0)
    assert said(agreed) == (
        "Predictions: 7.3% of 1,000 pool images changed since the last round, so the accuracy by at "
        "most as much (kappa 0.912)."
    )
    assert said(replace(agreed, mean_kappa=0.9)).endswith(
        "mean of three 0.900; stable from 0.99 on)."
    )
    assert said(replace(agreed, mean_kappa=0.99)).endswith("stable: you can stop).")


def test_of_two_classes_the_f_measure_has_a_bound() -> None:
    agreed = replace(NOTHING, agreement=Agreement(0.96, 0.02, 1000), left=0)
    (sentence,) = sentences(agreed, CLASSES[:2])
    assert sentence.endswith("(kappa 0.960, so F by at most 0.167).")  # 4 * .04 / .96
    weak = replace(NOTHING, agreement=Agreement(0.7, 0.1, 1000), left=0)
    assert "F by" not in sentences(weak, CLASSES[:2])[0]  # it is no bound below .8


def test_without_labels_to_measure_by_it_says_how_many_to_buy() -> None:
    assert said(replace(NOTHING, accuracy=None)) == (
        "Accuracy: unknown. 95 labels drawn at random tell it to within 8 points: set "
        "budget.validation=95."
    )


def test_too_few_rounds_say_nothing_of_more_labels() -> None:
    assert said(NOTHING) == "More labels: what they bring cannot be said yet, before 4 rounds."


def test_without_a_target_it_says_what_more_labels_bring() -> None:
    forecast = Forecast(200, (0.91, 0.932), None)
    assert said(replace(NOTHING, forecast=forecast)) == (
        "200 more labels: accuracy 91.0% to 93.2% expected (80% band), now 90.0%."
    )


@pytest.mark.parametrize(
    ("band", "expected"),
    [
        ((138.0, 261.0), "About 140 to 260 more labels to 95.0% accuracy (80% band)."),
        ((0.0, 7.0), "About 1 to 7 more labels to 95.0% accuracy (80% band)."),
        ((141.0, 139.0), "About 140 more labels to 95.0% accuracy (80% band)."),
        ((138.0, math.inf), "At least 140 more labels to 95.0% accuracy (80% band); how many at most "
         "cannot be said yet."),
        ((138.0, 2000.0), "At least 140 more labels to 95.0% accuracy (80% band); how many at most "
         "cannot be said yet."),
        ((math.inf, math.inf), "95.0% accuracy: not expected from all 1,000 images that are left."),
    ],
)  # fmt: skip
def test_with_a_target_it_says_how_many_more_labels(
    band: tuple[float, float], expected: str
) -> None:
    forecast = Forecast(200, (0.91, 0.93), band)
    assert said(replace(NOTHING, settings=TARGET, forecast=forecast)) == expected


def test_a_target_that_is_reached_says_so() -> None:
    reached = replace(NOTHING, settings=AdviceSettings(target=0.9))
    assert (
        said(reached)
        == "Accuracy: 90.0% [82.6%, 94.5%] has reached the target of 90.0%: you can stop."
    )


def test_advice_that_uses_test_images_says_that_they_are_used_up() -> None:
    used = replace(NOTHING, accuracy=replace(MEASURED, measured_on="test images"))
    end = "(by the test images, thus used up)."
    assert said(replace(used, settings=AdviceSettings(target=0.9))).endswith(end)
    assert said(replace(used, forecast=Forecast(200, (0.91, 0.932), None))).endswith(end)


def test_where_all_images_are_labeled_nothing_is_to_be_said() -> None:
    assert sentences(replace(NOTHING, left=0), CLASSES) == []


def test_weak_classes_are_named() -> None:
    weak = [WeakClass(k, 0.5, (0.4, 0.6), 12, few=k == 1) for k in (1, 0, 2, 3)]
    text = said(replace(NOTHING, weak=weak, left=0))
    assert text == (
        "Weak classes: dog (recall 50% [40%, 60%], 12 labels, few), cat (recall 50% [40%, 60%], 12 "
        "labels), bird (recall 50% [40%, 60%], 12 labels) and 1 more."
    )
