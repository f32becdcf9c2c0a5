"""Times the wait between rounds: from a batch of labels in the journal to the next question.

    python benchmarks/round_wait.py --output FOLDER [--strategies margin,badge] [--repeats 3]
        [--before CHECKOUT] [--threads 2]

CIFAR-10 (from AL_LIGHTNING_DATA) with the frozen efficientnet_lite0: a pool of 50,000 x 1,280. The
answers take time, as people's do. Runs of all strategies by turns, each a process of its own, with this
code and that of another checkout; the first one embeds the images, which takes some minutes and is not
counted. Beside the wait, the seconds of the processor in it, which a busy machine changes less, and the
phases from the journal. Figures go to benchmarks/results/round_wait.json.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any
from unittest.mock import patch

from raw import record_part

PARTS = ("wait", "processor", "fit", "test", "advice", "score", "select")
Wait = dict[str, float]
STRATEGIES = "random,margin,badge,l2,typiclust,kmeans"
_TIMED = "AL_LIGHTNING_ROUND_WAIT"  # where a run writes its waits


def main() -> None:
    """Run all strategies by turns, print and keep the medians."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--output", type=Path, required=True, help="of the runs and the embeddings")
    parser.add_argument("--strategies", default=STRATEGIES)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--query", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--before", type=Path, help="another checkout, to compare with")
    given = parser.parse_args()
    here = Path(__file__).resolve().parents[1]
    versions = {"now": here, **({} if given.before is None else {"before": given.before})}
    found = defaultdict[str, list[Wait]](list)
    for seed in range(given.repeats):
        for strategy in given.strategies.split(","):
            for version, code in versions.items():
                waits = run(given, code, strategy, seed)
                found[f"{strategy}, {version}"] += waits[1:]  # the first round warms up
    load = round(os.getloadavg()[0], 1)
    table = {name: summary(waits) | {"load": load} for name, waits in found.items()}
    for name, row in table.items():
        print(name, json.dumps(row))
        record_part("round_wait", name, row)


def summary(waits: list[Wait]) -> dict[str, float]:
    """Return the median of the wait and of its parts, and the quartiles of the wait."""
    low, _, high = statistics.quantiles([wait["wait"] for wait in waits], n=4)
    middle = {key: round(statistics.median(w.get(key, 0.0) for w in waits), 3) for key in PARTS}
    return middle | {"low": round(low, 3), "high": round(high, 3)}


def run(given: argparse.Namespace, code: Path, strategy: str, seed: int) -> list[Wait]:
    """Make one run in a process of its own; return its waits, by round."""
    times: Path = given.output / "times.json"
    total = 100 + given.query * given.rounds
    command = [
        *(sys.executable, __file__, "dataset=cifar10", "model=efficientnet_lite0_linear"),
        *(f"strategy={strategy}", f"seed={seed}", f"output_root={given.output}", "overwrite=true"),
        *("budget.initial=100", f"budget.query={given.query}", f"budget.total={total}"),
        f"threads={given.threads}",
    ]
    environment = os.environ | {_TIMED: str(times), "PYTHONPATH": str(code)}
    subprocess.run(command, check=True, env=environment, capture_output=True)
    found: list[Wait] = json.loads(times.read_text())
    return found


def timed(to: Path) -> None:
    """Run the product's own command, and note when labels are recorded and questions asked."""
    from al_lightning.cli.app import main as command  # noqa: PLC0415
    from al_lightning.oracles.simulated.from_dataset import DatasetOracle  # noqa: PLC0415
    from al_lightning.run.journal import Journal  # noqa: PLC0415

    waits, recorded, journals = list[Wait](), list[tuple[float, float]](), list[Journal]()
    # The question is known when it is presented; earlier versions asked for the answer at once.
    shown = "present" if hasattr(DatasetOracle, "present") else "annotate"
    record, show = Journal.record_labels, getattr(DatasetOracle, shown)

    def recording(self: Journal, *arguments: Any) -> None:
        record(self, *arguments)
        journals[:] = [self]
        recorded.append((time.perf_counter(), time.process_time()))

    def showing(self: DatasetOracle, question: Any) -> Any:
        if recorded:
            since, processor = recorded[-1]
            waits.append(
                {"wait": time.perf_counter() - since, "processor": time.process_time() - processor}
            )
        return show(self, question)

    with (
        patch.object(DatasetOracle, "answers_at_once", False),
        patch.object(DatasetOracle, "answers_here", True, create=True),
        patch.object(Journal, "record_labels", recording),
        patch.object(DatasetOracle, shown, showing),
    ):
        command()
    phases = [event["seconds"] for event in journals[0].rounds]
    to.write_text(json.dumps([{**p, **w} for p, w in zip(phases, waits, strict=False)]))


if __name__ == "__main__":
    if _TIMED in os.environ:
        timed(Path(os.environ.pop(_TIMED)))
    else:
        main()
