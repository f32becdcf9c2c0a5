"""How often a report claims what is not so, and how many true differences it finds.

    OMP_NUM_THREADS=1 python benchmarks/error_rates.py  # minutes; writes results/error_rates.json
    python -m benchmarks.tables                                  # shows it in docs/comparing.md

AUBC values are drawn, nothing is trained: what seeds have in common, an effect of each strategy, and
its noise. In the worlds without effects any claim is false; the rate is that of studies with at least
one, and must not exceed 5 %. With effects evenly spaced from 0 (random) to 3 standard deviations of a
strategy's noise, power is the share of true differences that is claimed, by procedures.py.

``planned``: what the report does by default, from the first planned look to the last: whoever follows
its advice and looks again, at whatever numbers of seeds, sees claims at these looks alone. Two of its
worlds are fresh: neither they nor the random streams served to choose a constant. ``crowded``: some
strategies are far behind and noisy; what that costs the others. ``before``: five
strategies as good as random, five seeds first; whoever finds nothing follows the advice of the rule of
until now, or looks again at the full level, up to ten times.
"""

import argparse
import math
from collections.abc import Callable
from functools import cache
from itertools import product
from typing import Any

import numpy as np
from procedures import (
    AGAINST,
    BEST,
    Array,
    Claims,
    against_holm,
    against_ours,
    best_at_once,
    best_ours,
    differences,
)
from raw import record, recorded
from scipy.special import ndtri

from al_lightning.report.rules import ALPHA, Rules
from al_lightning.report.statistics.best import standings
from al_lightning.report.statistics.comparison import Outcome, compare
from al_lightning.report.statistics.looks import look_level
from al_lightning.report.statistics.many import dunnett
from al_lightning.report.statistics.moderation import NOMINAL, around_one, moderate

WORLDS = ("equal", "one noisy", "noisy random", "heavy tails", "correlated")
FRESH = ("one three times as noisy", "skewed")
SEEDS, STRATEGIES = (3, 5, 10), (3, 7, 22)
NOISY, HIGHEST = 5.0, 3.0  # times the others' noise
LOOKS = (5, 6, 8, 10, 12, 15, 18, 22, 26, 30)
MOST_SEEDS = 100
_CHUNK, _CHECKED = 2000, 10  # draws


def main() -> None:
    """Draw, count, write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--draws", type=int, default=20_000, help="studies of each cell")
    measure(parser.parse_args().draws)


def measure(draws: int) -> None:
    """Add to the file of results what it does not have; remove it to measure all anew."""
    found = recorded("error_rates") or {}
    planned, before, cells = (found.setdefault(key, {}) for key in ("planned", "before", "cells"))
    if "crowded" not in found:
        found["crowded"] = crowded(draws)
        record("error_rates", found)
    for strategies in STRATEGIES:
        if str(strategies) not in planned:
            planned[str(strategies)] = play(strategies, draws)
            record("error_rates", found)
    for how in BEFORE:
        if how not in before:
            before[how] = play_before(how, draws // 5)
            record("error_rates", found)
    for seeds, strategies in product(SEEDS, STRATEGIES):
        if (name := f"{seeds} seeds, {strategies} strategies") not in cells:
            cells[name] = cell(seeds, strategies, draws)
            record("error_rates", found)


def cell(seeds: int, strategies: int, draws: int) -> dict[str, Any]:
    """Return the rates of false claims by world, and power, of all procedures."""
    none = np.zeros(strategies)
    effects = np.linspace(0, HIGHEST, strategies)
    found: dict[str, Any] = {"seeds": seeds, "strategies": strategies, "draws": draws}
    found |= {"false": {}, "power": {}}
    for name, claims in {**AGAINST, **BEST}.items():
        found["false"][name] = {
            world: _mean(claims, world, none, seeds, draws, _any) for world in WORLDS
        }
        right = _share_but_last if name in BEST else _share
        found["power"][name] = {
            world: _mean(claims, world, effects, seeds, draws // 5, right)
            for world in ("equal", "one noisy")
        }
    _check_with_the_report(seeds, strategies)
    shown = {name: max(rates.values()) for name, rates in found["false"].items()}
    print(seeds, strategies, {n: f"{100 * r:.1f}" for n, r in shown.items()}, flush=True)
    return found


def _any(claims: Claims) -> Array:
    return np.asarray(claims.any(1), dtype=np.float64)


def _share(claims: Claims) -> Array:
    return np.asarray(claims.mean(1))


def _share_but_last(claims: Claims) -> Array:
    return np.asarray(claims[:, :-1].mean(1))  # the last one is the best


def draw(random: np.random.Generator, world: str, effects: Array, seeds: int, draws: int) -> Array:
    """Return AUBC values in units of a strategy's noise, (draws, strategies, seeds); random first.

    What seeds have in common cancels in every difference, and is left out.
    """
    shape = (draws, len(effects), seeds)
    noise = random.standard_normal(shape)
    if world == "heavy tails":
        noise = random.standard_t(4, shape) / math.sqrt(2)
    elif world == "one noisy":
        noise[:, len(effects) // 2] *= NOISY
    elif world == "one three times as noisy":
        noise[:, 1] *= 3.0
    elif world == "skewed":
        noise = random.standard_exponential(shape) - 1
    elif world == "noisy random":
        noise[:, 0] *= NOISY
    elif world == "correlated":  # half of the strategies query nearly the same
        half = max(2, len(effects) // 2)
        shared = random.standard_normal((draws, 1, seeds))
        noise[:, -half:] = math.sqrt(0.1) * noise[:, -half:] + math.sqrt(0.9) * shared
    return np.asarray(noise + effects[:, None])


def _mean(
    claims: Callable[[Array], Claims],
    world: str,
    effects: Array,
    seeds: int,
    draws: int,
    count: Callable[[Claims], Array],
) -> float:
    random = np.random.default_rng([seeds, len(effects), WORLDS.index(world)])
    parts = [
        count(claims(draw(random, world, effects, seeds, _CHUNK)))
        for _ in range(max(draws // _CHUNK, 1))
    ]
    return float(np.concatenate(parts).mean())


def _check_with_the_report(seeds: int, strategies: int) -> None:
    """Assert that the report reads some draws as the arrays above do."""
    random = np.random.default_rng(0)
    values = draw(random, "one noisy", np.linspace(0, HIGHEST, strategies), seeds, _CHECKED)
    names = [f"strategy {k}" for k in range(strategies)]
    claims, out, once = against_ours(values), best_ours(values), Rules(looks=(seeds,))
    for k, study in enumerate(values):
        scores = {n: dict(enumerate(row.tolist())) for n, row in zip(names, study, strict=True)}
        read = compare(scores, names[0], names[1:], once)
        decided = [c.outcome in (Outcome.BETTER, Outcome.WORSE) for c in read]
        assert decided == claims[k].tolist()
        assert [not s.can_be_best for s in standings(scores, names, once)] == out[k].tolist()


def crowded(draws: int, seeds: int = 10) -> dict[str, Any]:
    """Return what strategies that are far behind cost the others, by how many they are.

    ``false``: how often any of five equally good ones leaves the set of the best; ``found``: how often
    the second of two does, which is behind by two standard deviations. Both where all are compared at
    once, and as a report does.
    """
    found: dict[str, Any] = {"draws": draws // _CHUNK * _CHUNK, "seeds": seeds, "behind": {}}
    ways = {"at once": best_at_once, "ours": best_ours}
    for behind in (0, 1, 4, 10):
        rates = {key: dict.fromkeys(ways, 0.0) for key in ("false", "found")}
        random = np.random.default_rng([2028, behind])
        for _ in range(draws // _CHUNK):
            noise = random.standard_normal((_CHUNK, 5 + behind, seeds))
            noise[:, 5:] = NOISY * (noise[:, 5:] - 2 * NOISY)
            two = np.delete(noise, slice(2, 5), axis=1) - np.eye(2 + behind)[1][:, None] * 2
            for name, claims in ways.items():
                rates["false"][name] += claims(noise)[:, :5].any(1).sum() / found["draws"]
                rates["found"][name] += claims(two)[:, 1].sum() / found["draws"]
        found["behind"][str(behind)] = rates
        print("far behind", behind, rates, flush=True)
    return found


def play(strategies: int, draws: int) -> dict[str, Any]:
    """Return how often any look claims what is not so, by world, and the power of each look."""
    none, effects = np.zeros(strategies), np.linspace(0, HIGHEST, strategies)
    looks = tuple(Rules.looks)
    level = look_level(looks)
    false: dict[str, dict[str, float]] = {}
    for index, world in enumerate((*WORLDS, *FRESH)):
        random = np.random.default_rng([2026, strategies, index])
        counts = np.zeros(3)
        for _ in range(draws // _CHUNK):
            values = draw(random, world, none, looks[-1], _CHUNK)
            # As in a report, the best is sought among all but random.
            against, out = (
                np.any([claims(part[:, :, :look], level).any(1) for look in looks], axis=0)
                for claims, part in ((against_ours, values), (best_ours, values[:, 1:]))
            )
            counts += [against.sum(), out.sum(), (against | out).sum()]
        rates = counts / (draws // _CHUNK * _CHUNK)
        false[world] = dict(zip(("against", "best", "either"), rates.tolist(), strict=True))
        print(strategies, world, false[world], flush=True)
    values = draw(np.random.default_rng([2027, strategies]), "equal", effects, looks[-1], _CHUNK)
    power = {
        str(look): {
            "against": float(against_ours(values[:, :, :look], level).mean()),
            "best": float(best_ours(values[:, 1:, :look], level)[:, :-1].mean()),
        }
        for look in looks
    }
    return {"draws": draws // _CHUNK * _CHUNK, "false": false, "power": power}


BEFORE: dict[str, str] = {
    "before: follow the advice": "advice",
    "the same level at each look": "unplanned",
}


def play_before(name: str, draws: int, strategies: int = 5) -> dict[str, float]:
    """Return the rate of false claims at the first look, and after up to ten."""
    random, how = np.random.default_rng(7), BEFORE[name]
    first = later = 0
    for _ in range(draws):
        values = draw(random, "equal", np.zeros(strategies), MOST_SEEDS, 1)
        seeds = LOOKS[0]
        for look in range(len(LOOKS)):
            if _claims_at(how, values[:, :, :seeds]):
                later += 1
                first += look == 0
                break
            seeds = _next(how, values[:, :, :seeds], look)
            if seeds > MOST_SEEDS:
                break
    return {"draws": draws, "first": first / draws, "after ten": later / draws}


def _claims_at(how: str, values: Array) -> bool:
    if how == "advice":
        return bool(against_holm(values).any())
    means, variances, seeds = differences(values)
    count = means.shape[1]
    found = moderate(variances, np.full(count, seeds), around_one(count))
    limit = _limit(count, round(float(found.df[0, 0]), 1), NOMINAL * ALPHA)
    return bool((np.abs(means) > limit * np.sqrt(found.variance / seeds)).any())


@cache
def _limit(count: int, df: float, alpha: float) -> float:
    return dunnett(count, df, alpha)


def _next(how: str, values: Array, look: int) -> int:
    """Return the number of seeds of the next look."""
    if how != "advice":
        return LOOKS[look + 1] if look + 1 < len(LOOKS) else MOST_SEEDS + 1
    means, variances, seeds = differences(values)
    effect = np.abs(means) / np.sqrt(variances)
    wanted = (ndtri(1 - ALPHA / 2 / means.shape[1]) + ndtri(0.8)) ** 2 / effect**2
    return max(seeds + 1, math.ceil(float(wanted.min())) + 2)


if __name__ == "__main__":
    main()
