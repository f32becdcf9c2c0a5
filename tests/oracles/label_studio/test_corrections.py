"""Annotations that are changed later: a project takes them as corrections."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from al_lightning import ActiveLearningLoop, Budget, Journal, LabelStudioOracle, plain_loop
from al_lightning.loop.query import Query
from al_lightning.oracles.label_studio.client import StudioClient
from al_lightning.strategies import Margin
from tests.helpers import CLASSES, TinySource
from tests.oracles.fake_studio import ConnectError, FakeClient

TRUTH = TinySource().load().train.labels.tolist()
ADA, BEN = "Ada Lovelace ada@example.com", "Ben ben@example.com"


def run(folder: Path, client: FakeClient, *, project: bool = True, total: int = 12) -> Journal:
    """The run's command: a new process, with the same server."""
    budget = Budget(initial=6, query=3, total=total, initial_policy="uniform")
    parts = plain_loop(TinySource(), Margin(), folder, budget, epochs=1)
    parts.learner.record = replace(parts.learner.record, project=project)
    oracle = LabelStudioOracle(
        parts.learner.data,
        folder / "queries",
        connect=lambda: StudioClient(client, "http://studio.example"),
    )
    journal = Journal(folder / "journal.jsonl")
    return ActiveLearningLoop(parts.learner, Query(Margin()), oracle, journal, budget).run()


def label_open(client: FakeClient, by: str) -> None:
    for task in client.tasks_there:
        if not task.annotations:
            image = task.meta["image"]
            client.annotate(image, CLASSES[TRUTH[image]], by=by)


def two_rounds(folder: Path, client: FakeClient, *, project: bool = True) -> Journal:
    """Six labels by Ada are trained on, and the next question is put to the annotators."""
    run(folder, client, project=project)
    label_open(client, ADA)
    return run(folder, client, project=project)


def test_a_changed_annotation_becomes_a_correction(tmp_path: Path) -> None:
    client = FakeClient()
    first = int(two_rounds(tmp_path, client).pool.labeled_ids[0])
    wrong = (TRUTH[first] + 1) % 3
    client.change(first, CLASSES[wrong])
    label_open(client, BEN)
    journal = run(tmp_path, client)
    (correction,) = journal.corrections()
    assert {key: correction[key] for key in ("ids", "from", "to", "by")} == {
        "ids": [first],
        "from": [TRUTH[first]],
        "to": [wrong],
        "by": "Ada Lovelace",
    }
    assert [event["by"] for event in journal.labels("initial")] == ["Ada Lovelace"]
    assert [event["by"] for event in journal.labels("query")] == ["Ben"]
    assert journal.pool_in(0).labels[0] == TRUTH[first]
    assert journal.pool_in(1).labels[0] == wrong
    assert journal.label_of[first] == wrong


def test_a_run_that_is_no_project_keeps_the_first_label(tmp_path: Path) -> None:
    client = FakeClient()
    first = int(two_rounds(tmp_path, client, project=False).pool.labeled_ids[0])
    client.change(first, CLASSES[(TRUTH[first] + 1) % 3])
    label_open(client, BEN)
    with pytest.warns(UserWarning, match="The first label is kept; a project"):
        journal = run(tmp_path, client, project=False)
    assert (journal.corrections(), journal.label_of[first]) == ([], TRUTH[first])


def test_unchanged_annotations_are_neither_recorded_nor_asked_for_one_by_one(
    tmp_path: Path,
) -> None:
    client = FakeClient()
    two_rounds(tmp_path, client)
    label_open(client, ADA)
    client.requests.clear()
    journal = run(tmp_path, client)
    assert journal.corrections() == []
    # All nine tasks are read by two requests, as the first six were; then new ones are made.
    assert client.requests == [
        *("projects.list", "tasks.list task_only", "tasks.list all", "projects.list"),
        *("projects.list", "tasks.list task_only", "tasks.list all"),
        *("projects.import_tasks", "projects.update"),
    ]


def test_a_changed_annotation_reopens_a_finished_project_which_needs_no_server(
    tmp_path: Path,
) -> None:
    client, call = FakeClient(), "tasks.list task_only"
    run(tmp_path, client, total=6)
    label_open(client, ADA)
    ended = run(tmp_path, client, total=6)
    assert ended.finished
    client.fails[call] = client.requests.count(call), ConnectError("down")
    with pytest.warns(UserWarning, match="in Label Studio could not be read: .*look for the tasks"):
        assert run(tmp_path, client, total=6).events == ended.events
    client.requests.clear()
    client.fails.clear()
    assert run(tmp_path, client, total=6).events == ended.events
    assert client.requests == ["projects.list", call, "tasks.list all"]
    first = int(ended.pool.labeled_ids[0])
    client.change(first, CLASSES[wrong := (TRUTH[first] + 1) % 3])
    journal = run(tmp_path, client, total=6)
    (correction,) = journal.corrections()
    assert (correction["to"], correction["by"]) == ([wrong], "Ada Lovelace")
    assert (journal.finished, len(journal.rounds)) == (True, 2)
    assert journal.pool_in(1).labels[0] == wrong


def test_several_annotators_are_named_one_by_one(tmp_path: Path) -> None:
    client = FakeClient()
    run(tmp_path, client)
    for i, task in enumerate(client.tasks_there):
        image = task.meta["image"]
        client.annotate(image, CLASSES[TRUTH[image]], by=(ADA, BEN)[i % 2])
    client.annotate(client.images()[0], CLASSES[TRUTH[client.images()[0]]], by=BEN)
    (event,) = run(tmp_path, client).labels("initial")
    names = ["Ada Lovelace, Ben", *["Ben", "Ada Lovelace"] * 3][:6]
    assert event["by"] == names
    assert torch.tensor(event["ids"]).tolist() == client.images()[:6]
