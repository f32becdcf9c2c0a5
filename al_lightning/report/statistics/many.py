"""Critical values for several comparisons at once, by numerical integration: no tables, no chance.

The means of K strategies are independent and normal with one variance; its estimate is independent of
them, with ``df`` degrees of freedom. Differences are divided by their standard errors.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import chdtri, ndtr

_Array = NDArray[np.float64]

_WIDEST = 8.0  # standard deviations; what lies beyond is below 1e-14
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(96)
_Z: _Array = _WIDEST * _NODES
_DENSITY: _Array = _WIDEST * _WEIGHTS * np.exp(-(_Z**2) / 2) / np.sqrt(2 * np.pi)
_SHARES, _SHARE_WEIGHTS = (
    (part + shift) / 2
    for part, shift in zip(np.polynomial.legendre.leggauss(48), (1, 0), strict=True)
)


@lru_cache(maxsize=4096)
def dunnett(comparisons: int, df: float, alpha: float) -> float:
    """Return the value that the largest |t| against a reference exceeds with probability alpha.

    Dunnett 1955, Journal of the American Statistical Association 50.

    >>> round(dunnett(1, 10, 0.05), 3)  # Student's
    2.228

    Args:
        comparisons: How many strategies are compared with the reference.
        df: Degrees of freedom, above 0.
        alpha: In (0, 1).
    """

    def inside(limits: _Array) -> _Array:
        a = np.sqrt(2) * limits[:, None]
        return np.asarray((ndtr(_Z + a) - ndtr(_Z - a)) ** comparisons @ _DENSITY)

    return _critical(inside, df, alpha)


@lru_cache(maxsize=4096)
def best(candidates: int, strategies: int, df: float, alpha: float) -> float:
    """Return the value that the largest lead over a candidate exceeds with probability alpha.

    All strategies are equal, and each candidate is compared with all others. One candidate:
    Hsu's comparisons with the best, which are Dunnett's one-sided ones (Hsu 1981, Annals of Statistics
    9). All of them: the studentized range.

    Args:
        candidates: How many strategies may still be the best, at least 1.
        strategies: How many there are, at least as many.
        df: Degrees of freedom, above 0.
        alpha: In (0, 1).
    """
    rest = strategies - candidates
    below = ndtr(_Z)

    def inside(limits: _Array) -> _Array:
        # The highest of all is at z: all candidates lie between z - a and z, all others below z.
        between = below - ndtr(_Z - np.sqrt(2) * limits[:, None])
        chance = candidates * between ** (candidates - 1) * below**rest
        if rest:
            chance = chance + rest * below ** (rest - 1) * between**candidates
        return np.asarray(chance @ _DENSITY)

    return _critical(inside, df, alpha)


def _critical(inside: Callable[[_Array], _Array], df: float, alpha: float) -> float:
    """Solve for the critical value: ``inside`` gives the chance to stay within, for known variance."""
    spread = np.sqrt(chdtri(df, 1 - _SHARES) / df)

    def excess(limit: float) -> float:
        return float(inside(limit * spread) @ _SHARE_WEIGHTS) - (1 - alpha)

    high = 4.0
    while excess(high) < 0:
        high *= 2
    return float(brentq(excess, 0.0, high, xtol=1e-9))
