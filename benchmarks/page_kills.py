"""Sessions on the page that are killed again and again; a part of page_session.py."""

import json
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from journals import comparable
from page_runs import BATCH, LABELS, Requests, Run, command, fresh, journal_of

KILLS = 30


def kills_part(folder: Path, truth: list[int], classes: tuple[str, ...]) -> dict[str, Any]:
    """Kill sessions until there are enough kills; a session may end before."""
    sessions: list[dict[str, Any]] = []
    while (left := KILLS - sum(session["kills"] for session in sessions)) > 0:
        number = len(sessions)
        labels = min(LABELS, (left + 1) * BATCH)
        sessions.append(killed_session(folder, truth, classes, number, labels, left))
    counted = ("kills", "labels", "lost", "asked_twice", "rounds_beside_a_batch")
    return {
        **{name: sum(session[name] for session in sessions) for name in counted},
        "sessions": len(sessions),
        "replay_is_the_same": all(session["replay_is_the_same"] for session in sessions),
    }


def killed_session(
    folder: Path,
    truth: list[int],
    classes: tuple[str, ...],
    number: int,
    labels: int,
    wanted: int,
) -> dict[str, Any]:
    """Label by requests, and kill the run again and again."""
    place, chance = fresh(folder, f"kills_{number}"), random.Random(number)
    confirmed: dict[int, int] = {}
    twice, kills = 0, 0
    while True:
        run = Run(place, classes, f"budget.total={labels}")
        die_after = chance.randint(1, 2 * labels // wanted)
        moment = chance.random() * 0.4  # seconds: within a fit, or while nothing happens
        client = Requests(run.address)
        for done, image in enumerate(client.images(), start=1):
            twice += image in confirmed
            if client.say(image, classes[truth[image]]):
                confirmed[image] = truth[image]
            if done == die_after and kills < wanted:
                break
        else:
            run.end()
            break
        time.sleep(moment)
        run.process.kill()
        run.process.wait()
        kills += 1
    events = journal_of(place)
    given = [
        pair
        for e in events
        if e["event"] == "labels"
        for pair in zip(e["ids"], e["labels"], strict=True)
    ]
    return {
        "kills": kills,
        "labels": len(given),
        "lost": len(confirmed.items() - set(given)),
        "asked_twice": twice + len(given) - len(dict(given)),
        "rounds_beside_a_batch": sum("open" in e for e in events),
        "replay_is_the_same": replay_is_the_same(place, events, classes, labels),
    }


def replay_is_the_same(
    place: Path, events: list[dict[str, Any]], classes: tuple[str, ...], labels: int
) -> bool:
    """Make the journal again, from a copy cut in its middle, by the same labels."""
    cut = len(events) // 2
    while events[cut]["event"] != "question":
        cut += 1
    (path,) = place.glob("outputs/**/journal.jsonl")
    lines = path.read_text().splitlines(keepends=True)
    whole = comparable(map(json.loads, lines))
    path.write_text("".join(lines[:cut]))
    for leftover in (path.parent / "checkpoints", path.parent / "queries"):
        shutil.rmtree(leftover, ignore_errors=True)
    script = Path(__file__).with_name("replay_page.py")
    given = path.with_name("given.jsonl")
    given.write_text("".join(lines))
    replayed = command(place, classes, "oracle=page", "oracle.open=false", f"budget.total={labels}")
    subprocess.run(
        [sys.executable, script, given, *replayed[3:]], cwd=place, check=True, capture_output=True
    )
    return comparable(map(json.loads, path.read_text().splitlines())) == whole
