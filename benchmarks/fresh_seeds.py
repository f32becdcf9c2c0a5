"""Which statements of a report hold on fresh seeds.

    python benchmarks/fresh_seeds.py --name digits --first FOLDER [FOLDER...] --fresh FOLDER [FOLDER...]
        [--seeds 8] [--strategies random,margin]

Reads two sets of finished runs under one setting, with other seeds: a study, and its repetition. Each
statement of the study's report on a difference from random, and on who can be the best, is compared
with the means of the repetition, and so with the highest single strategy, which reports once named.
Results go to benchmarks/results/fresh_seeds.json.

The two studies of docs/comparing.md: seven strategies on digits, made by

    python -m al_lightning -m dataset=digits threads=1 seed='range(18)' report=false
        strategy=random,least_confidence,entropy,margin,badge,l2,kmeans

and on CIFAR-10 the first eight seeds of the study's part a, and ten more with the same settings.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from raw import record, recorded

from al_lightning.report.analysis.results import Analysis, analyse
from al_lightning.report.rules import Rules
from al_lightning.report.statistics.comparison import Comparison, Outcome
from al_lightning.report.study.grouping import build_study
from al_lightning.report.study.runs import Run, read_runs
from al_lightning.report.words.verdict import verdict

NAME = "fresh_seeds"
Row = dict[str, Any]


def main() -> None:
    """Compare a study with its repetition; print and keep what held."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--name", required=True, help="of the setting in the results")
    parser.add_argument("--first", type=Path, nargs="+", required=True, help="runs of the study")
    parser.add_argument("--fresh", type=Path, nargs="+", required=True, help="of the repetition")
    parser.add_argument("--seeds", type=int, default=8, help="that the study has")
    parser.add_argument("--strategies", help="separated by commas; all without it")
    given = parser.parse_args()
    names = None if given.strategies is None else set(given.strategies.split(","))
    wanted = [r for r in _runs(given.first + given.fresh) if names is None or r.strategy in names]
    first = _analysis([run for run in wanted if run.seed < given.seeds])
    fresh = _analysis([run for run in wanted if run.seed >= given.seeds])
    found = {
        "name": given.name,
        "seeds": [len(first.basis.seeds), len(fresh.basis.seeds)],
        "verdict": verdict(first),
        "repetition": verdict(fresh),
        "statements": statements(first, fresh),
    }
    print(json.dumps(found, indent=1))
    kept = [each for each in recorded(NAME) or [] if each["name"] != given.name]
    record(NAME, [*kept, found])


def _runs(folders: list[Path]) -> list[Run]:
    runs, problems = read_runs(folders)
    assert not problems, problems
    return runs


def _analysis(runs: list[Run]) -> Analysis:
    (setting,) = build_study(runs)
    return analyse(setting, Rules(looks=(len({run.seed for run in runs}),)))


def statements(first: Analysis, fresh: Analysis) -> list[Row]:
    """Return what a report states strategy by strategy, and what fresh seeds say of it.

    A statement has turned where the mean of the fresh seeds lies on its other side: below random what
    was better, above it what was worse, outside the margin what was the same, and the highest mean of
    all what was shown to be behind the best.
    """
    again = {c.strategy: c for c in fresh.against}
    behind = {s.strategy for s in first.standings if not s.can_be_best}
    rows = []
    for said in first.against:
        now = again[said.strategy]
        rows.append(
            {
                "strategy": said.strategy,
                "said": str(said.outcome),
                "first": _points(said),
                "fresh": _points(now),
                "turned": _turned(said, now, first.rules),
                "behind": said.strategy in behind,
                "behind_turned": said.strategy in behind and fresh.order[0] == said.strategy,
                "highest": [a.order[0] == said.strategy for a in (first, fresh)],
            }
        )
    return rows


def _turned(said: Comparison, now: Comparison, rules: Rules) -> bool | None:
    """Return whether a reading has turned around; None where nothing was stated."""
    if said.outcome is Outcome.BETTER:
        return now.mean < 0
    if said.outcome is Outcome.WORSE:
        return now.mean > 0
    if said.outcome is Outcome.SAME:
        return abs(now.mean) > rules.margin / 100
    return None


def _points(comparison: Comparison) -> list[float]:
    """Return a mean difference and its interval, in percentage points."""
    ends = comparison.interval or (float("nan"), float("nan"))
    return [round(100 * value, 2) for value in (comparison.mean, *ends)]


if __name__ == "__main__":
    main()
