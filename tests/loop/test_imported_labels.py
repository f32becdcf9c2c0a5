"""A project takes labels from elsewhere, whatever it is doing."""

from dataclasses import replace
from pathlib import Path

import torch

from al_lightning import ActiveLearningLoop, Answer, Journal, Question
from tests.helpers import TinySource
from tests.loop.test_loop import comparable
from tests.loop.test_loop_person import Person, all_of_it
from tests.loop.test_project import BUDGET, loop_in

TRUTH = TinySource().load().train.labels
MORE = replace(BUDGET, total=40)


def import_labels(folder: Path, ids: list[int], labels: list[int] | None = None) -> None:
    journal = Journal(folder / "journal.jsonl")
    given = TRUTH[ids].tolist() if labels is None else labels
    place = len(journal.rounds), torch.tensor(ids), torch.tensor(given)
    journal.record_labels(*place, "imported", by="")


def start(folder: Path, person: Person) -> ActiveLearningLoop:
    loop = loop_in(folder, MORE)
    loop.oracle = person
    return loop


def waiting(folder: Path, person: Person) -> tuple[Journal, list[int]]:
    """A project whose first query waits for its answer; the queried images."""
    start(folder, person).run()
    person.decide = all_of_it
    start(folder, person).run()
    journal = Journal(folder / "journal.jsonl")
    assert journal.open_question is not None
    return journal, journal.open_question.ids.tolist()


def test_a_finished_project_trains_on_imported_labels(tmp_path: Path) -> None:
    free = loop_in(tmp_path).run().pool.unlabeled_ids[:4].tolist()
    import_labels(tmp_path, free)
    journal = loop_in(tmp_path).run()
    assert [event["labels_bought"] for event in journal.rounds] == [9, 15, 19]
    assert journal.pool.labeled_ids[-4:].tolist() == free
    assert journal.finished
    assert loop_in(tmp_path).run().rounds == journal.rounds  # nothing is left to do


def test_a_project_killed_after_an_import_ends_the_same(tmp_path: Path) -> None:
    whole = loop_in(tmp_path / "a").run()
    free = whole.pool.unlabeled_ids[:4].tolist()
    import_labels(tmp_path / "a", free)
    whole = loop_in(tmp_path / "a").run()
    lines = whole.path.read_bytes().splitlines(keepends=True)
    for count in (-2, -1):  # right after the import, and after its round
        folder = tmp_path / str(count)
        folder.mkdir()
        (folder / "journal.jsonl").write_bytes(b"".join(lines[:count]))
        assert comparable(loop_in(folder).run()) == comparable(whole)


def test_an_open_question_stays_open_and_its_answer_counts_where_it_is_new(tmp_path: Path) -> None:
    person = Person(all_of_it)
    _, ids = waiting(tmp_path, person)
    other = next(i for i in Journal(tmp_path / "journal.jsonl").pool.unlabeled_ids.tolist())
    wrong = (int(TRUTH[ids[0]]) + 1) % 3
    import_labels(tmp_path, [ids[0], ids[1], other], [wrong, int(TRUTH[ids[1]]), 0])
    journal = start(tmp_path, person).run()
    (query,) = [e for e in journal.labels("query") if e["round"] == 1]
    assert query["ids"] == ids[2:]
    (correction,) = journal.corrections()
    assert (correction["ids"], correction["from"]) == ([ids[0]], [wrong])
    assert journal.rounds[1]["labels_bought"] == 9 + 6 + 1
    assert journal.label_of[ids[0]] == int(TRUTH[ids[0]])


def test_an_answer_of_imported_images_alone_closes_the_question(tmp_path: Path) -> None:
    person = Person(all_of_it)
    _, ids = waiting(tmp_path, person)
    import_labels(tmp_path, ids[:2])

    def of_imported(question: Question) -> Answer:
        part = question.ids[:2]
        return Answer(part, TRUTH[part])

    person.decide = of_imported
    journal = start(tmp_path, person).run()
    assert journal.rounds[1]["labels_bought"] == 9 + 2
    assert journal.open_question is not None
    assert journal.open_question.round == 2


def test_a_question_whose_images_are_all_imported_is_not_asked_any_more(tmp_path: Path) -> None:
    person = Person(all_of_it)
    _, ids = waiting(tmp_path, person)
    import_labels(tmp_path, ids)
    journal = start(tmp_path, person).run()
    assert journal.rounds[1]["labels_bought"] == 9 + 6
    assert journal.labels("query") == []
