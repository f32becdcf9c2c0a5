"""How often the report claims a difference where there is none.

    OMP_NUM_THREADS=1 python benchmarks/null_test.py --comparisons 20 --seeds 5

Random sampling is compared with random sampling under other query seeds: what differs is chance. Each
comparison has seeds of its own, and so initial labels and weights of its own. With one comparison each,
and a single look, a claim should come as often as its level says, 5 %. The runs lie in
``outputs/null`` and are gone on with after an interruption. Figures go to
benchmarks/results/null_test.json.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

from raw import record

from al_lightning.report.analysis.results import analyse
from al_lightning.report.rules import Rules
from al_lightning.report.statistics.comparison import Outcome
from al_lightning.report.study.grouping import build_study
from al_lightning.report.study.runs import read_runs
from al_lightning.report.words.verdict import verdict

OUTPUTS = Path("outputs") / "null"


def main() -> None:
    """Make the runs, compare them, count the claims."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--comparisons", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=5, help="of each comparison")
    parser.add_argument("overrides", nargs="*", help="of the runs, such as budget.total=150")
    given = parser.parse_args()
    for query_seed, name in ((1, "random"), (2, "other")):
        sweep(query_seed, name, given.comparisons * given.seeds, given.overrides)

    runs, problems = read_runs([OUTPUTS])
    assert not problems, problems
    found: list[dict[str, Any]] = []
    for index in range(given.comparisons):
        seeds = range(index * given.seeds, (index + 1) * given.seeds)
        (setting,) = build_study(run for run in runs if run.seed in seeds)
        analysis = analyse(setting, Rules(looks=(given.seeds,)))
        (compared,) = analysis.against
        claimed = compared.outcome in (Outcome.BETTER, Outcome.WORSE)
        ends = (compared.mean, *(compared.interval or (0.0, 0.0)))
        found.append({"points": [round(100 * end, 2) for end in ends], "claimed": claimed})
        mean, low, high = found[-1]["points"]
        claim = f"CLAIMED: {verdict(analysis)[0]}" if claimed else ""
        print(f"{index:3d}  {mean:+.2f} points [{low:+.2f}, {high:+.2f}]  {claim}")
    claims = sum(each["claimed"] for each in found)
    print(f"{claims} claims in {given.comparisons} comparisons of random with random")
    record("null_test", {"seeds": given.seeds, "overrides": given.overrides, "comparisons": found})


def sweep(query_seed: int, name: str, seeds: int, overrides: list[str]) -> None:
    """Run random sampling under so many seeds."""
    command = [sys.executable, "-m", "al_lightning", "-m", "strategy=random", "report=false"]
    command += [f"seed=range({seeds})", f"query_seed={query_seed}", f"names.strategy={name}"]
    command += [f"output_root={OUTPUTS}", "hydra/launcher=joblib", *overrides]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
