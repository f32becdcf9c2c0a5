"""The time of day, as journals and tables write it."""

from datetime import UTC, datetime, timedelta


def utc_now() -> str:
    """Return the time now in UTC, in ISO 8601 to the second: "2026-11-29T23:16:05+00:00"."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def is_utc(text: str) -> bool:
    """Return whether a text is a time in UTC.

    >>> is_utc("2026-11-29T23:16:05+00:00"), is_utc("2026-11-29T23:16:05+01:00")
    (True, False)

    Raises:
        ValueError: If it is no time in ISO 8601.
    """
    return datetime.fromisoformat(text).utcoffset() == timedelta(0)
