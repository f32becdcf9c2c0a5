"""Classes that are added, renamed and merged: names, labels, and what cannot be."""

from typing import Any

import pytest

from al_lightning.run.class_change import ClassChange

PETS = ["cat", "dog", "wolf"]


def test_all_at_once() -> None:
    change = ClassChange(["owl"], {"cat": "kitten"}, {"wolf": "dog"})
    assert change.after(PETS) == ["kitten", "dog", "owl"]
    assert change.new_labels(PETS) == [0, 1, 1]
    assert str(change) == "new owl; cat -> kitten; wolf is now dog"
    assert change.problem(PETS) is None


def test_two_classes_may_swap_their_names() -> None:
    change = ClassChange(renamed={"cat": "dog", "dog": "cat"})
    assert change.problem(PETS) is None
    assert change.after(PETS) == ["dog", "cat", "wolf"]
    assert change.new_labels(PETS) == [0, 1, 2]
    assert change.aliases(PETS, {}) == {}  # no name is left that is no class


def test_a_class_before_another_is_merged_into_it() -> None:
    change = ClassChange(merged={"cat": "wolf"})
    assert (change.after(PETS), change.new_labels(PETS)) == (["dog", "wolf"], [1, 0, 1])


def test_earlier_names_lead_to_those_of_today() -> None:
    aliases: dict[str, str] = {}
    classes = PETS
    for change in (
        ClassChange(renamed={"cat": "kitten"}),
        ClassChange(merged={"kitten": "dog"}),
        ClassChange(renamed={"dog": "pet"}),
    ):
        assert change.problem(classes) is None
        aliases, classes = change.aliases(classes, aliases), change.after(classes)
    assert classes == ["pet", "wolf"]
    assert aliases == {"cat": "pet", "kitten": "pet", "dog": "pet"}


def test_a_name_that_is_a_class_again_is_no_earlier_name() -> None:
    first = ClassChange(renamed={"cat": "kitten"})
    aliases, classes = first.aliases(PETS, {}), first.after(PETS)
    again = ClassChange(["cat"])
    assert again.problem(classes) is None
    assert again.aliases(classes, aliases) == {}


def test_it_is_what_its_event_says() -> None:
    change = ClassChange(["owl"], {"cat": "kitten"}, {})
    event = {"event": "classes", "added": ["owl"], "renamed": {"cat": "kitten"}, "merged": {}}
    assert ClassChange.of(event) == change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, "nothing changes"),
        ({"added": ["cat"]}, "'cat' is the name of two classes"),
        ({"added": ["owl", "owl"]}, "'owl' is the name of two classes"),
        ({"added": [" "]}, "' ' is no name of a class"),
        ({"renamed": {"owl": "bird"}}, "'owl' is no such class"),
        ({"renamed": {"cat": "dog"}}, "'dog' is the name of two classes"),
        ({"renamed": {"cat": 3}}, "3 is no name of a class"),
        ({"merged": {"owl": "dog"}}, "'owl' is no such class"),
        ({"merged": {"cat": "owl"}}, "'owl' is no such class"),
        ({"merged": {"cat": "cat"}}, "'cat' is changed in the same step"),
        ({"merged": {"cat": "dog", "dog": "wolf"}}, "'dog' is changed in the same step"),
        ({"merged": {"cat": "dog"}, "renamed": {"cat": "x"}}, "'cat' is both renamed and merged"),
        ({"merged": {"cat": "dog"}, "renamed": {"dog": "x"}}, "'dog' is changed in the same step"),
        ({"merged": {"cat": "dog", "wolf": "dog"}}, "fewer than 2 classes would be left"),
    ],
)
def test_what_cannot_be(change: dict[str, Any], message: str) -> None:
    assert (ClassChange(**change).problem(PETS) or "").startswith(message)
