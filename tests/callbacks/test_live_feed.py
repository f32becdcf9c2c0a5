from pathlib import Path
from typing import Any

import torch

from al_lightning import Budget, Pool, RoundResult
from al_lightning.callbacks.live_feed import InnerLive, LiveFeed
from al_lightning.run.live import LiveBoard
from tests.loop.test_loop import BUDGET, make_loop


def test_a_run_shows_its_phases_and_metrics(tmp_path: Path) -> None:
    live, phases = LiveBoard(), list[Any]()
    live.watch(lambda: phases.append(live.facts().get("phase")))
    journal = make_loop(tmp_path, callbacks=[LiveFeed(live, BUDGET)]).run()
    facts = live.facts()
    assert (facts["limit"], facts["tested"]) == (21, 30)
    assert [event["labels_bought"] for event, _ in facts["rounds"]] == [9, 15, 21]
    order = [
        phase for phase, before in zip(phases, [None, *phases], strict=False) if phase != before
    ]
    assert order == ["start", *["fit", "score"] * 3, "end"]
    # A continued run shows the earlier rounds, too.
    again = LiveBoard()
    LiveFeed(again, BUDGET).on_run_start(journal, make_loop(tmp_path / "other").learner.data)
    assert len(again.facts()["rounds"]) == 3


def test_rounds_with_validation_say_how_many_labels_they_have() -> None:
    live = LiveBoard()
    pool = Pool(9, validation_ids=torch.tensor([1, 2]), validation_labels=torch.tensor([0, 0]))
    LiveFeed(live, Budget(2)).on_round_end(RoundResult(0, pool, {"metrics": {}}, None))
    assert live.facts()["rounds"] == (({"metrics": {}}, 2),)


def test_steps_are_shown_some_times_a_second() -> None:
    now, shown = [0.0], list[Any]()
    live = LiveBoard()
    inner = InnerLive(live, lambda: now[0])
    live.watch(lambda: shown.append(live.facts().get("done")))
    inner._begin("fit", 100)
    for _ in range(10):
        now[0] += 0.125
        inner._advance("fit, epoch 1")
    inner._finish()
    assert shown == [0, 2, 4, 6, 8, 10, 0]
    assert live.facts() == {"phase": "fit", "done": 0, "total": 0, "step": ""}
