"""A whole run whose labels come through a real Label Studio server; run it by hand.

    python benchmarks/label_studio_session.py --server-python VENV/bin/python

VENV has label-studio; the Python that runs this has label-studio-sdk. A server is started on this
machine for the time of the run, with a folder and a token of its own; without --server-python, the one
of LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY is used. The run is made of many commands, each a process
that is forked from this one, which saves importing torch: Linux and macOS only. The first is killed
while it puts its images to the annotators. The annotator, who knows the digits, labels half of what is
open, lets the run look, and labels the rest. Printed is what came of it; labels that were asked for
twice, lost or made up are a failure.
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
from contextlib import ExitStack, contextmanager
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from al_lightning.cli.app import main as main_of_package
from al_lightning.data import Digits

QUICK = (
    *(
        "dataset=digits",
        "oracle=label_studio",
        "model=cnn",
        "budget.initial=110",
        "budget.query=10",
    ),
    *("budget.total=130", "recipe.min_steps=8", "recipe.epochs=1", "threads=1", "progress=false"),
    *("model.filters=[[4],[4]]", "model.dense=[16]"),
)
STARTS_WITHIN = 300  # seconds; a first start makes the database
SKIP_EVERY = 25  # images
HEAVY = (
    "al_lightning.loop.loop",
    "al_lightning.training.trainers",
    "al_lightning.callbacks.tensorboard",
)


def main() -> None:
    """Start a server, make the run, print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server-python", type=Path)
    parser.add_argument("--port", type=int, default=8971)
    parser.add_argument("overrides", nargs="*", help="of the run, such as budget.total=300")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the server must not stay
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if given.server_python is not None:
            token = secrets.token_hex(20)
            started = server(given.server_python, given.port, folder / "server", token)
            os.environ.update(
                LABEL_STUDIO_URL=stack.enter_context(started), LABEL_STUDIO_API_KEY=token
            )
        session(Annotator(folder / "outputs"), [*QUICK, *given.overrides])


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


class Annotator:
    """Somebody who knows the digits, and skips some.

    Args:
        outputs: Where the run is.
    """

    def __init__(self, outputs: Path) -> None:
        self.outputs = outputs
        self.given: dict[int, int | None] = {}
        self._labels = Digits().load().train.labels.tolist()
        self._client = import_module("label_studio_sdk").LabelStudio(
            base_url=os.environ["LABEL_STUDIO_URL"], api_key=os.environ["LABEL_STUDIO_API_KEY"]
        )

    def tasks(self) -> list[Any]:
        """Return the run's tasks."""
        codes = list(self.outputs.glob("**/label_studio.json"))
        if not codes:
            return []
        code = json.loads(codes[0].read_text())["run"]
        return [
            task
            for project in self._client.projects.list(title=code)
            for task in self._client.tasks.list(project=project.id, fields="all")
        ]

    def label(self, tasks: Sequence[Any]) -> None:
        """Choose the right class of each, or press the skip button."""
        chosen = {"from_name": "class", "to_name": "image", "type": "choices"}
        for task in tasks:
            image = task.data["id"]
            label = None if len(self.given) % SKIP_EVERY == 3 else self._labels[image]
            result = [] if label is None else [{**chosen, "value": {"choices": [str(label)]}}]
            self._client.annotations.create(
                id=task.id, result=result, was_cancelled=label is None, lead_time=1.0
            )
            self.given[image] = label


def session(annotator: Annotator, overrides: Sequence[str]) -> None:
    """Make the run to its end, label by label; print what came of it, and exit by it."""
    for name in HEAVY:
        import_module(name)
    arguments = [f"output_root={annotator.outputs}", *overrides]
    first = start(arguments)
    while not (there := len(annotator.tasks())):
        if not first.is_alive():
            sys.exit("The run ended before it had asked anything")
        time.sleep(0.1)
    first.kill()
    first.join()
    print(f"killed when {there} tasks were there")
    commands, half = 1, True
    while True:
        commands += 1
        command = start(arguments)
        command.join()
        if command.exitcode:
            sys.exit("A command failed")
        (journal,) = annotator.outputs.glob("**/journal.jsonl")
        events = [json.loads(line) for line in journal.read_text().splitlines()]
        if events[-1]["event"] == "end":
            break
        waiting = [task for task in annotator.tasks() if not task.annotations]
        annotator.label(waiting[: len(waiting) // 2] if half else waiting)
        half = not half
    report(events, annotator.given, annotator.tasks(), commands)


def start(arguments: Sequence[str]) -> ForkProcess:
    """Run the command line in a process of its own."""
    process = get_context("fork").Process(target=command_line, args=(arguments,))
    process.start()
    return process


def command_line(arguments: Sequence[str]) -> None:
    """Do as ``python -m al_lightning`` does."""
    sys.argv = ["al_lightning", *arguments]
    main_of_package()


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
