"""How often a report claims what is not so, and how many true differences it finds.

    OMP_NUM_THREADS=1 python benchmarks/error_rates.py  # minutes; writes results/error_rates.json
    python -m benchmarks.tables                                  # shows it in docs/comparing.md

AUBC values are drawn, nothing is trained: what seeds have in common, an effect of each strategy, and
its noise. In the worlds without effects any claim is false; the rate is that of studies with at least
one, and must not exceed 5 %. With effects evenly spaced from 0 (random) to 3 standard deviations of a
strategy's noise, power is the share of true differences that is claimed. The procedures:

- holm: paired t tests, Holm's method; over all pairs for the best one. This was the rule until now.
- blocks: one pooled variance (two-way layout), Dunnett's and Tukey's critical values.
- smyth: variances moderated by a prior that is estimated from the same differences, Dunnett's values.
- ours: what the report does, see :mod:`al_lightning.report.statistics.moderation`.

``planned``: what the report does by default, from the first planned look to the last: whoever follows
its advice and looks again, at whatever numbers of seeds, sees claims at these looks alone. Two of its
worlds are fresh: neither they nor the random streams served to choose a constant. ``before``: five
strategies as good as random, five seeds first; whoever finds nothing follows the advice of the rule of
until now, or looks again at the full level, up to ten times.
"""

import argparse
import json
import math
from collections.abc import Callable
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, ndtri, polygamma, stdtr

from al_lightning.report.rules import ALPHA, Rules
from al_lightning.report.statistics.best import standings
from al_lightning.report.statistics.comparison import Outcome, compare
from al_lightning.report.statistics.looks import look_level
from al_lightning.report.statistics.many import best, dunnett
from al_lightning.report.statistics.moderation import NOMINAL, around_one, moderate, step_down
from al_lightning.utils.files import write_whole

Array = NDArray[np.float64]
Claims = NDArray[np.bool_]

RESULTS = Path(__file__).parent / "results" / "error_rates.json"
WORLDS = ("equal", "one noisy", "noisy random", "heavy tails", "correlated")
FRESH = ("one three times as noisy", "skewed")
SEEDS, STRATEGIES = (3, 5, 10), (3, 7, 22)
NOISY, HIGHEST = 5.0, 3.0  # times the others' noise
LOOKS = (5, 6, 8, 10, 12, 15, 18, 22, 26, 30)
MOST_SEEDS = 100
_CHUNK, _CHECKED = 2000, 10  # draws
_RATIO = 1.08  # of degrees of freedom between which critical values are interpolated


def main() -> None:
    """Draw, count, write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--draws", type=int, default=20_000, help="studies of each cell")
    measure(parser.parse_args().draws)


def measure(draws: int) -> None:
    """Add to the file of results what it does not have; remove it to measure all anew."""
    found = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    planned, before, cells = (found.setdefault(key, {}) for key in ("planned", "before", "cells"))
    for strategies in STRATEGIES:
        if str(strategies) not in planned:
            planned[str(strategies)] = play(strategies, draws)
            _write(found)
    for how in BEFORE:
        if how not in before:
            before[how] = play_before(how, draws // 5)
            _write(found)
    for seeds, strategies in product(SEEDS, STRATEGIES):
        if (name := f"{seeds} seeds, {strategies} strategies") not in cells:
            cells[name] = cell(seeds, strategies, draws)
            _write(found)


def _write(document: dict[str, Any]) -> None:
    write_whole(RESULTS, json.dumps(document, indent=1) + "\n")


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


def against_ours(values: Array, level: float = ALPHA) -> Claims:
    """Claim differences from random as :func:`compare` does."""
    means, variances, seeds = _differences(values)
    count = means.shape[1]
    found = moderate(variances, np.full(count, seeds), around_one(count))
    critical = np.stack(
        [
            _interpolated(partial(dunnett, max(k, 1), alpha=NOMINAL * level), found.df)
            for k in range(count + 1)
        ]
    )
    return step_down(np.abs(means) / np.sqrt(found.variance / seeds), critical)


def against_holm(values: Array) -> Claims:
    """Claim differences from random by Holm's method."""
    means, variances, seeds = _differences(values)
    return _holm(means, variances, seeds)


def against_blocks(values: Array) -> Claims:
    """Claim differences from random by Dunnett's test on a two-way layout."""
    means = _differences(values)[0]
    error, df = _residual(values)
    return np.asarray(np.abs(means) > dunnett(means.shape[1], df, ALPHA) * error[:, None])


def against_smyth(values: Array) -> Claims:
    """Claim differences from random with variances moderated as limma does."""
    means, variances, seeds = _differences(values)
    own, count = seeds - 1, means.shape[1]
    logs = np.log(variances) - digamma(own / 2) + np.log(own / 2)
    excess = logs.var(1, ddof=1, keepdims=True) - polygamma(1, own / 2)
    prior = np.where(excess > 0, 2 * _inverse_trigamma(np.maximum(excess, 1e-8)), 1e6)
    common = np.exp(logs.mean(1, keepdims=True) + digamma(prior / 2) - np.log(prior / 2))
    moderated = (prior * common + own * variances) / (prior + own)
    df = np.minimum(prior + own, count * own)
    limit = _interpolated(lambda d: dunnett(count, d, ALPHA), df)
    return np.asarray(np.abs(means) > limit * np.sqrt(moderated / seeds))


def best_ours(values: Array, level: float = ALPHA) -> Claims:
    """Claim that strategies are not the best as :func:`standings` does."""
    means, variances, seeds, (one, other) = _pairs(values)
    count = values.shape[1]
    found = moderate(variances, np.full(len(one), seeds), max(len(one) / (count - 1), 1.0))
    leads = _largest(means / np.sqrt(found.variance / seeds), one, other, count)
    df = found.df[:, :1]
    critical = np.stack(
        [
            _interpolated(partial(best, max(k, 1), count, alpha=NOMINAL * level), df)
            for k in range(count + 1)
        ]
    )
    return step_down(leads, critical)


def best_holm(values: Array) -> Claims:
    """Claim that strategies are not the best where another beats them by Holm over all pairs."""
    means, variances, seeds, (one, other) = _pairs(values)
    claimed = _holm(means, variances, seeds)
    return _largest(np.where(claimed, np.sign(means), 0), one, other, values.shape[1]) > 0


def best_blocks(values: Array) -> Claims:
    """Claim that strategies are not the best by Tukey's test on a two-way layout."""
    means, _, _, (one, other) = _pairs(values)
    error, df = _residual(values)
    count = values.shape[1]
    leads = _largest(means / error[:, None], one, other, count)
    return np.asarray(leads > best(count, count, df, ALPHA))


AGAINST: dict[str, Callable[[Array], Claims]] = {
    "holm": against_holm,
    "blocks": against_blocks,
    "smyth": against_smyth,
    "ours": against_ours,
}
BEST: dict[str, Callable[[Array], Claims]] = {
    "best, holm": best_holm,
    "best, blocks": best_blocks,
    "best, ours": best_ours,
}


def _differences(values: Array) -> tuple[Array, Array, int]:
    found = values[:, 1:] - values[:, :1]
    return found.mean(2), found.var(2, ddof=1), values.shape[2]


def _pairs(values: Array) -> tuple[Array, Array, int, tuple[Any, Any]]:
    one, other = np.triu_indices(values.shape[1], 1)
    found = values[:, one] - values[:, other]
    return found.mean(2), found.var(2, ddof=1), values.shape[2], (one, other)


def _largest(leads: Array, one: Any, other: Any, strategies: int) -> Array:
    """Return by how much the furthest of the others leads each strategy."""
    largest = np.full((len(leads), strategies), -np.inf)
    for k, (first, second) in enumerate(zip(one, other, strict=True)):
        largest[:, second] = np.maximum(largest[:, second], leads[:, k])
        largest[:, first] = np.maximum(largest[:, first], -leads[:, k])
    return largest


def _holm(means: Array, variances: Array, seeds: int) -> Claims:
    p = 2 * stdtr(seeds - 1, -np.abs(means) / np.sqrt(variances / seeds))
    levels = ALPHA / (p.shape[1] - np.arange(p.shape[1]))
    order = p.argsort(1)
    claimed = np.logical_and.accumulate(np.take_along_axis(p, order, 1) < levels, axis=1)
    result = np.empty_like(claimed)
    np.put_along_axis(result, order, claimed, 1)
    return result


def _residual(values: Array) -> tuple[Array, float]:
    """Return the standard error of a difference by a two-way layout, and its degrees of freedom."""
    _, strategies, seeds = values.shape
    rest = values - values.mean(2, keepdims=True) - values.mean(1, keepdims=True)
    rest += values.mean((1, 2), keepdims=True)
    df = (strategies - 1) * (seeds - 1)
    return np.sqrt(2 * (rest**2).sum((1, 2)) / df / seeds), float(df)


def _inverse_trigamma(values: Array) -> Array:
    found = 0.5 + 1 / values
    for _ in range(30):
        trigamma = polygamma(1, found)
        found = found + trigamma * (1 - trigamma / values) / polygamma(2, found)
    return found


def _interpolated(critical: Callable[[float], float], df: Array) -> Array:
    """Return critical values for many degrees of freedom, linear in 1 / df between exact ones."""
    first, last = math.log(df.min(), _RATIO), math.log(min(df.max(), 1e4), _RATIO)
    grid = [_RATIO**k for k in range(math.ceil(last), math.floor(first) - 1, -1)]
    return np.interp(1 / df, [1 / each for each in grid], [critical(each) for each in grid])


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
    means, variances, seeds = _differences(values)
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
    means, variances, seeds = _differences(values)
    effect = np.abs(means) / np.sqrt(variances)
    wanted = (ndtri(1 - ALPHA / 2 / means.shape[1]) + ndtri(0.8)) ** 2 / effect**2
    return max(seeds + 1, math.ceil(float(wanted.min())) + 2)


if __name__ == "__main__":
    main()
