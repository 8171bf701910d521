"""Counts of two arms of the same donors: their ratio by a Poisson model with donors as blocks, and an exact test.

    y_ij ~ Poisson(x_ij exp(donor_i + b arm_j)), x the cells plated; given each donor's total m_i,
    y_i1 ~ Binomial(m_i, p_i),  logit p_i = b + log(x_i1 / x_i2)

so donors with no count at all say nothing, and zeros are legal. With w_i = m_i p_i (1 - p_i) and h_i = w_i / sum w, the
squared error of b is the larger one of phi / sum w (quasi-likelihood; phi = Pearson's chi-squared / (n - 1), at least
1) and sum (y_i1 - m_i p_i)^2 / (1 - h_i) / (sum w)^2 (the sandwich HC2, right also where donors with many colonies
scatter more, in units of counting, than those with few); t(n - 1).
McCullagh P, Nelder JA, Generalized Linear Models, 2nd ed. 1989, chapters 4.5 and 6.2; MacKinnon JG, White H, J Econom
1985;29:305-325, doi 10.1016/0304-4076(85)90158-7.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from senexo.assays.stats.estimate import LEVEL, Estimate

Floats = NDArray[np.float64]
MOST_EXACT = 5000  # colonies up to which the exact test is made
_EDGE = 40.0  # log ratios beyond are 0 or infinite


@dataclass(frozen=True, slots=True)
class Ratio:
    """log ratio with interval and p-value; `dispersion` of the donors, nan of one; exact interval and p of counting."""

    log_ratio: Estimate
    dispersion: float
    exact: Estimate


def ratio_of_counts(first: Floats, plated: Floats, second: Floats, plated_other: Floats) -> Ratio:
    """Counts and cells plated, one number per donor, of the first arm and of the other one.

    Where one arm has no colony at all, or there is one donor, the exact test of counting is the answer, with an open
    end; `dispersion` is then nan, as nothing says how much donors differ.
    """
    total = first + second
    informative = total > 0
    y, m, offset = first[informative], total[informative], np.log(plated[informative] / plated_other[informative])
    if not len(y):
        nothing = Estimate(math.nan, -math.inf, math.inf)
        return Ratio(nothing, math.nan, nothing)
    exact = exact_ratio(y, m, offset)
    if not 0.0 < y.sum() < m.sum() or len(y) < 2:
        return Ratio(exact, math.nan, exact)
    value, p = _maximum(y, m, offset)
    weight, squared = m * p * (1.0 - p), (y - m * p) ** 2
    phi = float((squared / weight).sum()) / (len(y) - 1)
    quasi = max(phi, 1.0) / weight.sum()
    sandwich = (squared / (1.0 - weight / weight.sum())).sum() / weight.sum() ** 2
    return Ratio(_student(value, math.sqrt(max(quasi, sandwich)), len(y) - 1), phi, exact)


def exact_ratio(y: Floats, m: Floats, offset: Floats) -> Estimate:
    """Conditional exact interval (tails of 2.5 % each) and p (twice the smaller tail) of a common log ratio.

    Given the donors' totals, the sum of y is a sum of binomials; its law for b is the one for 0, tilted by exp(b sum).
    Too many counts for that: nan. Breslow NE, Day NE, Statistical Methods in Cancer Research I, 1980, chapter 4.
    """
    from scipy.optimize import brentq
    from scipy.special import gammaln, logsumexp

    if m.sum() > MOST_EXACT:
        return Estimate(math.nan, math.nan, math.nan)
    law = np.zeros(1)  # logs of the weights of the sum, at b = 0
    for n, shift in zip(m.astype(int), offset, strict=True):
        k = np.arange(n + 1)
        own = gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0) + k * shift
        law = _convolved(law, own)
    s, most = round(float(y.sum())), round(float(m.sum()))
    sums = np.arange(most + 1)

    def tail(b: float, upper: bool) -> float:
        weights = law + b * sums
        part = weights[s:] if upper else weights[: s + 1]
        return float(np.exp(logsumexp(part) - logsumexp(weights)))

    half = (1.0 - LEVEL) / 2.0
    low = brentq(lambda b: tail(b, True) - half, -_EDGE, _EDGE) if s > 0 else -math.inf
    high = brentq(lambda b: tail(b, False) - half, -_EDGE, _EDGE) if s < most else math.inf
    value = -math.inf if s == 0 else math.inf if s == most else _maximum(y, m, offset)[0]
    return Estimate(value, float(low), float(high), min(1.0, 2.0 * min(tail(0.0, True), tail(0.0, False))))


def _maximum(y: Floats, m: Floats, offset: Floats) -> tuple[float, Floats]:
    """The log ratio of maximum likelihood, and p of every donor; 0 < sum y < sum m."""
    from scipy.optimize import brentq
    from scipy.special import expit

    value = float(brentq(lambda b: float((y - m * expit(offset + b)).sum()), -_EDGE, _EDGE, xtol=1e-13))
    return value, expit(offset + value)


def _student(value: float, error: float, df: int) -> Estimate:
    from scipy.special import stdtr, stdtrit

    half = float(stdtrit(df, (1.0 + LEVEL) / 2.0)) * error
    return Estimate(value, value - half, value + half, float(2.0 * stdtr(df, -abs(value) / error)))


def _convolved(first: Floats, second: Floats) -> Floats:
    """Logs of the weights of a sum of two independent counts."""
    if len(first) < len(second):
        first, second = second, first
    found = np.full(len(first) + len(second) - 1, -np.inf)
    for place, weight in enumerate(second):
        found[place : place + len(first)] = np.logaddexp(found[place : place + len(first)], first + weight)
    return found
