"""Counts the runs an hour of a sweep: one after the other and side by side; run it by hand.

    python benchmarks/sweeps.py [--jobs 2] [--repeats 1] [--cases ...] [dataset=digits ...]

Four strategies and two seeds. Serially a run has all threads; side by side it has one. Round 0 is
the same for all strategies of a seed, and is trained once, unless `cache=false`.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from raw import record

_ROOT = Path(__file__).resolve().parents[1]
_SWEPT = ("strategy=random,margin,entropy,least_confidence", "seed=0,1")
_RUNS = 8
_SERIAL, _SERIAL_UNSHARED = "serial", "serial, round 0 in every run"
_PARALLEL, _PARALLEL_UNSHARED = "side by side", "side by side, round 0 in every run"
_CASES = (_SERIAL, _SERIAL_UNSHARED, _PARALLEL, _PARALLEL_UNSHARED)


def sweep(case: str, jobs: int, overrides: list[str]) -> tuple[float, int]:
    """Run a sweep; return its seconds, and how many fits of round 0 were made."""
    launcher = ["hydra/launcher=joblib", f"hydra.launcher.n_jobs={jobs}"]
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *(sys.executable, "-m", "al_lightning", "-m", *_SWEPT, *overrides),
            *(f"output_root={folder}", "report=false"),
            f"cache={str(case in (_SERIAL, _PARALLEL)).lower()}",
            *(launcher if case in (_PARALLEL, _PARALLEL_UNSHARED) else []),
        ]
        start = time.perf_counter()
        subprocess.run(
            command,
            env={**os.environ, "PYTHONPATH": str(_ROOT)},
            capture_output=True,
            check=True,
        )
        seconds = time.perf_counter() - start
        journals = [path.read_text() for path in Path(folder).rglob("journal.jsonl")]
    ended = sum(json.loads(journal.splitlines()[-1])["event"] == "end" for journal in journals)
    if ended != _RUNS:
        raise RuntimeError(f"{ended} of {_RUNS} runs came to their end")
    first = [
        json.loads(line)
        for journal in journals
        for line in journal.splitlines()
        if '"event": "round"' in line and json.loads(line)["round"] == 0
    ]
    return seconds, len({event["seconds"]["fit"] for event in first})


def main() -> None:
    """Print a table of medians."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--cases", nargs="+", choices=_CASES, default=list(_CASES))
    arguments, overrides = parser.parse_known_args()
    seconds: dict[str, list[float]] = {case: [] for case in arguments.cases}
    fits: dict[str, int] = {}
    for _ in range(arguments.repeats):
        for case in arguments.cases:
            spent, fits[case] = sweep(case, arguments.jobs, overrides)
            seconds[case].append(spent)
            print(f"{case}: {spent:.1f} s", flush=True)
    if {*arguments.cases} == {*_CASES}:
        record("sweeps", {"runs": _RUNS, "seconds": seconds, "fits": fits})
    print("\n| sweep of 8 runs | seconds | runs an hour | fits of round 0 |")
    print("| --- | --- | --- | --- |")
    for case, found in seconds.items():
        median = statistics.median(found)
        print(f"| {case} | {median:.0f} | {3600 * _RUNS / median:.0f} | {fits[case]} |")


if __name__ == "__main__":
    main()
