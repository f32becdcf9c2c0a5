"""Strategies that share a batch, and those that need more than one pass of the network."""

import csv
from pathlib import Path

import pytest
import torch

from al_lightning import Budget, plain_loop
from al_lightning.callbacks.query_sheet import QuerySheets
from al_lightning.strategies import DropQuery, Margin, Mix, Random, Strategy, UHerding
from al_lightning.strategies.evidence import Need
from tests.helpers import TinySource

BUDGET = Budget(initial=9, query=6, total=21)


def mixed() -> Mix:
    parts: dict[str, Strategy] = {"margin": Margin(), "chance": Random()}
    return Mix(parts, {"margin": 2, "chance": 1})


def test_the_journal_and_the_sheet_say_which_part_an_image_is_of(tmp_path: Path) -> None:
    callbacks = [QuerySheets(tmp_path / "sheets")]
    loop = plain_loop(
        TinySource(), mixed(), tmp_path / "run", BUDGET, epochs=1, callbacks=callbacks
    )
    journal = loop.run()
    events = journal.labels("query")
    assert [event["parts"] for event in events] == [["margin"] * 4 + ["chance"] * 2] * 2
    drawn = [i for event in events for i in event["ids"][4:]]
    assert journal.uniform_ids.tolist() == drawn
    with (tmp_path / "sheets" / "labeled_round_01.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["part"] for row in rows] == events[0]["parts"]


def test_strategies_alone_have_no_parts(tmp_path: Path) -> None:
    journal = plain_loop(TinySource(), Margin(), tmp_path, BUDGET, epochs=1).run()
    assert all("parts" not in event for event in journal.events)


@pytest.mark.parametrize("strategy", [UHerding(), DropQuery()], ids=["uherding", "dropquery"])
def test_temperature_and_dropped_features_reach_a_strategy(
    strategy: Strategy, tmp_path: Path
) -> None:
    found = [
        plain_loop(TinySource(), strategy, tmp_path / name, BUDGET, epochs=1).run()
        for name in ("one", "again")
    ]
    one, again = ([e["ids"] for e in journal.labels("query")] for journal in found)
    assert one == again
    assert len({*torch.tensor(one).flatten().tolist()}) == 12
    # Of a query; after the last labels, there is none.
    calibrated = Need.CALIBRATED_PROBABILITIES in strategy.needs
    said = ["query_temperature" in event for event in found[0].rounds]
    assert said == [calibrated, calibrated, False]


def test_the_journal_has_the_temperature_that_a_query_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("al_lightning.loop.loop.temperature_of", lambda *_: 1.5)
    budget = Budget(initial=9, query=6, total=15)
    journal = plain_loop(TinySource(), UHerding(), tmp_path, budget, epochs=1).run()
    assert [event.get("query_temperature") for event in journal.rounds] == [1.5, None]
