import re

import pytest

from al_lightning.report.rules import Rules
from al_lightning.utils.errors import UsageError


def test_the_look_is_the_last_that_was_reached_and_the_next_is_known() -> None:
    rules = Rules(looks=[3, 5, 10])
    assert [rules.look(n) for n in (2, 3, 4, 5, 9, 10, 50)] == [None, 3, 3, 5, 5, 10, 10]
    assert [rules.next_look(n) for n in (0, 3, 4, 9, 10)] == [3, 5, 5, 10, None]
    assert rules == Rules()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"margin": 0}, "report.margin"),
        ({"difference": -1}, "report.difference"),
        ({"looks": [2, 5]}, "report.looks must be a whole number of at least 3"),
        ({"looks": None}, "report.looks must be a whole number of at least 3"),
        ({"looks": [10, 5]}, "ascending numbers of seeds, such as [5, 10], not [10, 5]"),
        ({"looks": []}, "ascending numbers of seeds"),
    ],
)
def test_what_no_rule_can_be_is_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        Rules(**wrong)  # type: ignore[arg-type]
