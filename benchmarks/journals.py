"""What the journals of two runs must have in common."""

from collections.abc import Iterable
from typing import Any

#: Fields that differ although two runs do the same: times, memory, and digests that cover them.
VOLATILE = frozenset({"seconds", "peak_rss_bytes", "at", "digest"})


def comparable(events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return events without volatile fields."""
    return [{key: value for key, value in e.items() if key not in VOLATILE} for e in events]
