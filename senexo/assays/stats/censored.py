"""Normal data of which some are only known to lie beyond a limit: undetected wells, doses above the ladder.

A value beyond a limit enters the likelihood as the probability of lying there (Tobit); it is never replaced by the
limit. Tobin J, Econometrica 1958;26:24-36, doi 10.2307/1907382. The donor is the unit: one value per donor, or a
pair of values per donor.

`side` says what is known of each value: 0 it was observed, +1 it lies above, -1 it lies below the number given.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from senexo.assays.stats.estimate import Estimate
from senexo.assays.stats.profile import REACH, Profile
from senexo.assays.stats.unpaired import welch

Floats = NDArray[np.float64]
Sides = NDArray[np.int8]
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)
_TALLEST = 2.5  # atanh of the largest correlation allowed, 0.987


def censored_mean(values: Floats, side: Sides, *, resolution: float) -> tuple[Estimate, float]:
    """Mean of a normal sample with censored members, its 95 % interval, and the standard deviation.

    log L = sum over observed of log phi((y - mu)/sigma)/sigma + sum over censored of log Phi(side (mu - y)/sigma);
    the interval is the t-calibrated profile likelihood (`profile_cut`), which is Student's when nothing is censored.

    values, side: one per donor, at least two of them observed. resolution: the smallest standard deviation believed,
    in the unit of the values, so that donors that happen to agree do not claim certainty. An end of the interval that
    the data leave open is infinite. Fewer than two observed values: ValueError.

    >>> estimate, sd = censored_mean(np.array([1.0, 2.0, 3.0]), np.zeros(3, np.int8), resolution=0.01)
    >>> round(estimate.value, 6), round(estimate.low, 2), round(estimate.high, 2), round(sd, 3)
    (2.0, -0.48, 4.48, 0.816)
    """
    from scipy.special import log_ndtr

    seen = side == 0
    if np.count_nonzero(seen) < 2:
        raise ValueError("a censored mean needs at least two observed values")
    spread = max(float(values.std()), resolution)

    def log_likelihood(mu: float, free: Floats) -> float:
        sigma = math.exp(free[0])
        z = (values - mu) / sigma
        return float(-0.5 * np.sum(z[seen] ** 2) - seen.sum() * free[0] + np.sum(log_ndtr(-side[~seen] * z[~seen])))

    bounds = [(math.log(resolution), math.log(REACH * spread))]
    profile = Profile(log_likelihood, bounds, np.array([math.log(spread)]), float(values.mean()), spread, len(values))
    return Estimate(profile.best, *profile.interval()), math.exp(profile.free[0])


def censored_difference(
    first: Floats, first_side: Sides, second: Floats, second_side: Sides, *, resolution: float
) -> Estimate:
    """Mean of first - second over donors, with 95 % interval and p-value, when either may be censored.

    Each donor's pair is bivariate normal with means beta + delta and beta, one standard deviation and one correlation
    (a random-intercept Tobit model): a pair enters as a density, as a density times a conditional tail, or as the
    probability of a quadrant. Interval and test are the t-calibrated profile likelihood of delta; when nothing is
    censored both are exactly the paired t-test, which is then used directly.

    One value per donor in each array, same donors in the same order. A difference that the data only bound (all of one
    side undetected) has an infinite value and one finite end. ValueError when fewer than three donors have an observed
    value or neither side has two of them.
    """
    seen_first, seen_second = first_side == 0, second_side == 0
    informative = seen_first | seen_second
    if informative.sum() < 3 or max(seen_first.sum(), seen_second.sum()) < 2:
        raise ValueError("a censored difference needs three donors with an observed value")
    difference = first - second
    if seen_first.all() and seen_second.all() and difference.std() > resolution:
        return paired_t(difference)
    pairs = _Pairs(first, first_side, second, second_side)
    spread = max(float(np.concatenate([first, second]).std()), resolution)
    start = np.array([float(second.mean()), math.log(spread), 0.3])
    bounds = [
        (start[0] - 2.0 * REACH * spread, start[0] + 2.0 * REACH * spread),
        (math.log(resolution), math.log(REACH * spread)),
        (-_TALLEST, _TALLEST),
    ]
    profile = Profile(pairs.log_likelihood, bounds, start, float(difference.mean()), spread, int(informative.sum()))
    return Estimate(profile.best, *profile.interval(), profile.p_value(0.0))


def censored_groups(
    first: Floats, first_side: Sides, second: Floats, second_side: Sides, *, resolution: float
) -> Estimate:
    """Mean of the first donors - mean of the second (other people), with 95 % interval and p-value, any censored.

    Two normal groups with one standard deviation (Tobit); the t-calibrated profile likelihood of the difference. When
    nothing is censored it is Welch's test, which lets the standard deviations differ.

    One value per donor. ValueError when a group has fewer than two donors, or fewer than three values or no group of
    two were observed. A difference that the data only bound has an infinite value and one finite end.

    >>> values, seen = np.array([1.0, 2.0, 3.0]), np.zeros(3, np.int8)
    >>> round(censored_groups(values, seen, values + 4.0, seen, resolution=0.01).p_value, 5)
    0.00805
    """
    from scipy.special import log_ndtr

    seen = first_side == 0, second_side == 0
    if min(len(first), len(second)) < 2 or sum(x.sum() for x in seen) < 3 or max(x.sum() for x in seen) < 2:
        raise ValueError("a difference of censored groups needs two donors in each and three observed values")
    if seen[0].all() and seen[1].all():
        return welch(first, second, np.full(len(first), resolution**2), np.full(len(second), resolution**2))
    values, side = np.concatenate([first, second]), np.concatenate([first_side, second_side])
    in_first, observed = np.arange(len(values)) < len(first), side == 0
    spread = max(float(values.std()), resolution)

    def log_likelihood(delta: float, free: Floats) -> float:
        sigma = math.exp(free[1])
        z = (values - free[0] - delta * in_first) / sigma
        tails = log_ndtr(-side[~observed] * z[~observed])
        return float(-0.5 * np.sum(z[observed] ** 2) - observed.sum() * free[1] + np.sum(tails))

    middle = float(second.mean())
    bounds = [
        (middle - 2.0 * REACH * spread, middle + 2.0 * REACH * spread),
        (math.log(resolution), math.log(REACH * spread)),
    ]
    guess, start = float(first.mean()) - middle, np.array([middle, math.log(spread)])
    profile = Profile(log_likelihood, bounds, start, guess, spread, len(values), means=2)
    return Estimate(profile.best, *profile.interval(), profile.p_value(0.0))


def paired_t(difference: Floats) -> Estimate:
    """Mean difference over donors with Student's interval and test."""
    from scipy.special import stdtr, stdtrit

    n = len(difference)
    error = float(difference.std(ddof=1)) / math.sqrt(n)
    mean, half = float(difference.mean()), float(stdtrit(n - 1, 0.975)) * error
    return Estimate(mean, mean - half, mean + half, float(2.0 * stdtr(n - 1, -abs(mean) / error)))


class _Pairs:
    """The log-likelihood of donors' pairs, sorted once by what is known of them."""

    def __init__(self, first: Floats, first_side: Sides, second: Floats, second_side: Sides) -> None:
        seen_first, seen_second = first_side == 0, second_side == 0
        self.both = first[seen_first & seen_second], second[seen_first & seen_second]
        one, other = seen_first & ~seen_second, ~seen_first & seen_second
        # value seen, limit of the other, its side; the means are swapped for the second group
        self.first_only = first[one], second[one], second_side[one]
        self.second_only = second[other], first[other], first_side[other]
        none = ~seen_first & ~seen_second
        self.neither = first[none], second[none], first_side[none], second_side[none]

    def log_likelihood(self, delta: float, free: Floats) -> float:
        beta, log_sigma, atanh_rho = free
        sigma, rho = math.exp(log_sigma), math.tanh(atanh_rho)
        rest = 1.0 - rho * rho
        total = 0.0
        a, b = (self.both[0] - beta - delta) / sigma, (self.both[1] - beta) / sigma
        if a.size:
            total -= float(np.sum(a * a - 2.0 * rho * a * b + b * b)) / (2.0 * rest)
            total -= a.size * (2.0 * log_sigma + 0.5 * math.log(rest))
        for (seen, limit, side), mean, other in (
            (self.first_only, beta + delta, beta),
            (self.second_only, beta, beta + delta),
        ):
            if seen.size:
                total += _seen_and_tail((seen - mean) / sigma, (limit - other) / sigma, side, rho)
                total -= seen.size * log_sigma
        if self.neither[0].size:
            a, b, side_a, side_b = self.neither
            h, k = side_a * (beta + delta - a) / sigma, side_b * (beta - b) / sigma
            total += float(np.sum(np.log(np.maximum(quadrant(h, k, side_a * side_b * rho), 1e-300))))
        return total


def _seen_and_tail(z: Floats, limit: Floats, side: Sides, rho: float) -> float:
    """Sum of log phi(z) P(partner beyond its limit | z), all standardised, without the constant."""
    from scipy.special import log_ndtr

    return float(np.sum(-0.5 * z * z + log_ndtr(side * (rho * z - limit) / math.sqrt(1.0 - rho * rho))))


def quadrant(h: Floats, k: Floats, rho: Floats | float) -> Floats:
    """P(X < h, Y < k) of a standard bivariate normal with correlation rho.

    Phi(h) Phi(k) + 1/(2 pi) integral from 0 to asin rho of exp(-(h^2 + k^2 - 2 h k sin t) / (2 cos^2 t)) dt, by
    32-point Gauss-Legendre; good to 1e-7 for |rho| <= 0.987. Drezner Z, Wesolowsky GO, J Stat Comput Simul
    1990;35:101-107, doi 10.1080/00949659008811236.
    """
    from scipy.special import ndtr

    half = np.arcsin(rho) / 2.0 * np.ones_like(h)
    sine = np.sin(half[:, None] * (_NODES + 1.0))
    exponent = (h[:, None] ** 2 + k[:, None] ** 2 - 2.0 * (h * k)[:, None] * sine) / (2.0 * (1.0 - sine**2))
    return ndtr(h) * ndtr(k) + half * (np.exp(-exponent) @ _WEIGHTS) / (2.0 * math.pi)
