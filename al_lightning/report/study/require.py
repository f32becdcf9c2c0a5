"""Checks of a journal's values for a report, made once, where it is read.

Journals come from other machines and other people. What a report does with their values (draw, format,
average, write into pages) is safe for the values that pass.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from al_lightning.run.state import Event
from al_lightning.utils.names import LONGEST_NAME, is_utf8, unprintable

_ROUNDED = 1e-6  # of a share: a mean in float32 may be just above 1
_LONGEST_TEXT = 10_000
_MOST_VALUES = 100_000
_DEEPEST = 50  # mappings and lists within each other
_LARGEST = 1e12  # of a number: sums of squares of more would not be finite
_LARGEST_INTEGER = 2**63
_MOST_IMAGES = 10**9
#: What lies between 0 and 1; of other metrics, a report does not know it.
_SHARES = (
    *("accuracy", "balanced_accuracy", "macro_precision", "macro_recall", "macro_f1", "ece"),
    *("precision", "recall", "f1"),
)


class NotReportableError(ValueError):
    """A journal has a value that no report can be made of."""


def require_reportable(
    start: Event, rounds: list[Event], classes_in: Callable[[int], Sequence[str]]
) -> None:
    """Check all values of a journal that a report uses.

    Args:
        start: The start event.
        rounds: The events of finished rounds.
        classes_in: Returns the names of the classes in a round.

    Raises:
        NotReportableError: If one cannot be reported on; says which.
    """
    for key in ("config", "versions", "hardware", "data"):
        _require_mapping(start[key], key)
    for key in ("model", "trainer"):
        _require_mapping(start.get(key, {}), key)
    _require_names(start)
    for key in ("config", "versions", "hardware", "data", "model", "trainer", "overrides"):
        _require_plain(start.get(key), key)
    for event in rounds:
        _require_round(event, len(classes_in(event["round"])))


def _require_names(start: Event) -> None:
    names = start["config"].get("names", {})
    _require_mapping(names, "config.names")
    for key, value in names.items():
        _require_name(value, f"config.names.{key}", optional=True)
    for label, name in enumerate(start["classes"]):
        _require_name(name, f"classes[{label}]")
    if len(set(map(str, start["classes"]))) < len(start["classes"]):
        raise NotReportableError("two classes have one name")
    overrides = start.get("overrides", [])
    if not isinstance(overrides, list) or not all(isinstance(text, str) for text in overrides):
        raise NotReportableError("overrides must be a list of texts")
    for key in ("train", "test"):
        _require_count(start["data"].get(key, 0), f"data.{key}", most=_MOST_IMAGES)
    parameters = start.get("model", {}).get("trainable_parameters")
    if parameters is not None:
        _require_count(parameters, "model.trainable_parameters")


def _require_round(event: Event, classes: int) -> None:
    place = f"round {event['round']}: "
    for key in ("metrics", "validation", "test", "seconds"):
        values = event.get(key, {})
        _require_mapping(values, place + key)
        for name, value in values.items():
            _require_name(name, f"{place}a name in {key}")
            _require_number(value, f"{place}{key}.{name}", name)
        if key != "seconds" and values and "accuracy" not in values:
            raise NotReportableError(f"{place}{key} must have an accuracy")
    if min(event["seconds"].values(), default=0) < 0:
        raise NotReportableError(f"{place}seconds must not be negative")
    _require_mapping(event["per_class"], f"{place}per_class")
    for name, values in event["per_class"].items():
        _require_name(name, f"{place}a name in per_class")
        if not isinstance(values, list) or len(values) != classes:
            raise NotReportableError(f"{place}per_class.{name} must be a list of a number a class")
        for value in values:
            _require_number(value, f"{place}per_class.{name}", name)
    _require_count(event["steps"], f"{place}steps")


def _require_mapping(value: Any, what: str) -> None:
    if not isinstance(value, Mapping):
        raise NotReportableError(f"{what} must be a mapping, not {value!r:.50}")


def _require_name(value: Any, what: str, *, optional: bool = False) -> None:
    if value is None and optional:
        return
    if not isinstance(value, str | int | float) or (isinstance(value, str) and not value):
        raise NotReportableError(f"{what} must be a name, not {value!r:.50}")
    text = str(value)
    if len(text) > LONGEST_NAME:
        raise NotReportableError(
            f"{what} must have at most {LONGEST_NAME} characters, not {len(text):,}: {text[:30]}..."
        )
    if not is_utf8(text) or unprintable(text):
        raise NotReportableError(f"{what} has a character that cannot be shown: {text!a:.50}")


def _require_number(value: Any, what: str, name: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NotReportableError(f"{what} must be a number, not {value!r:.50}")
    if not abs(value) <= _LARGEST:  # NaN is refused too
        raise NotReportableError(f"{what} must be a number up to {_LARGEST:.0e}, not {value!r:.50}")
    if name in _SHARES and not 0 <= value <= 1 + _ROUNDED:
        raise NotReportableError(f"{what} must be from 0 to 1, not {value}")


def _require_count(value: Any, what: str, most: int = _LARGEST_INTEGER - 1) -> None:
    if type(value) is not int or not 0 <= value <= most:
        raise NotReportableError(
            f"{what} must be a whole number from 0 to {most:,}, not {value!r:.50}"
        )


def _require_plain(value: Any, what: str) -> None:
    """Check texts and numbers in a tree of mappings and lists."""
    for number, leaf in enumerate(_leaves(value, what)):
        if number >= _MOST_VALUES:
            raise NotReportableError(f"{what} has more than {_MOST_VALUES:,} values")
        if isinstance(leaf, str):
            _require_text(leaf, what)
        elif isinstance(leaf, float) and not math.isfinite(leaf):
            raise NotReportableError(f"{what} has a number that is not finite")
        elif isinstance(leaf, int) and abs(leaf) >= _LARGEST_INTEGER:
            raise NotReportableError(f"{what} has a whole number of absurd size")


def _require_text(text: str, what: str) -> None:
    if len(text) > _LONGEST_TEXT:
        raise NotReportableError(f"{what} has a text of {len(text):,} characters: {text[:30]!a}...")
    lines = text.replace("\n", " ").replace("\t", " ")
    if not is_utf8(text) or unprintable(lines):
        raise NotReportableError(f"{what} has a character that cannot be shown: {text!a:.80}")


def _leaves(value: Any, what: str) -> Iterator[Any]:
    """Yield keys and values of a tree, without recursion, as it may be nested deeply."""
    left = [(value, 0)]
    while left:
        inner, depth = left.pop()
        if depth > _DEEPEST:
            raise NotReportableError(f"{what} is nested more than {_DEEPEST} deep")
        if isinstance(inner, Mapping):
            yield from inner
            left += [(each, depth + 1) for each in inner.values()]
        elif isinstance(inner, list):
            left += [(each, depth + 1) for each in inner]
        else:
            yield inner
