"""Normal data of which some are only known to lie beyond a limit: undetected wells, doses above the ladder.

A value beyond a limit enters the likelihood as the probability of lying there (Tobit); it is never replaced by the
limit. Tobin J, Econometrica 1958;26:24-36, doi 10.2307/1907382. The donor is the unit: one value per donor, or a
pair of values per donor.

`side` says what is known of each value: 0 it was observed, +1 it lies above, -1 it lies below the number given.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from senexo.assays.proportion import profile_cut
from senexo.assays.result import Estimate

Floats = NDArray[np.float64]
Sides = NDArray[np.int8]
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)
_REACH = 16.0  # standard deviations; an interval that does not end within them is open
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

    bounds = [(math.log(resolution), math.log(_REACH * spread))]
    profile = _Profile(log_likelihood, bounds, np.array([math.log(spread)]), float(values.mean()), spread, len(values))
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
        (start[0] - 2.0 * _REACH * spread, start[0] + 2.0 * _REACH * spread),
        (math.log(resolution), math.log(_REACH * spread)),
        (-_TALLEST, _TALLEST),
    ]
    profile = _Profile(pairs.log_likelihood, bounds, start, float(difference.mean()), spread, int(informative.sum()))
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


class _Profile:
    """A log-likelihood of one parameter with the others maximised out, and what follows from it."""

    def __init__(
        self,
        log_likelihood: Callable[[float, Floats], float],
        bounds: list[tuple[float, float]],
        start: Floats,
        guess: float,
        scale: float,
        n: int,
    ) -> None:
        """start: of the other parameters; guess and scale: of the one parameter; n: donors with information."""
        self._log_likelihood, self._bounds, self.scale, self.n = log_likelihood, bounds, scale, n
        self.ends = guess - _REACH * scale, guess + _REACH * scale
        joint = self._maximise(lambda x: log_likelihood(x[0], x[1:]), np.append(guess, start), [self.ends, *bounds])
        self.peak, self.best, self.free = joint[0], float(joint[1][0]), joint[1][1:]
        self._inner = self.best
        self.value = lru_cache(maxsize=None)(self._value)
        for end in self.ends:  # still rising, or flat, at an end: the data only bound the parameter
            if self.value(end) > self.peak - 1e-3:
                self.best = math.copysign(math.inf, end - guess)

    def interval(self) -> tuple[float, float]:
        from scipy.optimize import brentq

        target = math.sqrt(profile_cut(self.n))
        found = []
        for end in self.ends:
            if self.best == math.copysign(math.inf, end - self._inner):
                found.append(self.best)
                continue

            # the root of the likelihood ratio is nearly linear in the parameter, so few profiles are needed
            def gap(x: float) -> float:
                return math.sqrt(max(0.0, 2.0 * (self.peak - self.value(x)))) - target

            step = math.copysign(self.scale, end - self._inner)
            near, far = self._inner, self._inner + step
            while gap(far) < 0.0 and abs(far - self._inner) < _REACH * self.scale:
                near, far, step = far, far + step, 2.0 * step
            open_end = gap(far) < 0.0
            found.append(math.copysign(math.inf, step) if open_end else brentq(gap, near, far, xtol=1e-5 * self.scale))
        return found[0], found[1]

    def p_value(self, null: float) -> float:
        """Of "the parameter is `null`": the likelihood ratio read as Student's t^2."""
        from scipy.special import fdtrc

        ratio = max(0.0, 2.0 * (self.peak - self.value(null)))
        return float(fdtrc(1, self.n - 1, (self.n - 1) * math.expm1(ratio / self.n)))

    def _value(self, x: float) -> float:
        return self._maximise(lambda free: self._log_likelihood(x, free), self.free, self._bounds)[0]

    @staticmethod
    def _maximise(
        function: Callable[[Floats], float], start: Floats, bounds: list[tuple[float, float]]
    ) -> tuple[float, Floats]:
        """Peak within the bounds, beyond which the function is held and a slope leads back.

        BFGS and not a bounded method: on three numbers the threads of the latter's BLAS cost a hundred times the work.
        """
        from scipy.optimize import minimize

        low, high = np.array(bounds).T

        def cost(x: Floats) -> float:
            inside = np.clip(x, low, high)
            return -function(inside) + float(np.sum((x - inside) ** 2))

        found = minimize(cost, np.clip(start, low, high), method="BFGS", options={"gtol": 1e-6})
        inside = np.clip(found.x, low, high)
        return function(inside), inside
