from typing import Any

from al_lightning.run.raised_budget import labels_due


def raised(before: int | None, after: int | None, key: str = "validation") -> dict[str, Any]:
    return {"event": "setting", "key": f"budget.{key}", "from": before, "to": after}


def question(count: int, origin: str = "validation") -> dict[str, Any]:
    return {"event": "question", "origin": origin, "ids": [*range(count)]}


def labels(count: int, origin: str = "validation", **more: Any) -> dict[str, Any]:
    return {"event": "labels", "origin": origin, "ids": [*range(count)], **more}


def due(*events: dict[str, Any]) -> int:
    return labels_due([{"event": "start"}, *events], "validation")


def test_what_is_raised_is_due_until_it_was_asked_for() -> None:
    assert due() == 0
    assert due(raised(6, 16)) == 10
    assert due(raised(None, 5)) == 5
    assert due(raised(6, 16), question(10)) == 10  # until the answer
    assert due(raised(6, 16), question(10), labels(7)) == 0  # what is left open stays open
    assert due(raised(6, 16), question(4), labels(4)) == 6  # the budget had no more
    assert due(raised(6, 16), labels(10)) == 0  # an answer at once
    assert due(raised(6, 16), question(10), labels(0, skipped=[1])) == 0


def test_other_answers_are_not_those_to_a_raised_budget() -> None:
    assert due(question(6), raised(6, 16), labels(6)) == 10  # the question was there before
    assert due(raised(6, 16), question(8, "query"), labels(8, "query")) == 10
    assert due(raised(6, 16, "test")) == 0
    assert labels_due([raised(6, 16, "test")], "test") == 10


def test_a_question_whose_images_have_gone_stays_due() -> None:
    assert due(raised(6, 16), question(10), labels(0)) == 10


def test_a_budget_that_is_lowered_and_raised_again_is_due_from_its_highest_value() -> None:
    assert due(raised(6, 2), raised(2, 6)) == 0
    assert due(raised(6, 2), raised(2, 8)) == 2
    assert due(raised(6, 8), raised(8, None), raised(None, 9)) == 3
