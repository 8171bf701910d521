"""Power against the number of donors by simulation: where to look, how many sets, and the curve through them.

A smooth curve, power(n) = Phi(a + b sqrt(n)), is fitted to everything simulated so far (binomial likelihood) and only
says where to look next; the power stated for a number is that number's own share of sets, with its exact interval.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from senexo.assays.stats.proportion import clopper_pearson

_SCOUTS = 4  # sets to find the place: this part of those that are stated
_ROUNDS = 12


@dataclass
class Tries:
    """What was simulated: for each n the p-values of its sets, nan where the assay said that nothing was testable."""

    draw: Callable[[np.random.Generator, int], float]
    seed: int
    alpha: float
    p_values: dict[int, list[float]] = field(default_factory=dict)

    def run(self, n: int, sets: int) -> float:
        """Power at n after at least `sets` sets; every set has its own stream, whatever was simulated before."""
        found = self.p_values.setdefault(n, [])
        while len(found) < sets:
            found.append(self.draw(np.random.default_rng([self.seed, n, len(found)]), n))
        return self.hits(n) / len(found)

    def hits(self, n: int) -> int:
        return sum(1 for p in self.p_values[n] if p < self.alpha)  # nan is no hit

    def row(self, n: int) -> dict[str, float]:
        """n, power with its exact Monte-Carlo interval, sets, and how many of them were not testable."""
        sets, hits = len(self.p_values[n]), self.hits(n)
        low, high = clopper_pearson(hits, sets)
        lost = sum(math.isnan(p) for p in self.p_values[n])
        return {"n": n, "power": hits / sets, "low": low, "high": high, "sets": sets, "not_testable": lost}


def needed(tries: Tries, wanted: float, smallest: int, most: int, sets: int) -> int | None:
    """The smallest n whose sets reach the wanted power, found by doubling and then along the fitted curve.

    None where `most` does not reach it.
    """
    scouts, n = max(sets // _SCOUTS, 20), smallest
    while tries.run(n, scouts) < wanted:
        if n >= most:
            return None
        n = min(2 * n, most)
    for _ in range(_ROUNDS):
        n = min(max(solved(tries, wanted), smallest), most)
        if len(tries.p_values.get(n, ())) >= sets:  # the curve points to where it was measured already
            break
        tries.run(n, sets)
    while tries.run(n, sets) < wanted and n < most:
        n += 1
    return n if tries.run(n, sets) >= wanted else None


def around(tries: Tries, n: int, smallest: int, most: int, sets: int) -> None:
    """A few more numbers about n, for the curve."""
    for part in (0.5, 0.75, 1.25, 1.5):
        size = min(max(round(part * n), smallest), most)
        tries.run(size, max(sets // _SCOUTS, 20))


def fitted(tries: Tries) -> tuple[float, float]:
    """a and b >= 0 of power(n) = Phi(a + b sqrt(n))."""
    from scipy.optimize import minimize
    from scipy.special import log_ndtr

    n = np.array(sorted(tries.p_values), float)
    hits = np.array([tries.hits(int(x)) for x in n], float)
    misses = np.array([len(tries.p_values[int(x)]) for x in n], float) - hits

    def cost(x: np.ndarray) -> float:
        z = x[0] + math.exp(min(x[1], 20.0)) * np.sqrt(n)
        # half a hit and half a miss shared by all: a curve through 0 % and 100 % stays finite
        return -float(hits @ log_ndtr(z) + misses @ log_ndtr(-z)) + 1e-3 * float(z @ z) / len(n)

    start = min((np.array([a, math.log(b)]) for a in (-3.0, -1.5) for b in (0.1, 0.3, 1.0)), key=cost)
    best = minimize(cost, start, method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-9, "maxiter": 2000}).x
    return float(best[0]), math.exp(min(float(best[1]), 20.0))


def solved(tries: Tries, wanted: float) -> int:
    """The n at which the fitted curve reaches the wanted power."""
    from scipy.special import ndtri

    a, b = fitted(tries)
    root = max(float(ndtri(wanted)) - a, 0.0) / max(b, 1e-9)
    return int(min(math.ceil(root * root - 1e-9), 10**9))
