"""The state of a run after its events: labels, corrections, settings, rounds that are due."""

from typing import Any

from al_lightning.run.state import Event, RunState
from tests.helpers import round_event, start_event


def start(**config: Any) -> Event:
    return {"event": "start", "project": True, **start_event(config=config)}


def labels(index: int, ids: list[int], classes: list[int], origin: str = "query") -> Event:
    return {"event": "labels", "round": index, "ids": ids, "labels": classes, "origin": origin}


def round_(index: int, bought: int) -> Event:
    return {"event": "round", **round_event(index, bought)}


def correction(ids: list[int], before: list[int], after: list[int]) -> Event:
    return {"event": "correction", "ids": ids, "from": before, "to": after, "by": "Ada"}


def after(*events: Event) -> RunState:
    state = RunState()
    for event in events:
        state.take(event)
    return state


FIRST = (start(), labels(0, [3, 5], [0, 1], "initial"))
END: Event = {"event": "end", "reason": "budget"}


def test_a_correction_before_the_fit_counts_in_its_round() -> None:
    state = after(*FIRST, correction([5], [1], [2]), round_(0, 2))
    assert state.pool_in(0).labels.tolist() == [0, 2]
    assert state.due == 0


def test_a_correction_after_a_round_counts_in_the_next_and_makes_it_due() -> None:
    state = after(*FIRST, round_(0, 2), correction([5], [1], [2]))
    assert state.pool_in(0).labels.tolist() == [0, 1]
    assert state.pool_in(1).labels.tolist() == [0, 2]
    assert state.pool.labels.tolist() == [0, 2]
    assert state.due == 1
    assert state.label_of == {3: 0, 5: 2}


def test_of_two_corrections_the_later_counts() -> None:
    state = after(*FIRST, correction([5], [1], [2]), round_(0, 2), correction([5], [2], [0]))
    assert state.pool_in(0).labels.tolist() == [0, 2]
    assert state.pool.labels.tolist() == [0, 0]


def test_labels_for_validation_are_corrected_too() -> None:
    state = after(
        start(),
        labels(0, [9], [1], "validation"),
        labels(0, [3, 5], [0, 1], "initial"),
        correction([9], [1], [2]),
    )
    assert state.pool.validation_labels.tolist() == [2]
    assert state.pool.labels.tolist() == [0, 1]


def test_a_change_after_the_end_opens_the_run_again() -> None:
    raised: Event = {"event": "setting", "key": "budget.total", "from": None, "to": 9}
    assert after(*FIRST, round_(0, 2), END).ended
    state = after(*FIRST, round_(0, 2), END, raised)
    assert not state.ended
    assert state.due == 0  # the weights stay: only the budget has changed
    assert state.config == {"budget": {"total": 9}}


def test_another_model_or_recipe_makes_a_round_due() -> None:
    for key in ("model.dense", "recipe.epochs"):
        state = after(*FIRST, round_(0, 2), {"event": "setting", "key": key, "from": None, "to": 9})
        assert state.due == 1


def test_settings_change_a_copy_of_the_recorded_configuration() -> None:
    begun = start(model={"dense": [4], "cnn": None})
    state = after(
        begun,
        {"event": "setting", "key": "model.cnn.width", "from": None, "to": 3},
        {"event": "setting", "key": "model.dense", "from": [4], "to": None},
    )
    assert state.config["model"] == {"dense": None, "cnn": {"width": 3}}
    assert begun["config"]["model"] == {"dense": [4], "cnn": None}


def test_a_question_stays_open_while_settings_and_labels_change() -> None:
    question: Event = {"event": "question", "round": 1, "origin": "query", "ids": [7]}
    events = (*FIRST, round_(0, 2), question, correction([5], [1], [2]))
    assert after(*events).asked == question
    state = after(*events, labels(1, [7], [0]))
    assert state.asked is None
    assert state.due == 1
    assert state.pool.labels.tolist() == [0, 2, 0]


def test_imported_labels_are_bought_and_trained_on_and_the_question_stays_open() -> None:
    question: Event = {"event": "question", "round": 1, "origin": "query", "ids": [7, 9]}
    events = (*FIRST, round_(0, 2), question, labels(1, [7, 11], [0, 1], "imported"))
    state = after(*events)
    assert state.asked == question
    assert (state.due, state.pool.labels_bought) == (1, 4)
    assert state.pool_in(1).labeled_ids.tolist() == [3, 5, 7, 11]
    assert after(*events, labels(1, [9], [2])).asked is None


def test_a_question_is_closed_once_all_its_images_are_imported() -> None:
    question: Event = {"event": "question", "round": 1, "origin": "query", "ids": [7, 9]}
    events = (*FIRST, round_(0, 2), question, labels(1, [7, 9, 11], [0, 1, 1], "imported"))
    assert after(*events).asked is None


def test_an_import_after_the_end_opens_the_run_again() -> None:
    state = after(*FIRST, round_(0, 2), END, labels(1, [7], [0], "imported"))
    assert (state.ended, state.due) == (False, 1)
