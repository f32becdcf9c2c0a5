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


def classes(**changes: Any) -> Event:
    return {"event": "classes", "added": [], "renamed": {}, "merged": {}, **changes}


def images(**changes: Any) -> Event:
    lists: dict[str, list[int]] = {name: [] for name in ("gone", "back", "changed")}
    counts = {"size": 20, "test": 30, "renamed": 0, "manifest": 100}
    others = {"manifest_sha256": "d1", "tests": {}}
    return {"event": "images", **counts, **lists, **others, **changes}


def question(index: int, ids: list[int], predicted: list[int]) -> Event:
    optional = {"scores": None, "predicted": predicted, "confidence": [0.5] * len(ids)}
    return {"event": "question", "round": index, "origin": "query", "ids": ids, **optional}


def test_a_merge_is_of_all_labels_and_of_the_open_question() -> None:
    state = after(
        *FIRST, round_(0, 2), question(1, [7, 9], [0, 2]), classes(merged={"top": "bottom"})
    )
    assert state.classes == ["middle", "bottom"]
    assert state.label_of == {3: 1, 5: 0}
    assert state.pool_in(0).labels.tolist() == [1, 0]
    assert state.answers[0]["labels"] == [1, 0]
    assert state.asked is not None
    assert state.asked["predicted"] == [1, 1]
    assert (state.due, state.causes) == (1, ["classes"])
    assert state.classes_of == [["top", "middle", "bottom"]]
    assert state.aliases == {"top": "bottom"}


def test_classes_before_the_first_label_make_nothing_due() -> None:
    state = after(start(), classes(added=["other"]))
    assert state.due is None
    assert state.causes == []
    assert state.classes == ["top", "middle", "bottom", "other"]


def test_the_causes_of_a_round_are_those_since_the_last_one() -> None:
    state = after(
        *FIRST,
        round_(0, 2),
        correction([5], [1], [2]),
        classes(added=["other"]),
        correction([5], [2], [0]),
        {"event": "setting", "key": "recipe.epochs", "from": None, "to": 3},
        images(gone=[3]),
    )
    assert state.causes == ["corrections", "classes", "settings", "images"]
    assert state.due == 1
    state.take(round_(1, 2))
    assert state.causes == []
    state.take(images(back=[3]))
    assert (state.due, state.causes) == (2, ["images"])


def test_images_without_labels_make_nothing_due() -> None:
    state = after(*FIRST, round_(0, 2), END, images(size=25, gone=[9], changed=[8]))
    assert (state.size, state.test, state.manifest) == (25, 30, 100)
    assert state.arrivals == [(20, 25, state.config)]
    assert state.manifest_sha256 == "d1"
    assert state.due == 0
    assert not state.ended
    assert state.pool.size == 25
    assert 9 not in state.pool.unlabeled_ids
    assert state.to_review == set()


def test_a_labeled_image_that_changed_is_reviewed_until_it_is_confirmed_or_corrected() -> None:
    state = after(*FIRST, round_(0, 2), images(changed=[3, 5]))
    assert state.to_review == {3, 5}
    assert state.due == 1
    state.take(correction([3], [0], [0]))  # the same label: confirmed
    assert state.to_review == {5}
    state.take(correction([5], [1], [2]))
    assert state.to_review == set()
    assert state.causes == ["images", "corrections"]


def test_an_earlier_round_keeps_the_images_that_it_had() -> None:
    state = after(*FIRST, round_(0, 2), images(gone=[3]), round_(1, 2))
    assert state.pool_in(0).labeled_ids.tolist() == [3, 5]
    assert state.pool_in(1).labeled_ids.tolist() == [5]
    assert state.pool_in(1).labels_bought == 2


def test_what_an_answer_said_last_is_told_from_the_corrections_of_others() -> None:
    state = after(*FIRST, correction([5], [1], [2]))
    assert state.answered == {3: 0, 5: 1}
    state.take({**correction([5], [2], [0]), "answered": True})
    assert state.answered == {3: 0, 5: 0}
    state.take(classes(merged={"top": "bottom"}))
    assert state.answered == {3: 1, 5: 1}
