from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from al_lightning import Budget, UsageError
from al_lightning.utils.checks import (
    require_kind,
    require_names,
    require_plain,
    require_within,
    whole_number,
)

INF = float("inf")
CIRCLE: dict[str, object] = {}
CIRCLE["a"] = CIRCLE


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (lambda: require_kind("budget", 3, Budget), "budget must be a Budget, not 3"),
        (lambda: require_names("irrelevant", "code"), r"such as \['code'\], not one text"),
        (lambda: require_names("irrelevant", [1]), r"a list of texts, not \[1\]"),
        (lambda: require_plain("config", {"a": Path("b")}), r"config\.a must hold plain.*Path"),
        (
            lambda: require_plain("config", {"a": {"b": [1, INF]}}),
            r"config\.a\.b\.1 must hold plain",
        ),
        (lambda: require_plain("config", {"a": {(1, 2): 3}}), r"config\.a must hold plain values"),
        (lambda: require_plain("config", CIRCLE), "config must hold plain values.*Circular"),
        (lambda: require_plain("config", [1]), "config must be a Mapping"),
        *[
            (lambda value=value: whole_number("seed", value), "seed must be a whole number")
            for value in ("0", 1.5, None, -1, True)
        ],
    ],
)
def test_what_cannot_be_used_is_named(check: Callable[[], object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        check()


def test_what_can_be_used_is_taken() -> None:
    require_kind("cache", None, Budget, type(None))
    require_names("irrelevant", ("code", "budget"))
    assert whole_number("seed", np.int64(3)) == 3
    assert type(whole_number("seed", np.int64(3))) is int


@pytest.mark.parametrize("value", [0, 0.5, 0.999])
def test_numbers_in_an_interval_are_taken(value: float) -> None:
    require_within("rate", value, "[0, 1)")
    require_within("rate", 1 - value, "(0, 1]")


@pytest.mark.parametrize("value", [1, -0.1, 2, float("nan"), float("inf"), "0.5", None, True])
def test_what_is_no_number_in_an_interval_is_named(value: object) -> None:
    with pytest.raises(UsageError, match=r"rate must be in \[0, 1\), not "):
        require_within("rate", value, "[0, 1)")
    with pytest.raises(UsageError, match=r"rate must be in \(1, inf\), not "):
        require_within("rate", 1, "(1, inf)")


def test_a_whole_number_may_have_another_least() -> None:
    assert whole_number("threads", 1, least=1) == 1
    with pytest.raises(UsageError, match="threads must be a whole number of at least 1, not 0"):
        whole_number("threads", 0, least=1)
