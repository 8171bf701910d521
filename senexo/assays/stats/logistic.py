"""Logistic regression, by maximum likelihood or by Firth's penalised likelihood, with profile-likelihood intervals.

    l(b) = sum of y log p + (1 - y) log(1 - p),  logit p = x b;   Firth: l(b) + log det(x' W x) / 2,  W = p (1 - p)

Firth's penalty takes away the bias of few patients, and its maximum is finite where a level parts responders from the
others, which has no largest likelihood. Firth D, Biometrika 1993;80:27-38, doi 10.1093/biomet/80.1.27; intervals:
Heinze G, Schemper M, Stat Med 2002;21:2409-2419, doi 10.1002/sim.1047.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from senexo.assays.stats.estimate import LEVEL, Estimate, not_converged

Floats = NDArray[np.float64]
METHODS = ("logistic", "firth")
_LONGEST = 5.0  # standard deviations that a step may lead
_STEPS = 200


class Logistic:
    """A fit of y (0 or 1) on the columns of x, to which the constant is added.

    method: ``logistic`` (maximum likelihood) or ``firth``. ValueError where the columns are not independent, and of
    ``logistic`` where they part responders from the others (`separated`).

    >>> level, response = np.array([[1.0], [2], [3], [4], [5], [6]]), np.array([0, 0, 1, 0, 1, 1])
    >>> odds = Logistic(level, response, "logistic").odds_ratio(0)
    >>> round(odds.value, 2), round(odds.low, 2), round(odds.p_value, 3)
    (3.37, 0.94, 0.067)
    """

    def __init__(self, x: Floats, y: NDArray[np.int64], method: str) -> None:
        self.method, self.y = method, np.asarray(y, dtype=float)
        # centred and of SD 1, on which no column outweighs another; ratios and tests are those of the plain columns
        self._scale = x.std(axis=0)
        if not (self._scale > 0.0).all():
            raise ValueError("a column that is the same in all")
        columns = (x - x.mean(axis=0)) / self._scale
        self._x = np.column_stack([np.ones(len(x)), columns])
        if np.linalg.matrix_rank(self._x, tol=1e-7 * math.sqrt(len(x))) < self._x.shape[1]:
            raise ValueError("columns that are not independent")
        if method == "logistic" and separated(x, y):
            raise ValueError("columns that part responders from the others")
        start = np.zeros(self._x.shape[1])
        self._best, self._peak = self._climb(start, np.arange(len(start)))
        self._errors = np.sqrt(np.diag(np.linalg.inv(self._information(self._best))))

    def odds_ratio(self, column: int) -> Estimate:
        """Odds ratio for one unit of a column, profile-likelihood interval, and p of the likelihood ratio test."""
        from scipy.special import chdtrc

        j = column + 1
        fall = 2.0 * (self._peak - self._profile(j, 0.0))
        low, high = (self._end(j, sign) for sign in (-1.0, 1.0))
        value, low, high = (_exp(b / self._scale[column]) for b in (self._best[j], low, high))
        return Estimate(value, low, high, float(chdtrc(1, max(0.0, fall))))

    def standard_deviation(self, column: int) -> float:
        return float(self._scale[column])

    def curve(self, at: Floats, x: Floats) -> tuple[Floats, Floats, Floats]:
        """Share of responders with Wald's pointwise interval, first column `at`, others at their mean in x."""
        from scipy.special import expit, ndtri

        places = np.zeros((len(at), self._x.shape[1]))
        places[:, 0] = 1.0
        places[:, 1] = (at - x[:, 0].mean()) / self._scale[0]
        covariance = np.linalg.inv(self._information(self._best))
        linear = places @ self._best
        half = float(ndtri(0.5 + LEVEL / 2.0)) * np.sqrt(np.einsum("ij,jk,ik->i", places, covariance, places))
        return expit(linear), expit(linear - half), expit(linear + half)

    def _shares(self, b: Floats) -> tuple[Floats, Floats]:
        from scipy.special import expit

        linear = self._x @ b
        share = expit(linear)
        return share, share * expit(-linear)

    def _information(self, b: Floats) -> Floats:
        found: Floats = self._x.T @ (self._x * self._shares(b)[1][:, None])
        return found

    def _log_likelihood(self, b: Floats) -> float:
        linear = self._x @ b
        value = float(self.y @ linear - np.logaddexp(0.0, linear).sum())
        if self.method == "firth":
            sign, log_det = np.linalg.slogdet(self._information(b))
            value = value + 0.5 * float(log_det) if sign > 0 else -math.inf
        return value

    def _slope(self, b: Floats) -> tuple[Floats, Floats]:
        """Slope of the (penalised) likelihood, and the expected information."""
        share, weight = self._shares(b)
        information = self._x.T @ (self._x * weight[:, None])
        residual = self.y - share
        if self.method == "firth":
            leverage = weight * np.einsum("ij,jk,ik->i", self._x, np.linalg.pinv(information, hermitian=True), self._x)
            residual = residual + leverage * (0.5 - share)
        return self._x.T @ residual, information

    def _climb(self, b: Floats, free: NDArray[np.int64]) -> tuple[Floats, float]:
        """Fisher scoring over the free coefficients, steps halved until the likelihood rises."""
        here = self._log_likelihood(b)
        for _ in range(_STEPS):
            slope, information = self._slope(b)
            step = np.zeros(len(b))
            step[free] = np.linalg.pinv(information[np.ix_(free, free)], hermitian=True) @ slope[free]
            longest = np.abs(step).max(initial=0.0)
            if longest < 1e-11:
                break
            step *= min(1.0, _LONGEST / longest)
            there = self._log_likelihood(b + step)
            while not there >= here - 1e-13 * abs(here) and np.abs(step).max() > 1e-12:
                step /= 2.0
                there = self._log_likelihood(b + step)
            b, here = b + step, there
        else:
            not_converged("a logistic regression")
        return b, here

    def _profile(self, j: int, value: float) -> float:
        """The largest (penalised) log-likelihood with one coefficient held."""
        b = self._best.copy()
        # where the others go when this one moves, to first order
        free = np.delete(np.arange(len(b)), j)
        information = self._information(self._best)
        b[free] -= np.linalg.solve(information[np.ix_(free, free)], information[free, j]) * (value - b[j])
        b[j] = value
        return self._climb(b, free)[1]

    def _end(self, j: int, sign: float) -> float:
        """Where 2 log-likelihood has fallen by chi-squared's quantile; infinite where it never does."""
        from scipy.optimize import brentq
        from scipy.special import chdtri

        target = math.sqrt(float(chdtri(1, 1.0 - LEVEL)))

        def gap(value: float) -> float:
            return math.sqrt(max(0.0, 2.0 * (self._peak - self._profile(j, value)))) - target

        near, step = float(self._best[j]), sign * 2.0 * float(self._errors[j])
        for _ in range(12):
            far = near + step
            if gap(far) > 0.0:
                return float(brentq(gap, near, far, xtol=1e-11, rtol=1e-11))
            near, step = far, 2.0 * step
        return sign * math.inf


def separated(x: Floats, y: NDArray[np.int64]) -> bool:
    """Does a line through the columns part responders (on or above it) from the others (on or below it)?

    Then the likelihood rises without end. A linear programme finds the line: max sum of s_i x_i b, s = 1 or -1, all
    s_i x_i b >= 0, b within -1 .. 1. Albert A, Anderson JA, Biometrika 1984;71:1-10, doi 10.1093/biomet/71.1.1.
    """
    from scipy.optimize import linprog

    if x.shape[1] == 1:
        first, other = x[y == 1, 0], x[y == 0, 0]
        return bool(first.min() >= other.max() or first.max() <= other.min())
    spread = x.std(axis=0)
    columns = (x - x.mean(axis=0)) / np.where(spread > 0.0, spread, 1.0)
    sided = np.column_stack([np.ones(len(x)), columns]) * np.where(y == 1, 1.0, -1.0)[:, None]
    found = linprog(-sided.sum(axis=0), A_ub=-sided, b_ub=np.zeros(len(x)), bounds=(-1.0, 1.0), method="highs")
    return bool(-found.fun > 1e-6)


def _exp(value: float) -> float:
    return math.exp(value) if value < 700.0 else math.inf
