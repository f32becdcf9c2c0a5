"""How often a report claims what is not so, where all strategies are equal.

    OMP_NUM_THREADS=1 python benchmarks/error_rates.py --draws 1000

Learning curves are drawn, nothing is trained: their rise, what seeds have in common, and noise of each
round. In one world, strategies are as good as random, and any claim to beat it is false. In another,
all are better than random by the same, and any claim that the best of them beats another is false. A
third figure is on the insight of the classes asked for, where all ask as random does. A rate is that of
reports with at least one false claim, which must not exceed 5 %; its 95 % interval is Clopper and
Pearson's.
"""

import argparse
from collections.abc import Callable
from itertools import combinations

import numpy as np
from scipy.stats import binomtest

from al_lightning.report.analysis.classes import evenness
from al_lightning.report.statistics.comparison import (
    ALPHA,
    Comparison,
    Outcome,
    best_of,
    compare,
    rivals_of,
)
from al_lightning.run.curve import area_under_budget_curve

Scores = dict[str, dict[int, float]]
Claim = Callable[[np.random.Generator, int, int], bool]

LABELS = [500 * (k + 1) for k in range(6)]
RISE = [0.93 - 2.1 / (labels + 8) ** 0.5 for labels in LABELS]
LEAD = 0.02  # of strategies that are better than random; clear in nearly all draws
NOISE = 0.0025  # of a round, as measured on Fashion-MNIST
CLASSES, ASKED = 10, 2500


def main() -> None:
    """Draw, count, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--draws", type=int, default=1000, help="reports of each line")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    claims: dict[str, Claim] = {
        "beats random": claims_to_beat_random,
        "the best beats a rival": claims_to_beat_a_rival,
        "classes asked for": claims_on_classes,
    }
    print(f"{'false claim':24}  strategies  seeds   rate  95% interval")
    too_often = 0
    for name, claim in claims.items():
        for strategies in (3, 5, 7):
            for seeds in (3, 5, 10):
                drawn = np.random.default_rng([given.seed, strategies, seeds])
                false = sum(claim(drawn, strategies, seeds) for _ in range(given.draws))
                low, high = binomtest(false, given.draws).proportion_ci()
                above = low > ALPHA
                too_often += above
                print(
                    f"{name:24}  {strategies:10d}  {seeds:5d}  {100 * false / given.draws:4.1f}%  "
                    f"[{100 * low:.1f}, {100 * high:.1f}]{'  TOO OFTEN' if above else ''}",
                    flush=True,
                )
    print(f"{too_often} rates are above {100 * ALPHA:.0f}% beyond their interval")


def claims_to_beat_random(drawn: np.random.Generator, strategies: int, seeds: int) -> bool:
    """Return whether one of several that are as good as random is said to beat it."""
    against = _against_random(draw_areas(drawn, strategies, seeds, lead=0.0))
    return any(c.outcome is Outcome.BETTER for c in against)


def claims_to_beat_a_rival(drawn: np.random.Generator, strategies: int, seeds: int) -> bool:
    """Return whether the best of several that are equally good is said to beat another."""
    scores = draw_areas(drawn, strategies, seeds, lead=LEAD)
    best = best_of(_against_random(scores))
    if best is None:
        return False
    rivals = rivals_of(best, compare(scores, list(combinations(sorted(scores), 2))))
    return any(c.outcome is Outcome.BETTER for c in rivals if c.reference != "random")


def claims_on_classes(drawn: np.random.Generator, strategies: int, seeds: int) -> bool:
    """Return whether one of several that ask as random does is said to ask more or less evenly."""
    pool = np.linspace(1, 2, CLASSES) / np.linspace(1, 2, CLASSES).sum()
    scores = {
        name: {
            seed: evenness((drawn.multinomial(ASKED, pool) / ASKED).tolist())
            for seed in range(seeds)
        }
        for name in _names(strategies)
    }
    return any(c.outcome in (Outcome.BETTER, Outcome.WORSE) for c in _against_random(scores))


def draw_areas(drawn: np.random.Generator, strategies: int, seeds: int, lead: float) -> Scores:
    """Return areas under drawn curves, by strategy and seed; all but random have the lead.

    Seeds share a level and the first round, as they do in runs.
    """
    scores: Scores = {name: {} for name in _names(strategies)}
    for seed in range(seeds):
        level = drawn.normal(0, 0.003)
        first = RISE[0] + level + drawn.normal(0, NOISE)
        for name, areas in scores.items():
            above = 0.0 if name == "random" else lead
            later = np.array(RISE[1:]) + level + above + drawn.normal(0, NOISE, len(RISE) - 1)
            area = area_under_budget_curve(LABELS, [first, *later.tolist()])
            assert area is not None
            areas[seed] = area
    return scores


def _names(strategies: int) -> list[str]:
    return ["random", *(f"strategy {k}" for k in range(strategies))]


def _against_random(scores: Scores) -> list[Comparison]:
    return compare(scores, [(name, "random") for name in scores if name != "random"])


if __name__ == "__main__":
    main()
