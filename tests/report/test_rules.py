import re

import pytest

from al_lightning.report.rules import Rules
from al_lightning.utils.errors import UsageError


def test_one_look_has_the_whole_level_and_several_share_it() -> None:
    assert [Rules().level(n) for n in (2, 3, 50)] == [0, 0.05, 0.05]
    assert [Rules(looks=[5, 10]).level(n) for n in (4, 5, 7, 10, 11)] == [0, 0.025, 0, 0.025, 0]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"margin": 0}, "report.margin"),
        ({"difference": -1}, "report.difference"),
        ({"looks": [2, 5]}, "report.looks must be a whole number of at least 3"),
        ({"looks": [10, 5]}, "ascending numbers of seeds, such as [5, 10], not [10, 5]"),
        ({"looks": []}, "ascending numbers of seeds"),
    ],
)
def test_what_no_rule_can_be_is_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        Rules(**wrong)  # type: ignore[arg-type]
