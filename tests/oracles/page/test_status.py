import pytest

from al_lightning.oracles.page.status import curve, status
from al_lightning.utils.intervals import wilson_interval

NUMBERS = {"by_class": [2, 3], "left": 4}


def test_before_a_run_has_said_anything() -> None:
    found = status({}, NUMBERS)
    assert (found["phase"], found["labels"], found["left"]) == ("start", 5, 4)
    assert (found["limit"], found["curve"], found["addable"]) == (None, [], False)


def test_what_the_model_does_is_said() -> None:
    found = status({"phase": "fit", "step": "fit, epoch 2", "done": 3, "total": 9}, NUMBERS)
    assert found["doing"] == "The model learns"
    assert (found["step"], found["done"], found["total"]) == ("fit, epoch 2", 3, 9)


@pytest.mark.parametrize("tested", [0, 50])
def test_the_curve_has_the_interval_of_what_was_measured(tested: int) -> None:
    event = {
        "labels_bought": 20,
        "metrics": {"accuracy": 0.8} if tested else {},
        "validation": {"accuracy": 0.6},
    }
    nothing = {"labels_bought": 10, "metrics": {}}
    (point,) = curve([(nothing, 0), (event, 30)], tested)
    accuracy, count = (0.8, 50) if tested else (0.6, 30)
    low, high = wilson_interval(accuracy, count)
    assert point == {"labels": 20, "accuracy": accuracy, "low": low, "high": high}
