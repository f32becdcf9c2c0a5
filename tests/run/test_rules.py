"""What may come next in the journal of a project; tests/run/test_journal.py has the other rules."""

from typing import Any

import pytest

from al_lightning.run.rules import problem
from al_lightning.run.state import Event, RunState
from tests.helpers import round_event, start_event


def state(*, project: bool = True) -> RunState:
    """A finished run of two labels, 3 of class 0 and 5 of class 1, on 20 images of 3 classes."""
    found = RunState()
    kind = {"project": True} if project else {}
    first = {"ids": [3, 5], "labels": [0, 1], "origin": "initial"}
    events: list[Event] = [
        {"event": "start", "schema": 1, **kind, **start_event(config={"budget": {"total": 2}})},
        {"event": "labels", "round": 0, **first},
        {"event": "round", **round_event(0, 2)},
        {"event": "end", "reason": "budget"},
    ]
    for event in events:
        assert problem(found, event) is None
        found.take(event)
    return found


def correction(**changes: Any) -> Event:
    return {"event": "correction", "ids": [5], "from": [1], "to": [2], "by": "Ada", **changes}


def setting(**changes: Any) -> Event:
    return {"event": "setting", "key": "budget.total", "from": 2, "to": 9, **changes}


def test_a_project_may_change_after_its_end() -> None:
    assert problem(state(), correction()) is None
    assert problem(state(), setting()) is None
    assert problem(state(), setting(key="recipe.epochs", **{"from": None}, to=3)) is None


@pytest.mark.parametrize("event", [correction(), setting()])
def test_a_run_may_not(event: Event) -> None:
    found = problem(state(project=False), event)
    assert found == f"a {event['event']} is possible only in a project"


def test_nothing_else_follows_the_end() -> None:
    assert problem(state(), {"event": "end", "reason": "budget"}) == (
        "something follows the end event"
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ids": []}, "must pair up, not 0, 1 and 1"),
        ({"to": [2, 2]}, "must pair up, not 1, 1 and 2"),
        ({"to": [3]}, "a label is not a whole number from 0 to 2"),
        ({"from": [0]}, r"Labeled otherwise: ids \[5\]"),
        ({"to": [1]}, r"Not changed: ids \[5\]"),
        ({"ids": [7]}, r"Not labeled: ids \[7\]"),
        ({"ids": [5, 5], "from": [1, 1], "to": [2, 2]}, r"Given more than once: ids \[5\]"),
        ({"by": 7}, "by must be a name, or a name for each id"),
        ({"by": ["Ada", "Ben"]}, "1 ids, but 2 names in by"),
        ({"at": "2026-11-29T23:16:05+01:00"}, "at must be a time in UTC"),
    ],
)
def test_corrections_that_make_no_sense(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        assert problem(state(), correction(**changes)) is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"by": "Ada"}, ""),
        ({"by": ["Ada", "Ben"]}, ""),
        ({"at": "2026-11-29T23:16:05+00:00"}, ""),
        ({"by": None}, "by must be a name"),
        ({"by": ["Ada", 3]}, "by must be a name"),
        ({"by": ["Ada"]}, "2 ids, but 1 names in by"),
        ({"at": 5}, "a value is not what it must be (TypeError"),
        ({"at": "noon"}, "a value is not what it must be (ValueError"),
        ({"at": "2026-11-29T23:16:05"}, "at must be a time in UTC"),
    ],
)
def test_labels_may_say_by_whom_and_when(changes: dict[str, Any], message: str) -> None:
    begun = RunState()
    begun.take({"event": "start", **start_event()})
    first = {"event": "labels", "round": 0, "ids": [3, 5], "labels": [0, 1], "origin": "initial"}
    assert (problem(begun, {**first, **changes}) or "").startswith(message)
    assert (problem(begun, {**first, **changes}) is None) == (not message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"key": "budget..total"}, "key must be a dotted name"),
        ({"key": 3}, "key must be a dotted name"),
        ({"from": 3}, "budget.total is 2, not 3"),
        ({"to": 2}, "nothing changes"),
    ],
)
def test_settings_that_make_no_sense(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        assert problem(state(), setting(**changes)) is None


def imported(**changes: Any) -> Event:
    kind = {"event": "labels", "origin": "imported"}
    return {**kind, "round": 1, "ids": [7], "labels": [2], **changes}


QUESTION: Event = {
    "event": "question",
    "round": 1,
    "origin": "query",
    "ids": [7, 9],
    "scores": None,
    "predicted": None,
    "confidence": None,
}


def asked(*more: Event) -> RunState:
    """A project of two labels, which asks for 7 and 9; then more events."""
    found = RunState()
    first = {"ids": [3, 5], "labels": [0, 1], "origin": "initial"}
    events: list[Event] = [
        {"event": "start", "schema": 1, "project": True, **start_event()},
        {"event": "labels", "round": 0, **first},
        {"event": "round", **round_event(0, 2)},
        QUESTION,
        *more,
    ]
    for event in events:
        assert problem(found, event) is None
        found.take(event)
    return found


def test_labels_are_imported_into_a_project_after_its_end_and_beside_a_question() -> None:
    assert problem(state(), imported()) is None
    assert problem(asked(), imported()) is None
    assert problem(asked(), imported(ids=[11])) is None
    assert problem(state(project=False), imported()) == "an import is possible only in a project"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"round": 0}, "labels of round 0, where round 1 is next"),
        ({"ids": [], "labels": []}, "no label"),
        ({"ids": [3]}, r"Already labeled: ids \[3\]"),
        ({"labels": [3]}, "a label is not a whole number from 0 to 2"),
        ({"ids": [7, 8]}, "ids and labels must pair up, not 2 and 1"),
        ({"by": 3}, "by must be a name"),
    ],
)
def test_imports_that_make_no_sense(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        assert problem(state(), imported(**changes)) is None


def test_no_question_asks_for_an_import() -> None:
    found = problem(asked(imported(ids=[7, 9], labels=[0, 1])), {**QUESTION, "origin": "imported"})
    assert found == "unknown origin 'imported'"


def test_nothing_is_imported_before_the_first_labels_are_asked_for() -> None:
    begun = RunState()
    begun.take({"event": "start", "project": True, **start_event()})
    early = imported(round=0)
    assert "run the project's command first" in (problem(begun, early) or "")
    begun.take({**QUESTION, "round": 0, "origin": "validation"})
    assert "after those for validation" in (problem(begun, early) or "")
    begun.take({"event": "labels", "round": 0, "ids": [9], "labels": [0], "origin": "validation"})
    begun.take({**QUESTION, "round": 0, "origin": "initial", "ids": [1, 2]})
    assert problem(begun, early) is None


def test_an_answer_may_be_empty_where_all_of_it_was_imported() -> None:
    nothing = {"event": "labels", "round": 1, "ids": [], "labels": [], "origin": "query"}
    assert problem(asked(), nothing) == "no label"
    assert problem(asked(imported()), nothing) is None
    assert problem(asked(images(gone=[9])), nothing) is None
    assert problem(asked(images(gone=[8])), nothing) == "no label"


def test_a_question_may_be_closed_without_a_label_where_the_budget_is_lowered() -> None:
    nothing = {"event": "labels", "round": 1, "ids": [], "labels": [], "origin": "query"}
    assert problem(asked(), {**nothing, "closed": "budget"}) is None
    assert problem(asked(), {**nothing, "closed": "other"}) == "no label"


def classes(**changes: Any) -> Event:
    return {"event": "classes", "added": [], "renamed": {}, "merged": {}, **changes}


def images(**changes: Any) -> Event:
    lists: dict[str, list[int]] = {name: [] for name in ("gone", "back", "changed")}
    counts = {"size": 20, "test": 30, "renamed": 0, "manifest": 100}
    others = {"manifest_sha256": "d1", "tests": {}}
    return {"event": "images", **counts, **lists, **others, **changes}


@pytest.mark.parametrize("event", [classes(added=["other"]), images(size=25), images(gone=[3])])
def test_classes_and_images_change_at_any_time_in_a_project(event: Event) -> None:
    begun = RunState()
    begun.take({"event": "start", "project": True, **start_event()})
    for found in (state(), asked(), begun):
        assert problem(found, event) is None
    assert problem(state(project=False), event) == (
        f"a {event['event']} is possible only in a project"
    )
    assert "the start event must come first" in (problem(RunState(), event) or "")


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (classes(), "nothing changes"),
        (classes(renamed={"other": "x"}), "'other' is no such class"),
        (classes(merged={"top": "middle", "bottom": "middle"}), "fewer than 2 classes"),
        ({"event": "classes", "added": []}, "the classes event lacks renamed, merged"),
        (images(size=19), "size is 19, but there were 20 images: ids are kept"),
        (images(size=2.5), "size must be a whole number"),
        (images(test=-1), "test must be a whole number"),
        (images(manifest=None), "manifest must be a whole number"),
        (images(tests={"gone": -1}), "gone must be a whole number"),
        (images(tests=3), "a value is not what it must be"),
        (images(size=30, gone=[20]), "gone, back and changed must be ids"),
        (images(changed=[3, 3]), "gone, back and changed must be ids of the training set, each"),
        (images(back=[3]), "Not gone before: ids [3]"),
        (images(gone=[3], changed=[3]), "Changed, but gone: ids [3]"),
        (images(gone=3), "a value is not what it must be"),
    ],
)
def test_changes_that_make_no_sense(event: Event, message: str) -> None:
    assert (problem(state(), event) or "").startswith(message)


def test_an_image_goes_and_comes_back_once() -> None:
    found = state()
    found.take(images(gone=[3]))
    assert problem(found, images(gone=[3])) == "Gone before: ids [3]"
    assert problem(found, images(back=[3], changed=[3])) is None


def test_no_question_asks_for_what_has_gone() -> None:
    found = state()
    found.take(images(gone=[7]))
    assert (problem(found, QUESTION) or "").startswith("Set aside, since their files have gone")


def test_labels_are_in_the_classes_of_their_time() -> None:
    found = state()
    found.take(classes(added=["other"]))
    assert problem(found, imported(labels=[3])) is None
    found.take(classes(merged={"other": "top"}))
    assert problem(found, imported(labels=[3])) == "a label is not a whole number from 0 to 2"


def test_labels_of_new_images_come_after_their_event() -> None:
    found = state()
    assert problem(found, imported(ids=[20])) == "an id is not one of the training set"
    found.take(images(size=21))
    assert problem(found, imported(ids=[20])) is None


def test_a_label_is_confirmed_where_its_image_has_changed() -> None:
    found = state()
    same = correction(to=[1])
    assert (problem(found, same) or "").startswith("Not changed")
    found.take(images(changed=[5]))
    assert problem(found, same) is None
    found.take(same)
    assert (problem(found, same) or "").startswith("Not changed")


def test_a_change_while_a_question_waits_leaves_it_open() -> None:
    found = asked()
    for event in (classes(added=["other"]), images(gone=[9])):
        assert problem(found, event) is None
        found.take(event)
    assert found.asked is not None
    assert "a question must be answered" in (
        problem(found, {"event": "end", "reason": "budget"}) or ""
    )


@pytest.mark.parametrize("origin", ["validation", "initial"])
def test_a_project_asks_for_first_labels_and_validation_labels_at_any_time(origin: str) -> None:
    asked_later = {**QUESTION, "origin": origin}
    found = state()
    found.take(images(size=25))
    assert problem(found, asked_later) is None
    plain = RunState()
    for event in (
        {"event": "start", "schema": 1, **start_event()},
        {"event": "labels", "round": 0, "ids": [3, 5], "labels": [0, 1], "origin": "initial"},
        {"event": "round", **round_event(0, 2)},
    ):
        plain.take(event)
    assert problem(plain, asked_later) == f"labels of origin '{origin}' in round 1"


def test_no_class_has_a_name_that_another_has_or_had() -> None:
    found = state()
    swap = classes(renamed={"top": "middle", "middle": "top"})
    assert (problem(found, swap) or "").startswith("'middle' is or was the name of another class")
    found.take(classes(renamed={"top": "upper"}))
    assert "'top' is or was" in (problem(found, classes(added=["top"])) or "")
    assert "'top' is or was" in (problem(found, classes(renamed={"middle": "top"})) or "")
    assert problem(found, classes(renamed={"upper": "top"})) is None  # as it was called before
    found.take(classes(merged={"middle": "upper"}))
    assert "'middle' is or was" in (problem(found, classes(added=["middle"])) or "")
