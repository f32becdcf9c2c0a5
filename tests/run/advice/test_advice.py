import json
import math
from collections.abc import Sequence
from typing import Any

import pytest
import torch

from al_lightning.run.advice.advice import Advice, advise
from al_lightning.run.advice.agreement import Agreement
from al_lightning.run.advice.settings import AdviceSettings
from al_lightning.run.pool import Pool
from al_lightning.utils.intervals import wilson_interval
from tests.helpers import round_event

AGREED = Agreement(0.9, 0.05, 100)
LABELS = (50, 100, 200, 400)


def advice_of(
    rounds: list[dict[str, Any]],
    pool_now: Pool | None = None,
    agreements: Sequence[Agreement | None] = (None,) * 4,
    tested: int = 30,
    **settings: Any,
) -> Advice:
    """The advice after some of the rounds below."""
    now = pool() if pool_now is None else pool_now
    return advise(
        AdviceSettings(**settings), rounds, LABELS[: len(rounds)], agreements, now, tested
    )


def pool(labels: int = 400, validation: int = 0, size: int = 5000) -> Pool:
    classes = torch.arange(labels) % 3
    made = Pool(size).reveal(torch.arange(labels), classes)
    held_out = torch.arange(1000, 1000 + validation)
    return made.reveal(held_out, torch.zeros_like(held_out), validation=True)


def rounds(held_out: int = 0, **more: Any) -> list[dict[str, Any]]:
    """Rounds whose accuracies on test images are .7 to .85."""
    return [{**round_event(i, n + held_out, 0.7 + 0.05 * i), **more} for i, n in enumerate(LABELS)]


def test_validation_labels_are_used_before_test_images() -> None:
    measured = rounds(100, validation={"accuracy": 0.6}, validation_per_class={})
    advice = advice_of(measured, pool(validation=100))
    assert advice.accuracy is not None
    assert (advice.accuracy.value, advice.accuracy.images) == (0.6, 100)
    assert advice.accuracy.interval == wilson_interval(0.6, 100)
    assert advice.accuracy.measured_on == "validation labels"
    advice = advice_of(rounds())
    assert advice.accuracy is not None
    assert advice.accuracy.measured_on == "test images"


def test_without_either_nothing_is_known() -> None:
    unmeasured = [{**event, "metrics": {}, "per_class": {}} for event in rounds()]
    advice = advice_of(unmeasured, agreements=[], tested=0, target=0.9)
    assert (advice.accuracy, advice.forecast, advice.agreement) == (None, None, None)
    assert not advice.reached
    assert list(advice.weak) == []


def test_labels_that_are_bought_for_the_final_figure_are_not_used() -> None:
    event = {**round_event(0, 10), "metrics": {}, "per_class": {}, "test": {"accuracy": 0.9}}
    advice = advice_of([event], pool(8), [None], tested=0, target=0.5)
    assert advice.accuracy is None


def test_the_forecast_is_of_twice_the_labels_that_are_trained_on() -> None:
    """Labels for validation count as bought, but move no curve."""
    plain = advice_of(rounds(), target=0.95, tested=500).forecast
    held_out = [{**e, "validation": e["metrics"], "metrics": {}} for e in rounds(500)]
    assert advice_of(held_out, pool(validation=500), target=0.95).forecast == plain
    assert plain is not None
    assert plain.more == 400
    low, high = plain.accuracy
    assert 0.8 < low < 0.88 < high < 0.95


def test_of_rounds_with_the_same_labels_the_last_counts() -> None:
    corrected = [*rounds(), round_event(4, 400, 0.87)]
    twice = advise(AdviceSettings(), corrected, [*LABELS, 400], [None] * 5, pool(), 500)
    assert twice.forecast == advice_of([*rounds()[:3], corrected[-1]], tested=500).forecast


def test_rounds_with_labels_of_images_that_have_gone_do_not_count() -> None:
    more = [round_event(0, 500, 0.99), *rounds()]
    advice = advise(AdviceSettings(), more, [500, *LABELS], [None] * 5, pool(), 500)
    assert advice.forecast == advice_of(rounds(), tested=500).forecast


def test_no_more_labels_are_forecast_than_there_are() -> None:
    advice = advice_of(rounds(), pool(size=450), tested=500)
    assert advice.forecast is not None
    assert (advice.forecast.more, advice.left) == (50, 50)
    advice = advice_of(rounds(), pool(size=400), tested=500)
    assert advice.forecast is None


def test_predictions_are_stable_from_the_threshold_on() -> None:
    three = [None, AGREED, AGREED, AGREED]
    advice = advice_of(rounds(), agreements=three, kappa=0.9)
    assert advice.mean_kappa == pytest.approx(0.9)
    assert not advice_of(rounds(), agreements=three).stable
    assert advice_of(rounds(), agreements=three, kappa=0.89).stable
    assert not advice_of(rounds(), agreements=three[:3], kappa=0.5).stable


def test_weak_classes_are_told_where_images_of_each_are_counted() -> None:
    per_class = {"recall": [0.9, 0.9, 0.2], "support": [100, 100, 100]}
    advice = advice_of(rounds(per_class=per_class), tested=300)
    assert [(weak.label, weak.labels) for weak in advice.weak] == [(2, 133)]
    old = rounds(per_class={"recall": [0.9, 0.9, 0.2]})
    assert list(advice_of(old, tested=300).weak) == []


def test_facts_are_what_json_holds() -> None:
    three = [None, AGREED, AGREED, AGREED]
    flat = [{**event, "metrics": {"accuracy": 0.6}} for event in rounds()]
    advice = advice_of(flat, agreements=three, tested=10_000, target=0.999)
    assert advice.forecast is not None
    assert advice.forecast.to_target is not None
    assert math.isinf(advice.forecast.to_target[1])
    facts = json.loads(json.dumps(advice.facts(), allow_nan=False))
    assert facts["forecast"]["to_target"][1] is None
    assert (facts["stable"], facts["reached"], facts["agreement"]["images"]) == (False, False, 100)
