"""The rules by which one event of a run may follow another."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal, get_args

from al_lightning.run.class_change import ClassChange
from al_lightning.run.pool import HELD_OUT
from al_lightning.run.question_parts import parts_problem
from al_lightning.run.questions import IMPORTED
from al_lightning.run.state import Event, RunState
from al_lightning.utils.clock import is_utc
from al_lightning.utils.nested import leaves

SCHEMA = 1
ORIGINS = ("initial", "query", *HELD_OUT)
Reason = Literal["budget", "pool_empty", "stopped"]
REASONS: tuple[Reason, ...] = get_args(Reason)

_KEYS: dict[str, tuple[str, ...]] = {
    "start": ("schema", "config", "config_hash", "versions", "hardware", "classes", "data"),
    "question": ("round", "origin", "ids", "scores", "predicted", "confidence"),
    "labels": ("round", "ids", "labels", "origin"),
    "round": ("round", "labels_bought", "metrics", "per_class", "seconds", "steps"),
    "correction": ("ids", "from", "to", "by"),
    "setting": ("key", "from", "to"),
    "classes": ("added", "renamed", "merged"),
    "images": (
        *("size", "test", "gone", "back", "changed", "renamed", "manifest", "manifest_sha256"),
        "tests",
    ),
    "end": ("reason",),
}
#: Of projects: at any time, also at the end.
_CHANGES = ("correction", "setting", "classes", "images")


def problem(state: RunState, event: Any) -> str | None:
    """Return the reason why an event cannot come next; None if it can."""
    try:
        return _contradiction(state, event)
    except (KeyError, TypeError, AttributeError, ValueError, RuntimeError, OverflowError) as error:
        return f"a value is not what it must be ({type(error).__name__}: {error})"


def _contradiction(state: RunState, event: Any) -> str | None:
    if not isinstance(event, dict) or event.get("event") not in _KEYS:
        return f"not an event of {', '.join(_KEYS)}"
    kind = event["event"]
    if missing := [key for key in _KEYS[kind] if key not in event]:
        return f"the {kind} event lacks {', '.join(missing)}"
    return _order_problem(state, event) or _CHECKS[kind](state, event)


def _order_problem(state: RunState, event: Event) -> str | None:
    """Return the reason why an event of a kind cannot stand here."""
    kind = event["event"]
    imported = kind == "labels" and event["origin"] == IMPORTED
    is_change = imported or kind in _CHANGES
    if is_change and state.start is not None and not state.is_project:
        return f"{'an import' if imported else f'a {kind}'} is possible only in a project"
    if state.ended and not is_change:
        return "something follows the end event"
    if state.asked is not None and kind not in ("labels", *_CHANGES):
        return "a question must be answered before anything else happens"
    if (kind == "start") != (state.start is None):
        return "the start event must come first, and only there"
    return None


def _start_problem(_state: RunState, event: Event) -> str | None:
    if event["schema"] != SCHEMA:
        return f"schema {event['schema']!r}, but this version of al_lightning reads {SCHEMA}"
    if not _is_index(event["data"]["train"], 2**62) or not isinstance(event["classes"], list):
        return "data.train must be a number of images, and classes a list"
    return None


def _end_problem(state: RunState, event: Event) -> str | None:
    if not state.rounds or state.due != state.rounds[-1]["round"]:
        return "the end must follow a round: the last labels were not trained on"
    return None if event["reason"] in REASONS else f"unknown reason {event['reason']!r}"


def _question_problem(state: RunState, event: Event) -> str | None:
    count = len(event["ids"])
    for name in ("scores", "predicted", "confidence"):
        if event[name] is not None and len(event[name]) != count:
            return f"{count} ids, but {len(event[name])} {name}"
    for name in ("scores", "confidence"):
        if any(type(value) is not float for value in event[name] or ()):
            return f"{name} must be numbers"
    return (
        _place_problem(state, event)
        or parts_problem(event, event["ids"])
        or _classes_problem(state, event["predicted"] or ())
        or _ids_problem(
            state,
            event["ids"],
            {
                "Skipped before": state.skipped,
                "Set aside, since their files have gone": state.absent,
            },
        )
    )


def _labels_problem(state: RunState, event: Event) -> str | None:
    imported = event["origin"] == IMPORTED
    if found := (_import_problem if imported else _place_problem)(state, event):
        return found
    ids, labels, skipped = event["ids"], event["labels"], event.get("skipped", [])
    asked = event if imported or state.asked is None else state.asked
    if (asked["round"], asked["origin"]) != (event["round"], event["origin"]):
        return "these labels are not the answer to the question before them"
    # All that was answered may have been imported since, or have gone; or the budget was lowered.
    settled = any(i in state.label_of or i in state.absent for i in asked["ids"])
    if not (ids or skipped or settled or (state.is_project and event.get("closed") == "budget")):
        return "no label"
    if len(ids) != len(labels):
        return f"ids and labels must pair up, not {len(ids)} and {len(labels)}"
    unlabeled = [*skipped, *event.get("open", ())]
    refused = {"Skipped before": state.skipped.intersection(unlabeled)}  # it may be labeled since
    return (
        _classes_problem(state, labels)
        or _ids_problem(state, [*ids, *unlabeled], refused)
        or _annotation_problem(event)
        or parts_problem(event, ids)
    )


def _annotation_problem(event: Event) -> str | None:
    """Return the reason why an event does not say by whom and when labels were given."""
    by, at = event.get("by", ""), event.get("at")
    names = by if isinstance(by, list) else [by]
    if any(not isinstance(name, str) for name in names):
        return "by must be a name, or a name for each id"
    if isinstance(by, list) and len(by) != len(event["ids"]):
        return f"{len(event['ids'])} ids, but {len(by)} names in by"
    return None if at is None or is_utc(at) else f"at must be a time in UTC, not {at!r}"


def _import_problem(state: RunState, event: Event) -> str | None:
    """Return the reason why labels cannot be imported here."""
    expected = len(state.rounds)
    if event["round"] != expected:
        return f"labels of round {event['round']!r}, where round {expected} is next"
    trained = any(answer["origin"] not in HELD_OUT for answer in state.answers)
    asked = state.asked is not None and state.asked["origin"] == "initial"
    if expected == 0 and not trained and not asked:
        return (
            "labels can be imported once the first labels are asked for, after those for validation: "
            "run the project's command first"
        )
    return None


def _place_problem(state: RunState, event: Event) -> str | None:
    """Return the reason why a question or labels cannot stand here."""
    if event["origin"] not in ORIGINS:
        return f"unknown origin {event['origin']!r}"
    expected = len(state.rounds)
    if event["round"] != expected:
        return f"labels of round {event['round']!r}, where round {expected} is next"
    if event["origin"] != "query" and state.is_project:
        return None  # of images that came, or instead of labels whose images have all gone
    if (event["origin"] == "query") != (expected > 0):
        return f"labels of origin {event['origin']!r} in round {expected}"
    return None


def _classes_problem(state: RunState, labels: Collection[Any]) -> str | None:
    classes = len(state.classes)
    if any(not _is_index(label, classes) for label in labels):
        return f"a label is not a whole number from 0 to {classes - 1}"
    return None


def _ids_problem(
    state: RunState, ids: Sequence[Any], refused: Mapping[str, Collection[int]]
) -> str | None:
    """Return the reason why images cannot be queried, labeled or skipped.

    Args:
        state: Before the event.
        ids: Of the images.
        refused: Images that cannot be among them, by the reason.
    """
    if any(not _is_index(i, state.size) for i in ids):
        return "an id is not one of the training set"
    known = {"Already labeled": state.label_of, **refused}
    wrong = {
        "Given more than once": _repeated(ids),
        **{what: [i for i in ids if i in some] for what, some in known.items()},
    }
    return next((f"{what}: ids {found}" for what, found in wrong.items() if found), None)


def _round_problem(state: RunState, event: Event) -> str | None:
    expected = len(state.rounds)
    if event["round"] != expected:
        return f"round {event['round']!r}, where round {expected} is next"
    if state.due != expected:
        return f"round {expected} has no labels of its own"
    if event["labels_bought"] != len(state.label_of):
        return (
            f"labels_bought is {event['labels_bought']!r}, but {len(state.label_of)} were "
            "written down"
        )
    return None


def _correction_problem(state: RunState, event: Event) -> str | None:
    ids, before, after = event["ids"], event["from"], event["to"]
    if not ids or not len(ids) == len(before) == len(after):
        return f"ids, from and to must pair up, not {len(ids)}, {len(before)} and {len(after)}"
    wrong = {
        "Given more than once": _repeated(ids),
        "Not labeled": [i for i in ids if i not in state.label_of],
        "Labeled otherwise": [
            i for i, old in zip(ids, before, strict=True) if state.label_of.get(i) != old
        ],
        "Not changed": [
            i
            for i, old, new in zip(ids, before, after, strict=True)
            if old == new and i not in state.to_review
        ],
    }
    found = next((f"{what}: ids {found}" for what, found in wrong.items() if found), None)
    return found or _classes_problem(state, after) or _annotation_problem(event)


def _setting_problem(state: RunState, event: Event) -> str | None:
    key, before = event["key"], event["from"]
    if not isinstance(key, str) or not key or not all(key.split(".")):
        return f"key must be a dotted name, not {key!r}"
    known = dict(leaves(state.config)).get(key)
    if known != before:
        return f"{key} is {known!r}, not {before!r}"
    return "nothing changes" if before == event["to"] else None


def _class_change_problem(state: RunState, event: Event) -> str | None:
    change = ClassChange.of(event)
    if found := change.problem(state.classes):
        return found
    now = {**{name: name for name in state.classes}, **state.aliases}
    taken = [n for n in change.added if n in now]
    taken += [new for old, new in change.renamed.items() if now.get(new, old) != old]
    if taken:
        return (
            f"{taken[0]!r} is or was the name of another class, and sheets, folders and tables may "
            "still have it: choose another name"
        )
    return None


def _images_problem(state: RunState, event: Event) -> str | None:
    size, gone, back, changed = (event[key] for key in ("size", "gone", "back", "changed"))
    counts = {"size": size, "test": event["test"], "renamed": event["renamed"]}
    counts |= {"manifest": event["manifest"], **event["tests"]}
    for name, count in counts.items():
        if not _is_index(count, 2**62):
            return f"{name} must be a whole number, not {count!r}"
    if size < state.size:
        return f"size is {size}, but there were {state.size} images: ids are kept"
    for ids in (gone, back, changed):
        if any(not _is_index(i, state.size) for i in ids) or _repeated(ids):
            return "gone, back and changed must be ids of the training set, each once"
    wrong = {
        "Gone before": [i for i in gone if i in state.absent],
        "Not gone before": [i for i in back if i not in state.absent],
        "Changed, but gone": [i for i in changed if i in gone],
    }
    return next((f"{what}: ids {found}" for what, found in wrong.items() if found), None)


def _repeated(ids: Sequence[Any]) -> list[Any]:
    return sorted(i for i, times in Counter(ids).items() if times > 1)


def _is_index(value: Any, count: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < count


_CHECKS: dict[str, Callable[[RunState, Event], str | None]] = {
    "start": _start_problem,
    "question": _question_problem,
    "labels": _labels_problem,
    "round": _round_problem,
    "correction": _correction_problem,
    "setting": _setting_problem,
    "classes": _class_change_problem,
    "images": _images_problem,
    "end": _end_problem,
}
