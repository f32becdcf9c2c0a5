import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from al_lightning.run.journal import Journal
from al_lightning.run.pool import Pool
from al_lightning.run.questions import Question
from al_lightning.run.rules import SCHEMA
from al_lightning.run.state import Event
from al_lightning.utils.errors import JournalError, UsageError
from tests.helpers import round_event, start_event


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "journal.jsonl"


def ids(*values: int) -> Tensor:
    return torch.tensor(values, dtype=torch.int64)


def write_run(path: Path) -> Journal:
    """A finished run of two rounds on 20 images of 3 classes: 2 + 3 labels, then 2 more."""
    journal = Journal(path)
    journal.begin(start_event())
    journal.record_labels(0, ids(19, 4), ids(2, 0), "validation")
    journal.record_labels(0, ids(7, 0, 3), ids(0, 1, 2), "initial")
    journal.record_round(round_event(0, 5, accuracy=0.5))
    journal.record_labels(1, ids(11, 2), ids(1, 1), "query")
    journal.record_round(round_event(1, 7, accuracy=0.75))
    journal.end("budget")
    return journal


def written_events() -> list[Event]:
    return [
        {"event": "start", "schema": SCHEMA, **start_event()},
        {
            "event": "labels",
            "round": 0,
            "ids": [19, 4],
            "labels": [2, 0],
            "origin": "validation",
        },
        {
            "event": "labels",
            "round": 0,
            "ids": [7, 0, 3],
            "labels": [0, 1, 2],
            "origin": "initial",
        },
        {"event": "round", **round_event(0, 5, accuracy=0.5)},
        {"event": "labels", "round": 1, "ids": [11, 2], "labels": [1, 1], "origin": "query"},
        {"event": "round", **round_event(1, 7, accuracy=0.75)},
        {"event": "end", "reason": "budget"},
    ]


def write_lines(path: Path, *lines: object) -> None:
    """Write lines with the digests they would have: what is refused is refused for what it says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    digest, written = "", []
    for line in lines:
        if isinstance(line, dict):
            digest = sha256((digest + json.dumps(line)).encode()).hexdigest()[:16]
            written.append(json.dumps({**line, "digest": digest}))
        else:
            written.append(line if isinstance(line, str) else json.dumps(line))
    path.write_text("".join(f"{line}\n" for line in written), encoding="utf-8")


def assert_refused(path: Path, line: int, problem: str) -> None:
    before = path.read_bytes()
    with pytest.raises(JournalError, match=rf"{re.escape(str(path))}, line {line}: .*{problem}"):
        Journal(path)
    assert path.read_bytes() == before


# Writing and reading


def test_nothing_is_written_before_the_first_event(path: Path) -> None:
    journal = Journal(path)
    assert not path.parent.exists()
    assert (journal.start, journal.current_round, journal.finished) == (None, None, False)
    assert (list(journal.events), journal.rounds) == ([], [])
    assert journal.pool.size == 0


def test_an_empty_file_is_a_run_that_has_not_begun(path: Path) -> None:
    write_lines(path)
    journal = Journal(path)
    assert journal.start is None
    journal.begin(start_event())
    assert Journal(path).start == written_events()[0]


def test_every_event_is_one_line_of_json(path: Path) -> None:
    write_run(path)
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    digests = [line.pop("digest") for line in lines]
    assert lines == written_events()
    assert len(set(digests)) == len(lines)


def test_the_schema_is_the_one_scripts_rely_on(path: Path) -> None:
    write_run(path)
    with path.open(encoding="utf-8") as file:
        assert json.loads(file.readline())["schema"] == 1


@pytest.mark.parametrize("replayed", [False, True])
def test_a_replay_knows_what_the_writer_knew(path: Path, replayed: bool) -> None:
    journal = write_run(path)
    journal = Journal(path) if replayed else journal
    events = written_events()
    assert list(journal.events) == events
    assert journal.start == events[0]
    assert journal.rounds == [events[3], events[5]]
    assert journal.labels("validation") == [events[1]]
    assert journal.labels("initial") == [events[2]]
    assert journal.labels("query") == [events[4]]
    assert journal.current_round == 1
    assert journal.finished
    assert journal.pool.labeled_ids.tolist() == [7, 0, 3, 11, 2]
    assert journal.pool.labels.tolist() == [0, 1, 2, 1, 1]
    assert journal.pool.validation_ids.tolist() == [19, 4]
    assert journal.pool.validation_labels.tolist() == [2, 0]
    assert journal.pool.size == 20


def test_tuples_are_events_as_they_will_be_read(path: Path) -> None:
    journal = Journal(path)
    journal.begin(start_event(config={"filters": (32, 64)}))
    assert list(journal.events) == list(Journal(path).events)


def test_the_file_is_only_ever_appended_to(path: Path) -> None:
    before, journal = b"", Journal(path)
    steps: list[Callable[[], None]] = [
        lambda: journal.begin(start_event()),
        lambda: journal.record_labels(0, ids(1, 2), ids(0, 1), "initial"),
        lambda: journal.record_round(round_event(0, 2)),
        lambda: journal.end("pool_empty"),
    ]
    for step in steps:
        step()
        after = path.read_bytes()
        assert after.startswith(before)
        assert after[len(before) :].count(b"\n") == 1
        before = after


def test_a_replay_leaves_the_file_alone(path: Path) -> None:
    write_run(path)
    before = path.read_bytes(), path.stat().st_mtime_ns
    Journal(path)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_a_run_can_be_gone_on_with_after_every_line(path: Path, tmp_path: Path) -> None:
    write_run(path)
    lines = path.read_bytes().splitlines(keepends=True)
    events = written_events()
    for done in range(len(lines)):
        copy = tmp_path / f"{done}.jsonl"
        copy.write_bytes(b"".join(lines[:done]))
        journal = Journal(copy)
        assert not journal.finished
        for event in events[done:]:
            record(journal, event)
        assert copy.read_bytes() == path.read_bytes()


def record(journal: Journal, event: Event) -> None:
    match event:
        case {"event": "start", "schema": _, **start}:
            journal.begin(start)
        case {"event": "labels"}:
            labels = ids(*event["labels"])
            journal.record_labels(event["round"], ids(*event["ids"]), labels, event["origin"])
        case {"event": "round", **result}:
            journal.record_round(result)
        case _:
            journal.end(event["reason"])


def test_pool_in_a_round_is_the_pool_of_then(path: Path) -> None:
    journal = write_run(path)
    first, second = journal.pool_in(0), journal.pool_in(1)
    assert first.labeled_ids.tolist() == [7, 0, 3]
    assert first.validation_ids.tolist() == [19, 4]
    assert second.labeled_ids.tolist() == [7, 0, 3, 11, 2]
    assert (first.labels_bought, second.labels_bought, first.size) == (5, 7, 20)


def test_a_replay_takes_no_longer_a_line_where_there_are_many(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is done for each event does not grow with the pool: none is made before it is asked for."""
    made = []
    monkeypatch.setattr("al_lightning.run.history.Pool", lambda *a, **k: made.append(Pool(*a, **k)))
    journal = Journal(path)
    journal.begin(start_event(train=400))
    for index in range(100):
        journal.record_labels(
            index, ids(2 * index), ids(index % 3), "query" if index else "initial"
        )
        journal.record_round(round_event(index, index + 1))
    Journal(path)
    assert not made
    monkeypatch.undo()
    again = Journal(path)
    assert again.pool.labeled_ids.tolist() == list(range(0, 200, 2))
    assert again.pool is again.pool
    assert again.pool_in(3).labeled_ids.tolist() == [0, 2, 4, 6]
    again.record_labels(100, ids(1), ids(0), "query")
    assert again.pool.labels_bought == 101


def sparse(path: Path, size: int) -> None:
    """A file of zeros that takes no room."""
    with path.open("wb") as file:
        file.truncate(size)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (Path.mkdir, r"is a folder: name the journal in it, such as .*journal.jsonl/journal.jsonl"),
        (os.mkfifo, "it is no file, but a device or a pipe"),
        (lambda path: path.symlink_to("/dev/zero"), "it is no file, but a device or a pipe"),
        (lambda path: sparse(path, 2**30), "it has 1,073,741,824 bytes, and at most 536,870,912"),
    ],
)
def test_what_is_no_journal_is_not_read(
    path: Path, make: Callable[[Path], None], said: str
) -> None:
    path.parent.mkdir()
    make(path)
    with pytest.raises(JournalError, match=said):
        Journal(path)


def test_current_round_is_the_last_that_labels_were_bought_for(path: Path) -> None:
    journal, seen = Journal(path), []
    for event in written_events():
        record(journal, event)
        seen.append((journal.current_round, journal.finished))
    rounds = [None, 0, 0, 0, 1, 1, 1]
    assert seen == [(index, index_ == 6) for index_, index in enumerate(rounds)]


# A torn last line


def test_a_torn_last_line_is_dropped_and_overwritten(path: Path) -> None:
    write_run(path)
    *lines, last = path.read_bytes().splitlines(keepends=True)
    before, events = b"".join(lines), written_events()
    for size in range(len(last)):
        path.write_bytes(before + last[:size])
        journal = Journal(path)
        assert list(journal.events) == events[:-1]
        assert path.read_bytes() == before + last[:size]  # reading changes nothing
        journal.end("pool_empty")
        end = path.read_bytes().removeprefix(before)
        assert end.startswith(b'{"event": "end", "reason": "pool_empty", "digest": "')


def test_a_torn_line_longer_than_the_next_leaves_nothing_behind(path: Path) -> None:
    write_run(path)
    whole = path.read_bytes()
    *lines, _ = whole.splitlines(keepends=True)
    path.write_bytes(b"".join(lines) + b'{"event": "round", ' + b" " * 500)
    Journal(path).end("budget")
    assert path.read_bytes() == whole


def test_a_torn_first_line_is_a_run_that_has_not_begun(path: Path) -> None:
    journal = Journal(path)
    journal.begin(start_event())
    line = path.read_bytes()
    for size in range(0, len(line), 7):
        path.write_bytes(line[:size])
        journal = Journal(path)
        assert journal.start is None
        journal.begin(start_event())
        assert path.read_bytes() == line


# Damage


@pytest.mark.parametrize(
    ("line", "change", "problem"),
    [
        (1, {"schema": 2}, "schema 2, but this version of al_lightning reads 1"),
        (
            1,
            {"event": "begin"},
            "not an event of start, question, labels, round, correction, setting, classes, images, end",
        ),
        (2, {"event": "start"}, "the start event lacks schema"),
        (3, {"origin": "gift"}, "unknown origin 'gift'"),
        (3, {"round": 1}, "labels of round 1, where round 0 is next"),
        (5, {"round": 0}, "labels of round 0, where round 1 is next"),
        (3, {"ids": [7, 0, 20]}, "an id is not one of the training set"),
        (3, {"ids": [7, 0, -1]}, "an id is not one of the training set"),
        (3, {"ids": [7, 0, 3.0]}, "an id is not one of the training set"),
        (3, {"ids": [7, 0, "3"]}, "an id is not one of the training set"),
        (3, {"ids": [7, 0, 7]}, r"Given more than once: ids \[7\]"),
        (3, {"ids": [7, 0, 19]}, r"Already labeled: ids \[19\]"),
        (5, {"ids": [11, 3]}, r"Already labeled: ids \[3\]"),
        (3, {"ids": [7, 0]}, "must pair up"),
        (3, {"labels": [0, 1, 3]}, "a label is not a whole number from 0 to 2"),
        (3, {"labels": [0, 1, -1]}, "a label is not a whole number from 0 to 2"),
        (3, {"labels": [0, 1, True]}, "a label is not a whole number from 0 to 2"),
        (3, {"labels": [0, 1, None]}, "a label is not a whole number from 0 to 2"),
        (4, {"round": 1}, "round 1, where round 0 is next"),
        (6, {"round": 0}, "round 0, where round 1 is next"),
        (4, {"labels_bought": 3}, "labels_bought is 3, but 5 were written down"),
        (6, {"labels_bought": 8}, "labels_bought is 8, but 7 were written down"),
        (7, {"reason": "boredom"}, "unknown reason 'boredom'"),
    ],
)
def test_a_damaged_value_is_refused(
    path: Path, line: int, change: dict[str, Any], problem: str
) -> None:
    events = written_events()
    events[line - 1].update(change)
    write_lines(path, *events)
    assert_refused(path, line, problem)


@pytest.mark.parametrize("line", range(1, 7))
@pytest.mark.parametrize("damage", ['{"event": "round"', "", "\x00\x00", "{} {}"])
def test_a_line_that_is_not_json_is_refused(path: Path, line: int, damage: str) -> None:
    events: list[object] = [*written_events()]
    events[line - 1] = damage
    write_lines(path, *events)
    assert_refused(path, line, "not JSON")


def test_a_line_that_is_not_text_is_refused(path: Path) -> None:
    write_run(path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:3], b"\xff\xfe\n", *lines[3:]]))
    assert_refused(path, 4, "not JSON")


@pytest.mark.parametrize("damage", ["1", "null", "[]", '"end"', "{}", '{"event": null}'])
def test_json_that_is_no_event_is_refused(path: Path, damage: str) -> None:
    write_lines(path, *written_events()[:2], damage)
    assert_refused(path, 3, "not an event")


@pytest.mark.parametrize(
    ("line", "key"),
    [
        *((1, key) for key in ("schema", "config", "config_hash", "versions", "hardware")),
        *((1, key) for key in ("classes", "data")),
        *((2, key) for key in ("round", "ids", "labels", "origin")),
        *((4, key) for key in ("round", "labels_bought", "metrics", "per_class", "seconds")),
        (4, "steps"),
        (7, "reason"),
    ],
)
def test_a_missing_key_is_refused_and_named(path: Path, line: int, key: str) -> None:
    events = written_events()
    kind = events[line - 1]["event"]
    del events[line - 1][key]
    write_lines(path, *events)
    assert_refused(path, line, f"the {kind} event lacks {key}\\.")


@pytest.mark.parametrize(
    ("line", "change"),
    [
        (1, {"data": {}}),
        (1, {"data": 20}),
        (1, {"data": {"train": "many"}}),
        (1, {"classes": 3}),
        (2, {"event": []}),
        (2, {"ids": 4}),
        (2, {"labels": None}),
    ],
)
def test_a_value_of_a_wrong_type_is_refused(path: Path, line: int, change: dict[str, Any]) -> None:
    events = written_events()
    events[line - 1].update(change)
    write_lines(path, *events)
    assert_refused(path, line, "")


def test_the_start_event_comes_once_and_first(path: Path) -> None:
    events = written_events()
    write_lines(path, *events[:2], events[0])
    assert_refused(path, 3, "the start event must come first, and only there")
    write_lines(path, *events[1:])
    assert_refused(path, 1, "the start event must come first, and only there")


@pytest.mark.parametrize("index", range(7))
def test_nothing_may_follow_the_end(path: Path, index: int) -> None:
    events = written_events()
    write_lines(path, *events, events[index])
    assert_refused(path, 8, "something follows the end event")


@pytest.mark.parametrize("line", range(1, 7))
def test_a_lost_line_is_noticed(path: Path, line: int) -> None:
    events = written_events()
    del events[line - 1]
    write_lines(path, *events)
    with pytest.raises(JournalError, match=re.escape(str(path))):
        Journal(path)


def change_digit(line: bytes) -> bytes:
    return re.sub(
        rb"0\.5|0\.25|7", lambda match: b"0.75" if b"." in match[0] else b"8", line, count=1
    )


@pytest.mark.parametrize("line", [3, 4])
def test_a_value_that_was_edited_is_refused_though_it_could_be_true(path: Path, line: int) -> None:
    write_run(path)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[line - 1] = change_digit(lines[line - 1])
    path.write_bytes(b"".join(lines))
    assert_refused(path, line, "its digest differs")


def test_lines_of_two_journals_do_not_mix(path: Path, tmp_path: Path) -> None:
    """Even where each line is whole, and could stand where it stands."""
    write_run(path)
    other = Journal(tmp_path / "other.jsonl")
    other.begin(start_event(config={"seed": 1}))
    _, *rest = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([other.path.read_bytes(), *rest]))
    assert_refused(path, 2, "its digest differs")


def test_a_journal_without_digests_is_refused(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("".join(json.dumps(event) + "\n" for event in written_events()))
    assert_refused(path, 1, "its digest differs")


def test_damage_says_what_to_do(path: Path) -> None:
    write_lines(path, "{")
    assert_refused(path, 1, "restore it from a copy, or remove it to start a new run")


# Refused at writing


def assert_unwritten(journal: Journal, error: type[Exception], write: Callable[[], None]) -> None:
    before, events = journal.path.read_bytes(), list(journal.events)
    with pytest.raises(error):
        write()
    assert journal.path.read_bytes() == before
    assert list(journal.events) == events


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_metrics_that_are_no_numbers_are_refused(path: Path, value: float) -> None:
    journal = Journal(path)
    journal.begin(start_event())
    journal.record_labels(0, ids(1), ids(0), "initial")
    result = round_event(0, 1)
    result["metrics"]["nll"] = value
    assert_unwritten(journal, ValueError, lambda: journal.record_round(result))
    journal.record_round(round_event(0, 1))
    assert len(Journal(path).rounds) == 1


def test_what_a_replay_would_refuse_is_not_written(path: Path) -> None:
    journal = Journal(path)
    journal.begin(start_event())
    journal.record_labels(0, ids(1, 2), ids(0, 1), "initial")
    wrong: list[Callable[[], None]] = [
        lambda: journal.begin(start_event()),
        lambda: journal.record_labels(0, ids(2), ids(0), "initial"),
        lambda: journal.record_labels(0, ids(20), ids(0), "initial"),
        lambda: journal.record_labels(0, ids(3), ids(3), "initial"),
        lambda: journal.record_labels(1, ids(3), ids(0), "query"),
        lambda: journal.record_labels(0, ids(3), ids(0), "gift"),  # type: ignore[arg-type]
        lambda: journal.record_round(round_event(0, 3)),
        lambda: journal.record_round(round_event(1, 2)),
        lambda: journal.record_round({"round": 0}),
        lambda: journal.end("boredom"),  # type: ignore[arg-type]
    ]
    for write in wrong:
        assert_unwritten(journal, JournalError, write)
    assert journal.pool.labeled_ids.tolist() == [1, 2]


def test_a_finished_run_takes_nothing_more(path: Path) -> None:
    journal = write_run(path)
    assert_unwritten(journal, JournalError, lambda: journal.end("budget"))
    more = ids(5)
    assert_unwritten(journal, JournalError, lambda: journal.record_labels(2, more, ids(0), "query"))


def test_two_writers_do_not_overwrite_each_other(path: Path) -> None:
    journal = Journal(path)
    journal.begin(start_event())
    other = Journal(path)
    other.record_labels(0, ids(1, 2), ids(0, 1), "initial")
    before = path.read_bytes()
    with pytest.raises(JournalError, match="another process"):
        journal.record_labels(0, ids(3, 4), ids(0, 1), "initial")
    assert path.read_bytes() == before


def test_a_nan_that_was_edited_in_is_refused(path: Path) -> None:
    write_lines(path, *written_events())
    path.write_text(re.sub(r'"accuracy": [0-9.]+', '"accuracy": NaN', path.read_text(), count=1))
    with pytest.raises(JournalError, match="NaN is not a number"):
        Journal(path)


# Questions that wait for their answer


def question(*values: int, round_index: int = 1, **facts: Any) -> Question:
    count = len(values)
    return Question(
        **{
            "round": round_index,
            "origin": "query" if round_index else "initial",
            "ids": ids(*values),
            "scores": torch.linspace(0.1, 0.3, count),
            "predicted": torch.ones(count, dtype=torch.int64),
            "confidence": torch.full((count,), 1 / 3),
            **facts,
        }
    )


def waiting(path: Path, **start: Any) -> Journal:
    """A run that has asked for the images 11, 2 and 5."""
    journal = Journal(path)
    journal.begin(start_event(**start))
    journal.record_labels(0, ids(7, 0, 3), ids(0, 1, 2), "initial")
    journal.record_round(round_event(0, 3))
    journal.record_question(question(11, 2, 5))
    return journal


@pytest.mark.parametrize("replayed", [False, True])
def test_an_open_question_is_read_as_it_was_asked(path: Path, replayed: bool) -> None:
    journal = waiting(path)
    journal = Journal(path) if replayed else journal
    asked, found = question(11, 2, 5), journal.open_question
    assert found is not None
    assert (found.round, found.origin, found.attempt) == (1, "query", 0)
    for name in ("ids", "scores", "predicted", "confidence"):
        assert torch.equal(getattr(found, name), getattr(asked, name))
    assert journal.current_round == 0
    assert not journal.finished


def test_a_question_without_a_classifier_holds_ids_alone(path: Path) -> None:
    journal = Journal(path)
    journal.begin(start_event())
    nothing = {"scores": None, "predicted": None, "confidence": None}
    journal.record_question(question(4, 9, round_index=0, **nothing))
    found = Journal(path).open_question
    assert found is not None
    assert (found.scores, found.predicted, found.confidence) == (None, None, None)


def test_an_answer_may_be_partial_and_what_is_skipped_leaves_the_pool(path: Path) -> None:
    waiting(path).record_labels(1, ids(2), ids(0), "query", skipped=ids(11))
    journal = Journal(path)
    assert journal.open_question is None
    assert journal.pool.labeled_ids.tolist() == [7, 0, 3, 2]
    assert journal.pool.skipped_ids.tolist() == [11]
    assert journal.pool.labels_bought == 4
    unlabeled = journal.pool.unlabeled_ids.tolist()
    assert 5 in unlabeled
    assert 11 not in unlabeled
    assert journal.pool_in(0).skipped_ids.tolist() == [
        11
    ]  # cannot be asked for, whatever the round


def test_what_was_skipped_may_be_labeled_later_and_is_not_skipped_twice(path: Path) -> None:
    journal = waiting(path)
    journal.record_labels(1, ids(2), ids(0), "query", skipped=ids(11))
    journal.record_round(round_event(1, 4))
    journal.record_question(replace(question(4, 6), round=2))
    write = partial(journal.record_labels, 2, ids(4), ids(0), "query")
    for again in (partial(write, skipped=ids(11)), partial(write, still_open=ids(11))):
        assert_unwritten(journal, JournalError, again)
    journal.record_labels(2, ids(4, 11), ids(0, 1), "query")
    pool = Journal(path).pool
    assert (pool.label_of[11], pool.skipped_ids.tolist()) == (1, [])


def test_an_answer_of_skips_alone_leaves_the_round_without_labels(path: Path) -> None:
    journal = waiting(path)
    journal.record_labels(1, ids(), ids(), "query", skipped=ids(11, 2, 5))
    assert journal.current_round == 0
    assert journal.answers(1, "query") == 1
    with pytest.raises(JournalError, match="round 1 has no labels of its own"):
        journal.record_round(round_event(1, 3))
    journal.record_question(question(4, 6, attempt=1))
    found = Journal(path).open_question
    assert found is not None
    assert (found.attempt, found.name) == (1, "round_01_again_1")


def test_a_run_may_end_where_the_last_images_were_skipped(path: Path) -> None:
    journal = waiting(path)
    journal.record_labels(1, ids(), ids(), "query", skipped=ids(11, 2, 5))
    journal.end("pool_empty")
    assert Journal(path).finished


def test_the_labels_that_were_bought_last_must_be_trained_on(path: Path) -> None:
    journal = waiting(path)
    journal.record_labels(1, ids(2), ids(0), "query")
    assert_unwritten(journal, JournalError, lambda: journal.end("budget"))


def test_an_open_question_knows_those_before_it(path: Path) -> None:
    journal = waiting(path)
    journal.record_labels(1, ids(), ids(), "query", skipped=ids(11, 2, 5))
    journal.record_question(question(4, 6))
    found = Journal(path).open_question
    assert found is not None
    assert [(q.name, q.ids.tolist()) for q in found.earlier] == [("round_01", [11, 2, 5])]


def test_nothing_but_its_answer_follows_a_question(path: Path) -> None:
    journal = waiting(path)
    refused: list[Callable[[], None]] = [
        lambda: journal.record_question(question(4)),
        lambda: journal.record_round(round_event(1, 3)),
        lambda: journal.end("budget"),
        lambda: journal.record_labels(1, ids(2), ids(0), "query", skipped=ids(2)),
        lambda: journal.record_labels(1, ids(), ids(), "query"),
    ]
    for write in refused:
        assert_unwritten(journal, JournalError, write)
    # A label that was given beyond the question, such as for an earlier one, is not lost.
    journal.record_labels(1, ids(5, 11, 4), ids(0, 2, 1), "query", skipped=ids(6))
    assert journal.current_round == 1


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"ids": [11, 2]}, "2 ids, but 3 scores"),
        ({"ids": [11, 2, 7]}, r"Already labeled: ids \[7\]"),
        ({"ids": [11, 2, 2]}, r"Given more than once: ids \[2\]"),
        ({"ids": [11, 2, 20]}, "an id is not one of the training set"),
        ({"scores": [0.1, 0.2]}, "3 ids, but 2 scores"),
        ({"scores": [0.1, 0.2, "high"]}, "scores must be numbers"),
        ({"predicted": [0, 1, 3]}, "a label is not a whole number from 0 to 2"),
        ({"confidence": [0.5, 0.5, None]}, "confidence must be numbers"),
        ({"round": 2}, "labels of round 2, where round 1 is next"),
        ({"origin": "initial"}, "labels of origin 'initial' in round 1"),
    ],
)
def test_a_damaged_question_is_refused(path: Path, change: dict[str, Any], problem: str) -> None:
    events = [dict(event) for event in waiting(path).events]
    events[-1].update(change)
    write_lines(path, *events)
    assert_refused(path, 4, problem)


def test_labels_have_the_origin_of_their_round(path: Path) -> None:
    journal = Journal(path)
    journal.begin(start_event())
    with pytest.raises(JournalError, match="origin 'query' in round 0"):
        journal.record_labels(0, ids(1, 2), ids(0, 1), "query")


def test_the_curve_of_a_metric_is_that_of_the_rounds(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    assert journal.curve() == ([], [])
    assert repr(journal).endswith("journal.jsonl': 0 rounds, 0 labels, not begun)")
    journal.begin(start_event())
    for index, (ids, accuracy) in enumerate((([0, 1], 0.25), ([2], 0.5))):
        labels = torch.zeros(len(ids), dtype=torch.int64)
        origin = "query" if index else "initial"
        journal.record_labels(index, torch.tensor(ids), labels, origin)  # type: ignore[arg-type]
        journal.record_round(round_event(index, 2 + index, accuracy))
    assert journal.curve() == ([2, 3], [0.25, 0.5])
    assert journal.curve("nll") == ([2, 3], [1.25, 1.25])
    with pytest.raises(UsageError, match="no metric 'f1', but accuracy, nll"):
        journal.curve("f1")
    assert repr(journal).endswith("journal.jsonl': 2 rounds, 3 labels, not finished)")


def test_labels_of_a_person_have_a_name_and_a_time(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = "2026-11-29T23:16:05+00:00"
    monkeypatch.setattr("al_lightning.run.journal.utc_now", lambda: now)
    journal = Journal(path)
    journal.begin({"project": True, **start_event()})
    journal.record_labels(0, ids(1, 2), ids(0, 1), "initial", by=["Ada", "Ben"])
    journal.record_round(round_event(0, 2))
    journal.record_labels(1, ids(3), ids(0), "query", by="")
    journal.record_correction(ids(1), ids(2), "Ada")
    first, _, second, correction = Journal(path).events[1:]
    assert (first["by"], first["at"]) == (["Ada", "Ben"], now)
    assert ("by" in second, second["at"]) == (False, now)
    assert (correction["by"], correction["at"]) == ("Ada", now)
    before = "2026-11-29T23:10:00+00:00"
    journal.record_correction(ids(1), ids(0), "Ada", at=before)
    journal.record_labels(1, ids(4), ids(0), "query", by="", at=before)
    assert [event["at"] for event in journal.events[-2:]] == [before, before]
