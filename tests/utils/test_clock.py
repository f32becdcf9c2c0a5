import re

import pytest

from al_lightning.utils.clock import is_utc, utc_now


def test_the_time_is_in_utc_to_the_second() -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", utc_now())
    assert is_utc(utc_now())


@pytest.mark.parametrize("text", ["2026-11-29T23:16:05", "2026-11-29T23:16:05+01:00"])
def test_other_zones_and_none_are_not_utc(text: str) -> None:
    assert not is_utc(text)
    with pytest.raises(ValueError, match="noon"):
        is_utc("noon")
