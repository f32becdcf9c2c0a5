"""Numbers, lists and names as a reader wants them, and as files can have them."""

import re
from collections.abc import Sequence

_SHORTEST = 0.001  # seconds


def percent(share: float, decimals: int = 2) -> str:
    """Return a share in per cent, without the sign: 0.9012 -> "90.12"."""
    return _without_negative_zero(f"{100 * share:.{decimals}f}")


def points(difference: float, decimals: int = 2) -> str:
    """Return a difference of shares in percentage points, signed: 0.014 -> "+1.40"."""
    text = _without_negative_zero(f"{100 * difference:.{decimals}f}")
    return text if text.startswith("-") or not text.strip("0.") else f"+{text}"


def decimals_for(*shares: float) -> int:
    """Return how many decimals shares in per cent need to differ from 0: 1 to 3."""
    smallest = min((abs(100 * share) for share in shares if share), default=1.0)
    return next((n for n in (1, 2) if smallest >= 0.5 / 10**n), 3)


def interval(low: float, high: float, decimals: int = 2) -> str:
    """Return an interval of shares in percentage points: "[0.9, 1.9]"."""
    return f"[{percent(low, decimals)}, {percent(high, decimals)}]"


def count(number: float) -> str:
    """Return a whole number with its thousands set apart: "3,000"."""
    return f"{round(number):,}"


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun: "1 seed", "3 seeds"."""
    return f"{count(number)} {one if number == 1 else many or f'{one}s'}"


def seconds(value: float) -> str:
    """Return seconds with about three digits: "0.02 s", "84.6 s", "1,204 s"."""
    if 0 < value < _SHORTEST:
        return f"< {_SHORTEST} s"
    decimals = next((n for n, limit in ((0, 100), (1, 10), (2, 0.095)) if value >= limit), 3)
    return f"{value:,.{decimals}f} s" if value else "0 s"


def listed(names: Sequence[str], last: str = "and") -> str:
    """Return a list in words: "a, b and c"."""
    *others, final = names
    return f"{', '.join(others)} {last} {final}" if others else final


def slug(name: str) -> str:
    """Return a name as files can have it: "f(beta=2)" -> "f_beta_2"."""
    return re.sub(r"\W+", "_", name).strip("_")


def _without_negative_zero(text: str) -> str:
    return text.removeprefix("-") if not text.strip("-0.") else text
