"""A whole run whose labels come through a real Label Studio server; run it by hand.

    python benchmarks/label_studio_session.py --server-python VENV/bin/python

VENV has label-studio; the Python that runs this has label-studio-sdk. A server is started on this
machine for the time of the run, with a folder and a token of its own. The run is made of many commands:
the first is killed while it puts its images to the annotators, and the annotator, who knows the digits,
labels half of what is open, lets the run look, and goes on. Printed is what came of it; labels that
were asked for twice, lost or made up are a failure.
"""

import argparse
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from al_lightning.data import Digits

QUICK = (
    *("dataset=digits", "oracle=label_studio", "budget.initial=220", "budget.query=20"),
    *("budget.total=260", "recipe.min_steps=8", "recipe.epochs=1", "threads=1", "progress=false"),
    *("model.filters=[[4],[4]]", "model.dense=[16]"),
)
STARTS_WITHIN = 300  # seconds; a first start makes the database
SKIP_EVERY = 25  # images


def main() -> None:
    """Start a server, make the run, print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server-python", type=Path, required=True)
    parser.add_argument("--port", type=int, default=8971)
    parser.add_argument("overrides", nargs="*", help="of the run, such as budget.total=300")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        token = secrets.token_hex(20)
        with server(given.server_python, given.port, folder / "server", token) as url:
            os.environ.update(LABEL_STUDIO_URL=url, LABEL_STUDIO_API_KEY=token)
            client = import_module("label_studio_sdk").LabelStudio(base_url=url, api_key=token)
            session(client, folder, [*QUICK, *given.overrides])


@contextmanager
def server(python: Path, port: int, folder: Path, token: str) -> Iterator[str]:
    """Run a server on this machine; yield its address."""
    url = f"http://127.0.0.1:{port}"
    settings = {
        "LABEL_STUDIO_BASE_DATA_DIR": str(folder),
        "LABEL_STUDIO_USERNAME": "annotator@example.com",
        "LABEL_STUDIO_PASSWORD": secrets.token_hex(12),
        "LABEL_STUDIO_USER_TOKEN": token,
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        "COLLECT_ANALYTICS": "false",
        "LATEST_VERSION_CHECK": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
    }
    folder.mkdir()
    command = [str(python.parent / "label-studio"), "start", "--no-browser"]
    command += ["--internal-host", "127.0.0.1", "--port", str(port)]
    # Its Python must not see the packages of ours.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | settings
    log = folder / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        start = time.perf_counter()
        while not healthy(url):
            if process.poll() is not None or time.perf_counter() - start > STARTS_WITHIN:
                sys.exit(f"The server did not start:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(1)
        print(f"server up after {time.perf_counter() - start:.0f} s")
        yield url
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def healthy(url: str) -> bool:
    """Return whether the server answers."""
    try:
        with urlopen(f"{url}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def session(client: Any, folder: Path, overrides: Sequence[str]) -> None:
    """Make the run to its end, label by label; print what came of it, and exit by it."""
    command = [
        sys.executable,
        "-m",
        "al_lightning",
        f"output_root={folder / 'outputs'}",
        *overrides,
    ]
    labels = Digits().load().train.labels.tolist()
    print(f"killed when {kill_while_asking(command, client)} tasks were there")
    given: dict[int, int | None] = {}
    commands = 1
    while True:
        commands += 1
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        (journal,) = (folder / "outputs").glob("**/journal.jsonl")
        events = [json.loads(line) for line in journal.read_text().splitlines()]
        if events[-1]["event"] == "end":
            break
        open_tasks = [task for task in tasks_of(client) if not task.annotations]
        print("  " + next(line for line in said.splitlines() if "are open" in line))
        if len(open_tasks) > 10:
            open_tasks = open_tasks[: len(open_tasks) // 2]
        for task in open_tasks:
            image = task.data["id"]
            given[image] = None if len(given) % SKIP_EVERY == 3 else labels[image]
            annotate(client, task.id, given[image])
    report(events, given, tasks_of(client), commands)


def kill_while_asking(command: Sequence[str], client: Any) -> int:
    """Start the run; kill it once the first of its tasks are there; return how many there are."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while not (there := len(tasks_of(client))):
        if process.poll() is not None:
            sys.exit("The run ended before it had asked anything")
        time.sleep(0.05)
    process.kill()
    process.wait()
    return there


def tasks_of(client: Any) -> list[Any]:
    """Return all tasks on the server."""
    return [
        task
        for project in client.projects.list()
        for task in client.tasks.list(project=project.id, fields="all")
    ]


def annotate(client: Any, task: int, label: int | None) -> None:
    """Choose a class, or press the skip button."""
    chosen = {"from_name": "class", "to_name": "image", "type": "choices"}
    result = [] if label is None else [{**chosen, "value": {"choices": [str(label)]}}]
    client.annotations.create(id=task, result=result, was_cancelled=label is None, lead_time=1.0)


def report(
    events: Sequence[dict[str, Any]],
    given: dict[int, int | None],
    tasks: Sequence[Any],
    commands: int,
) -> None:
    """Print what the journal has of what the annotator gave."""
    answers = [event for event in events if event["event"] == "labels"]
    taken: dict[int, int | None] = {}
    for event in answers:
        taken |= dict(zip(event["ids"], event["labels"], strict=True))
        taken |= dict.fromkeys(event.get("skipped", []))
    asked = Counter(task.data["id"] for task in tasks)
    twice = sum(count > 1 for count in asked.values())
    lost = sum(taken.get(image, "none") != label for image, label in given.items())
    skips = sum(label is None for label in taken.values())
    print(f"commands: {commands}; rounds: {sum(e['event'] == 'round' for e in events)}")
    print(f"tasks: {len(tasks)}; labels: {len(taken) - skips}; skips: {skips}")
    print(f"labels asked twice: {twice}; labels lost: {lost}; others: {len(taken) - len(given)}")
    if twice or lost or len(taken) != len(given):
        sys.exit("Labels were asked twice, lost or made up")


if __name__ == "__main__":
    main()
