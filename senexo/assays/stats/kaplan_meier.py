"""Kaplan-Meier curves with R's default interval, medians, restricted mean survival, and the log-rank test.

Everything equals R's `survfit`, `survdiff` (survival 3.5) with their defaults: intervals on the log scale of survival
(`conf.type = "log"`), Greenwood's variance. Kaplan EL, Meier P, J Am Stat Assoc 1958;53:457-481,
doi 10.1080/01621459.1958.10501452.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from senexo.assays.stats.estimate import LEVEL, Estimate

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Labels = NDArray[np.int64]
_TOUCHES = math.sqrt(np.finfo(float).eps)  # as R: survival of exactly one half, but for rounding


def z_value() -> float:
    from scipy.special import ndtri

    return float(ndtri((1.0 + LEVEL) / 2.0))


@dataclass(frozen=True, slots=True)
class Curve:
    """A Kaplan-Meier curve: one entry for every time at which somebody died or was censored.

    n: the patients it is of; fewer are at risk at first where some entered late.
    """

    time: Floats
    n_at_risk: Floats
    n_events: Floats
    n_censored: Floats
    survival: Floats
    std_error: Floats  # of log survival
    low: Floats
    high: Floats
    n: int

    def median(self) -> Estimate:
        """The first time at which survival is one half or less, with R's interval; infinite where it is not reached.

        A curve that runs along one half is halved in the middle of that run. The interval holds the times at which
        the bounds of the curve pass one half; its ends are nan where the curve has no bounds that give it: no death,
        or the last ones died at once.
        """
        value, low, high = (_crossing(self.time, curve) for curve in (self.survival, self.low, self.high))
        if low > value or not self.n_events.any():
            return Estimate(value, math.nan, math.nan)
        return Estimate(value, low, high)

    def mean(self, until: float) -> tuple[float, float]:
        """Restricted mean survival up to a time, and its standard error: the area below the curve (Greenwood).

        Var = sum over event times of A(t)^2 d / (n (n - d)), A(t) the area from t to `until`.
        """
        seen = self.time <= until
        corners = np.concatenate([[0.0], self.time[seen] / until, [1.0]])  # in units of `until`: squares stay finite
        areas = np.diff(corners) * np.concatenate([[1.0], self.survival[seen]])
        rest = np.cumsum(areas[::-1])[::-1][1:]  # from each time on
        return until * float(areas.sum()), until * math.sqrt(float(np.sum(rest**2 * self.greenwood()[seen])))

    def mean_interval(self, until: float) -> Estimate:
        """Restricted mean survival with its interval, see `mean_difference`, no wider than what is possible."""
        mean, error = self.mean(until)
        found = welch_sum(mean, (error, self.n))
        return Estimate(mean, max(0.0, found.low), min(until, found.high))

    def known_until(self) -> float:
        """The time beyond which the curve says nothing: that of the last patient, none where that one died."""
        return math.inf if self.survival[-1] == 0.0 else float(self.time[-1])

    def at_risk(self, times: Floats) -> NDArray[np.int64]:
        """How many were still followed just before each time."""
        place = np.searchsorted(self.time, times, side="left")
        return np.append(self.n_at_risk, 0.0)[place].astype(np.int64)

    def greenwood(self) -> Floats:
        """The variance of log survival that each time adds, d / (n (n - d)); 0 where all at risk die."""
        with np.errstate(divide="ignore", invalid="ignore"):
            jumps = self.n_events / (self.n_at_risk * (self.n_at_risk - self.n_events))
        return np.where(self.n_at_risk > self.n_events, jumps, 0.0)


def curve(time: Floats, event: Flags, entry: Floats | None = None) -> Curve:
    """Kaplan-Meier: S(t) = product over event times of (1 - d / n), bounds S exp(-+ z sqrt(sum d / (n (n - d)))).

    entry: when each came under observation (left truncation): at risk at t are those with entry < t <= time.

    >>> found = curve(np.array([1.0, 2.0, 2.0, 5.0]), np.array([True, True, False, True]))
    >>> found.survival.tolist(), found.median().value
    ([0.75, 0.5, 0.0], 3.5)
    """
    times, place = np.unique(time, return_inverse=True)
    died = np.bincount(place, weights=event, minlength=len(times))
    left = np.bincount(place, minlength=len(times)).astype(float)
    at_risk = np.cumsum(left[::-1])[::-1]
    if entry is not None:  # less those who had not entered yet
        at_risk = at_risk - (len(entry) - np.searchsorted(np.sort(entry), times, side="left"))
    survival = np.cumprod(1.0 - died / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(np.cumsum(died / (at_risk * (at_risk - died))))
        half = z_value() * error
        low, high = survival * np.exp(-half), np.minimum(1.0, survival * np.exp(half))
    gone = survival == 0.0
    low, high, error = (np.where(gone, np.nan, values) for values in (low, high, error))
    return Curve(times, at_risk, died.astype(float), left - died, survival, error, low, high, len(time))


def _crossing(time: Floats, curve: Floats) -> float:
    below = ~np.isnan(curve) & (curve < 0.5 + _TOUCHES)
    if not below.any():
        return math.inf
    time, curve = time[below], curve[below]
    lower = curve < curve[0]
    if abs(curve[0] - 0.5) < _TOUCHES and lower.any():
        return float(time[0] + time[np.argmax(lower)]) / 2.0
    return float(time[0])


def mean_difference(first: Curve, second: Curve, until: float) -> Estimate:
    """Restricted mean survival of the first less that of the second, with interval and test.

    Greenwood's variances times n / (n - 1), and Student's t with Welch and Satterthwaite's degrees of freedom: where
    no subject is censored before `until` that is Welch's t test of min(time, until). The normal interval of the bare
    variances covers less than 95 % in groups of a few dozen. A group of one tells no spread: no interval, no p-value.
    Welch BL, Biometrika 1947;34:28-35, doi 10.1093/biomet/34.1-2.28.

    >>> alive = np.ones(3, dtype=bool)
    >>> first, second = curve(np.array([5.0, 6.0, 9.0]), alive), curve(np.array([1.0, 2.0, 4.0]), alive)
    >>> round(mean_difference(first, second, 9.0).p_value, 4)
    0.0486
    """
    (mean, error), (other, other_error) = first.mean(until), second.mean(until)
    return welch_sum(mean - other, (error, first.n), (other_error, second.n))


def welch_sum(value: float, *parts: tuple[float, float]) -> Estimate:
    """Interval and test of a sum of means; parts: Greenwood's standard error and the number of patients of each."""
    from scipy.special import stdtr, stdtrit

    if any(n < 2 for _, n in parts):
        return Estimate(value, -math.inf, math.inf)
    errors = [error * math.sqrt(n / (n - 1.0)) for error, n in parts]
    spread = math.hypot(*errors)
    if not spread:
        return Estimate(value, value, value)
    df = 1.0 / sum((error / spread) ** 4 / (n - 1.0) for error, (_, n) in zip(errors, parts, strict=True))
    half = float(stdtrit(df, (1.0 + LEVEL) / 2.0)) * spread
    return Estimate(value, value - half, value + half, float(2.0 * stdtr(df, -abs(value) / spread)))


@dataclass(frozen=True, slots=True)
class LogRank:
    """Observed and expected events of every group, and the test that their hazards are equal."""

    observed: Floats
    expected: Floats
    chi_square: float
    degrees_of_freedom: int
    p_value: float
    variance: Floats  # covariance of observed - expected

    def trend(self) -> tuple[float, float, float]:
        """Sum of k (O - E), positive where later groups die earlier (k the place of a group), chi-square (1 df), p.

        (c'(O - E))^2 / c'Vc with c = 0, 1, 2, ...; both nan where no two groups were at risk together. Tarone RE,
        Biometrika 1975;62:679-682, doi 10.1093/biomet/62.3.679.
        """
        scores = np.arange(len(self.observed), dtype=float)
        value, spread = float(scores @ (self.observed - self.expected)), float(scores @ self.variance @ scores)
        if spread <= 0.0:
            return value, math.nan, math.nan
        return value, value**2 / spread, math.erfc(abs(value) / math.sqrt(2.0 * spread))


def log_rank(
    time: Floats, event: Flags, group: Labels, stratum: Labels, *, rho: float = 0.0, entry: Floats | None = None
) -> LogRank:
    """Log-rank test, within strata where there are several; rho = 1: Peto and Peto's, which stresses early deaths.

    O - E summed over event times with weights S(t-)^rho, S the Kaplan-Meier curve of all groups of the stratum;
    hypergeometric variance. Harrington DP, Fleming TR, Biometrika 1982;69:553-566, doi 10.1093/biomet/69.3.553.

    group, stratum: numbers from 0; entry: as in `curve`. p is nan where no two groups were at risk together.
    """
    from scipy.special import chdtrc

    groups = int(group.max()) + 1
    observed, expected, variance = np.zeros(groups), np.zeros(groups), np.zeros((groups, groups))
    for name in np.unique(stratum):
        own = stratum == name
        late = None if entry is None else entry[own]
        o, e, v = _one_stratum(time[own], event[own], group[own], groups, rho, late)
        observed, expected, variance = observed + o, expected + e, variance + v
    there = np.flatnonzero(expected > 0.0)[1:]  # any one of them follows from the others
    part = variance[np.ix_(there, there)]
    if not len(there) or np.linalg.matrix_rank(part) < len(there):
        return LogRank(observed, expected, math.nan, max(len(there), 1), math.nan, variance)
    gap = (observed - expected)[there]
    chi = float(gap @ np.linalg.solve(part, gap))
    return LogRank(observed, expected, chi, len(there), float(chdtrc(len(there), chi)), variance)


def _one_stratum(
    time: Floats, event: Flags, group: Labels, groups: int, rho: float, entry: Floats | None
) -> tuple[Floats, Floats, Floats]:
    """Weighted observed and expected events, and the covariance of their difference."""
    times = np.unique(time[event])
    died, at_risk = np.zeros((groups, len(times))), np.zeros((groups, len(times)))
    for k in range(groups):
        own = np.sort(time[group == k])
        at_risk[k] = len(own) - np.searchsorted(own, times, side="left")
        if entry is not None:
            late = np.sort(entry[group == k])
            at_risk[k] -= len(late) - np.searchsorted(late, times, side="left")
        died[k] = np.bincount(np.searchsorted(times, time[event & (group == k)]), minlength=len(times))
    d, n = died.sum(axis=0), at_risk.sum(axis=0)
    weight = np.concatenate([[1.0], np.cumprod(1.0 - d / n)[:-1]])[: len(times)] ** rho
    share = at_risk / n
    spread = weight**2 * d * np.where(n > 1, (n - d) / np.maximum(n - 1, 1), 0.0)
    variance = np.diag(share @ spread) - (share * spread) @ share.T
    return died @ weight, share @ (d * weight), variance
