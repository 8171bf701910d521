"""Two groups of different donors: a difference of mean shares, with the donor as the unit (beta-binomial and Welch).

    y_i ~ BetaBinomial(n_i, p_group, rho):  log L = sum over i of
        sum_{k < y} log(p + k theta) + sum_{k < n - y} log(1 - p + k theta) - sum_{k < n} log(1 + k theta),
    theta = rho / (1 - rho), rho the correlation of two cells of a donor, the same in both groups.

Griffiths DA, Biometrics 1973;29:637-648, doi 10.2307/2529131. The products stay exact as rho goes to zero, where the
gamma functions of the usual form cancel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from senexo.assays.stats.estimate import LEVEL, Estimate
from senexo.assays.stats.profile import Profile
from senexo.assays.stats.proportion import share_variance

Floats = NDArray[np.float64]
_THETA = (-18.0, 7.0)  # log theta
_EDGE = 14.0  # shares nearer to 0 or 1 than a millionth are 0 or 1


@dataclass(frozen=True, slots=True)
class GroupDifference:
    """`difference` of mean shares, first - second; `odds_ratio` and `correlation` of cells in the beta-binomial."""

    difference: Estimate
    odds_ratio: Estimate
    correlation: float


def share_difference(positive: Floats, total: Floats, positive_other: Floats, total_other: Floats) -> GroupDifference:
    """Mean share of the first donors less that of the second, with 95 % interval and p-value; one number per donor.

    As for one mean share, two methods that fail in different places are joined: the interval is the hull of the
    beta-binomial profile likelihood (calibrated as Student's t of n - 2) and of Welch's, whose variances are never
    taken below those of counting; p is the larger one. Fewer than two donors in a group: values only.

    >>> found = share_difference(*(np.array(x, float) for x in ([52, 61, 47], [200] * 3, [4, 6, 3, 5], [200] * 4)))
    >>> round(found.difference.value, 3), round(found.odds_ratio.value, 1), found.difference.p_value < 0.01
    (0.244, 15.8, True)
    """
    first, second = positive / total, positive_other / total_other
    value = round(float(first.mean() - second.mean()), 15)  # two equal means may differ in their last digit
    if min(len(first), len(second)) < 2:
        nothing = Estimate(math.nan, math.nan, math.nan)
        return GroupDifference(Estimate(value, math.nan, math.nan), nothing, math.nan)
    student = welch(first, second, share_variance(positive, total), share_variance(positive_other, total_other))
    pair = _Groups(positive, total, positive_other, total_other)
    n, (share, other) = len(first) + len(second), pair.means
    bounds = [(-_EDGE, _EDGE), _THETA]
    odds = Profile(
        pair.by_odds, bounds, np.array([_logit(other), pair.theta]), _logit(share) - _logit(other), 2.0, n, means=2
    )
    low, high = odds.interval()
    ratio = Estimate(_exp(odds.best), _exp(low), _exp(high), odds.p_value(0.0))
    place = _logit(pair.place(share - other, other))
    low, high = (math.atanh(min(max(x, -0.999), 0.999)) for x in (student.low, student.high))
    scale = max((high - low) / 4.0, 0.5)  # so that the search reaches every difference
    beta = Profile(
        pair.by_difference, bounds, np.array([place, pair.theta]), math.atanh(share - other), scale, n, means=2
    )
    low, high = (math.tanh(x) for x in beta.interval())
    difference = Estimate(
        value,
        max(min(student.low, low), -1.0),
        min(max(student.high, high), 1.0),
        max(student.p_value, ratio.p_value),
    )
    theta = math.exp(float(odds.free[1]))
    return GroupDifference(difference, ratio, theta / (1.0 + theta))


def welch(first: Floats, second: Floats, floor: Floats | None = None, floor_other: Floats | None = None) -> Estimate:
    """Difference of two means with Welch's interval and test; `floor`: each value's own variance of measurement.

    A group's variance is never taken below the mean of its floor, so that donors that happen to agree do not claim
    certainty. Welch BL, Biometrika 1947;34:28-35, doi 10.1093/biomet/34.1-2.28.
    """
    from scipy.special import stdtr, stdtrit

    errors = []
    for values, least in ((first, floor), (second, floor_other)):
        variance = max(float(values.var(ddof=1)), 0.0 if least is None else float(least.mean()))
        errors.append(variance / len(values))
    value, squared = float(first.mean() - second.mean()), sum(errors)
    if squared == 0.0:
        return Estimate(value, value, value, 0.0 if value else 1.0)
    df = squared**2 / (errors[0] ** 2 / (len(first) - 1) + errors[1] ** 2 / (len(second) - 1))
    half = float(stdtrit(df, (1.0 + LEVEL) / 2.0)) * math.sqrt(squared)
    return Estimate(value, value - half, value + half, float(2.0 * stdtr(df, -abs(value) / math.sqrt(squared))))


class _Groups:
    """Two groups of donors with one correlation, and where to begin."""

    def __init__(self, positive: Floats, total: Floats, positive_other: Floats, total_other: Floats) -> None:
        self._groups = _Group(positive, total), _Group(positive_other, total_other)
        shares = positive / total, positive_other / total_other
        self.means = tuple(min(max(float(share.mean()), 1e-3), 1.0 - 1e-3) for share in shares)
        spread = sum(float(share.var()) for share in shares)
        bernoulli = sum(mean * (1.0 - mean) for mean in self.means)
        self.theta = math.log(min(max(spread / bernoulli, 1e-3), 0.9))

    def by_odds(self, log_ratio: float, free: Floats) -> float:
        """free: logit of the second share, log theta."""
        return self._log_likelihood(_expit(free[0] + log_ratio), _expit(free[0]), free[1])

    def by_difference(self, x: float, free: Floats) -> float:
        """x: atanh of the difference; free: logit of the second share's place in what that leaves it, log theta."""
        difference = math.tanh(x)
        low, high = max(0.0, -difference), min(1.0, 1.0 - difference)
        other = low + (high - low) * _expit(free[0])
        return self._log_likelihood(other + difference, other, free[1])

    @staticmethod
    def place(difference: float, other: float) -> float:
        low, high = max(0.0, -difference), min(1.0, 1.0 - difference)
        return min(max((other - low) / (high - low), 1e-4), 1.0 - 1e-4)

    def _log_likelihood(self, share: float, other: float, log_theta: float) -> float:
        theta = math.exp(log_theta)
        first, second = self._groups
        return first.log_likelihood(share, theta) + second.log_likelihood(other, theta)


class _Group:
    """The beta-binomial log-likelihood of a group of donors, without the constant."""

    def __init__(self, positive: Floats, total: Floats) -> None:
        most = int(total.max())
        self._k = np.arange(most, dtype=float)
        # how many donors have more than k positive cells, negative cells, cells
        self._positive, self._negative, self._total = (
            (counts[:, None] > self._k).sum(axis=0).astype(float) for counts in (positive, total - positive, total)
        )

    def log_likelihood(self, share: float, theta: float) -> float:
        share, steps = min(max(share, 1e-12), 1.0 - 1e-12), self._k * theta
        return float(
            self._positive @ np.log(share + steps)
            + self._negative @ np.log(1.0 - share + steps)
            - self._total @ np.log1p(steps)
        )


def _logit(share: float) -> float:
    return math.log(share / (1.0 - share))


def _expit(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-min(max(x, -700.0), 700.0)))


def _exp(x: float) -> float:
    return math.inf if x > 700.0 else math.exp(x)
