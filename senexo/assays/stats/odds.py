"""How two arms of the same donors differ in odds, when each donor has its own level and its own effect.

A donor's two counts, given how many of its cells were positive in all, follow Fisher's noncentral hypergeometric law,
in which the donor's level no longer stands: nothing has to be assumed about how levels are spread, and donors without
a positive cell say nothing instead of something. The log odds ratios of donors are normal (a mixed logistic model):

    y_arm | y_arm + y_control ~ NCH(n_arm, n_control, y_arm + y_control, exp(d)),   d ~ Normal(delta, tau^2)

Breslow NE, Day NE, Statistical Methods in Cancer Research I, IARC 1980, chapter 7; with a normal effect: Stijnen T,
Hamza TH, Ozdemir P, Stat Med 2010;29:3046-3067, doi 10.1002/sim.4040.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from senexo.assays.stats.estimate import LEVEL, Estimate
from senexo.assays.stats.profile import Profile

Floats = NDArray[np.float64]
SPREAD = 0.1, 8.0  # of donors' log odds ratios: the smallest and largest believed
_STEP = 0.04
_GRID = np.linspace(-16.0, 16.0, 801)  # log odds ratio of a donor
_WIDEST = 4000  # counts that an arm can have; beyond, integrands would be narrower than the grid
_FARTHEST = 40.0  # log odds ratio


def odds_ratio(positive: Floats, total: Floats, positive_other: Floats, total_other: Floats) -> Estimate:
    """The donors' median odds ratio of two arms, with its 95 % interval and the p-value of "1".

    One number per donor in each array, same donors in the same order. The interval is the t-calibrated profile
    likelihood of delta, tau maximised out; of a single informative donor it is the exact conditional interval
    (`exact_odds_ratio`), which speaks of this donor alone, and has no p-value. No donor with both positive and negative
    cells: nan.

    >>> found = odds_ratio(*(np.array(x, float) for x in ([52, 61, 47], [200] * 3, [4, 6, 3], [200] * 3)))
    >>> round(found.value, 1)
    16.5
    """
    pooled, cells = positive + positive_other, total + total_other
    informative = (pooled > 0) & (pooled < cells) & (total > 0) & (total_other > 0)
    if not informative.any():
        return Estimate(math.nan, math.nan, math.nan)
    if informative.sum() == 1:
        return exact_odds_ratio(*(int(x[informative][0]) for x in (positive, total, positive_other, total_other)))
    donors = _Donors(positive[informative], total[informative], positive_other[informative], total_other[informative])
    logs, counting = donors.rough, donors.variance
    between = max(float(logs.var() - counting.mean()), 4.0 * SPREAD[0] ** 2)
    profile = Profile(
        lambda delta, free: donors.log_likelihood(delta, math.exp(free[0])),
        [(math.log(SPREAD[0]), math.log(SPREAD[1]))],
        np.array([0.5 * math.log(between)]),
        float(np.average(logs, weights=1.0 / (counting + between))),
        math.sqrt(float(logs.var() + counting.mean())),
        len(logs),
    )
    low, high = profile.interval()
    return Estimate(_exp(profile.best), _exp(low), _exp(high), profile.p_value(0.0))


def exact_odds_ratio(n_positive: int, n_total: int, n_positive_other: int, n_total_other: int) -> Estimate:
    """The conditional maximum-likelihood odds ratio of one donor's two arms, and its exact interval (Fisher).

    Low is the ratio at which n_positive or more has probability 2.5 % given the sum of both, high the one at which
    n_positive or fewer has it. It takes cells as independent.
    """
    from scipy.optimize import brentq

    k, weights = support(n_positive + n_positive_other, n_total, n_total_other)
    tail = (1.0 - LEVEL) / 2.0

    def chances(log_ratio: float) -> Floats:
        logs = weights + k * log_ratio
        p: Floats = np.exp(logs - logs.max())
        return p / p.sum()

    def root(gap: Callable[[float], float]) -> float:
        return float(brentq(gap, -_FARTHEST, _FARTHEST, xtol=1e-12))

    first, last = n_positive == k[0], n_positive == k[-1]
    value = -math.inf if first else math.inf if last else root(lambda x: float(chances(x) @ k) - n_positive)
    low = -math.inf if first else root(lambda x: float(chances(x)[k >= n_positive].sum()) - tail)
    high = math.inf if last else root(lambda x: float(chances(x)[k <= n_positive].sum()) - tail)
    return Estimate(*(_exp(x) for x in (value, low, high)))


class _Donors:
    """Each donor's likelihood of its own log odds ratio on a common grid, scaled to a peak of one."""

    def __init__(self, positive: Floats, total: Floats, positive_other: Floats, total_other: Floats) -> None:
        a, b, c, d = (x + 0.5 for x in (positive, total - positive, positive_other, total_other - positive_other))
        self.rough, self.variance = np.log(a * d / (b * c)), 1.0 / a + 1.0 / b + 1.0 / c + 1.0 / d
        rows = zip(positive, total, positive_other, total_other, self.rough, self.variance, strict=True)
        logs = np.array([self._logs(*map(float, row)) for row in rows])
        self._likelihood = np.exp(logs - logs.max(axis=1, keepdims=True))

    def log_likelihood(self, delta: float, tau: float) -> float:
        """Sum over donors of the log of the integral over the donor's own effect.

        The trapezoidal rule on a grid no wider than the narrowest integrand is exact to 1e-7; beyond the grid the
        likelihood is what it is at the grid's end, the normal law's tail stands for it.
        """
        from scipy.special import ndtr

        weights = _STEP * np.exp(-0.5 * ((_GRID - delta) / tau) ** 2) / (tau * math.sqrt(2.0 * math.pi))
        weights[0] = weights[0] / 2.0 + ndtr((_GRID[0] - delta) / tau)
        weights[-1] = weights[-1] / 2.0 + ndtr((delta - _GRID[-1]) / tau)
        return float(np.log(np.maximum(self._likelihood @ weights, 1e-300)).sum())

    @staticmethod
    def _logs(positive: float, total: float, other: float, total_other: float, rough: float, variance: float) -> Floats:
        """log P(count seen | log odds ratio, sum of both counts) over the grid."""
        k, weights = support(positive + other, total, total_other)
        if k.size > _WIDEST:  # both counts are large: normal to counting
            return -0.5 * (_GRID - rough) ** 2 / variance
        logs = weights + _GRID[:, None] * (k - positive)
        top = logs.max(axis=1)
        found: Floats = -top - np.log(np.exp(logs - top[:, None]).sum(axis=1))
        return found


def support(pooled: float, total: float, total_other: float) -> tuple[Floats, Floats]:
    """The counts that an arm can have given the sum of both arms' counts, and the log weights at odds ratio 1."""
    from scipy.special import gammaln

    k = np.arange(max(0.0, pooled - total_other), min(total, pooled) + 1.0)
    logs = -sum(gammaln(x + 1.0) for x in (k, total - k, pooled - k, total_other - pooled + k))
    return k, logs - logs.max()


def _exp(x: float) -> float:
    return math.inf if x > 700.0 else math.exp(x)
