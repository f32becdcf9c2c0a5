"""Times the wait between rounds: from a batch of labels in the journal to the next question.

    python benchmarks/round_wait.py --output FOLDER [--strategies margin,badge] [--repeats 3]

CIFAR-10 (from AL_LIGHTNING_DATA) with the frozen efficientnet_lite0: a pool of 50,000 x 1,280. Runs of
all strategies by turns, each a process of its own; the first one embeds the images, which takes some
minutes and is not counted. Beside the wait, the seconds of its phases from the journal. Figures go to
benchmarks/results/round_wait.json. The machine must be idle.
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
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

if TYPE_CHECKING:
    from torch import Tensor

RESULTS = Path(__file__).parent / "results" / "round_wait.json"
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
    given = parser.parse_args()
    strategies = given.strategies.split(",")
    waits, phases = (
        defaultdict[str, list[float]](list),
        defaultdict[str, list[dict[str, float]]](list),
    )
    for seed in range(given.repeats):
        for strategy in strategies:
            found = run(given.output, strategy, seed, given.query, given.rounds)
            waits[strategy] += found["waits"][1:]  # the first round warms up
            phases[strategy] += found["phases"][1:]
    load = round(os.getloadavg()[0], 1)
    table = {name: summary(waits[name], phases[name]) | {"load": load} for name in strategies}
    for name, row in table.items():
        print(name, json.dumps(row))
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    RESULTS.write_text(json.dumps({**kept, **table}, indent=2) + "\n")


def summary(waits: list[float], phases: list[dict[str, float]]) -> dict[str, float]:
    """Return the median wait, its quartiles, and the median of each phase."""
    low, middle, high = statistics.quantiles(waits, n=4)
    parts = {
        phase: round(statistics.median(each.get(phase, 0.0) for each in phases), 3)
        for phase in ("fit", "test", "advice", "score", "select")
    }
    return {"wait": round(middle, 3), "low": round(low, 3), "high": round(high, 3)} | parts


def run(output: Path, strategy: str, seed: int, query: int, rounds: int) -> dict[str, Any]:
    """Make one run in a process of its own; return its waits and phases, by round."""
    times = output / "times.json"
    command = [
        *(sys.executable, __file__, "dataset=cifar10", "model=efficientnet_lite0_linear"),
        *(f"strategy={strategy}", f"seed={seed}", f"output_root={output}", "overwrite=true"),
        *("budget.initial=100", f"budget.query={query}", f"budget.total={100 + query * rounds}"),
    ]
    subprocess.run(command, check=True, env=os.environ | {_TIMED: str(times)}, capture_output=True)
    found: dict[str, Any] = json.loads(times.read_text())
    return found


def timed(to: Path) -> None:
    """Run the product's own command, and note when labels are recorded and questions asked."""
    from al_lightning.cli.app import main as command  # noqa: PLC0415
    from al_lightning.oracles.simulated.from_dataset import DatasetOracle  # noqa: PLC0415
    from al_lightning.run.journal import Journal  # noqa: PLC0415

    waits, recorded, journals = list[float](), list[float](), list[Journal]()
    record, annotate = Journal.record_labels, DatasetOracle.annotate

    def recording(self: Journal, *arguments: Any) -> None:
        record(self, *arguments)
        journals[:] = [self]
        recorded.append(time.perf_counter())

    def annotating(self: DatasetOracle, ids: "Tensor") -> "Tensor":
        if recorded:
            waits.append(time.perf_counter() - recorded[-1])
        return annotate(self, ids)

    with (
        patch.object(Journal, "record_labels", recording),
        patch.object(DatasetOracle, "annotate", annotating),
    ):
        command()
    phases = [event["seconds"] for event in journals[0].rounds]
    to.write_text(json.dumps({"waits": waits, "phases": phases}))


if __name__ == "__main__":
    if _TIMED in os.environ:
        timed(Path(os.environ.pop(_TIMED)))
    else:
        main()
