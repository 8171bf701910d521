"""Profile likelihoods of one parameter, cut where Student's t would be: interval and test for few donors.

For normal data the likelihood ratio of a mean of n values is exactly n log(1 + t^2 / (n-1)), and that of a difference
of two groups n log(1 + t^2 / (n-2)). Cutting every likelihood there, and not at chi-squared's 3.84, gives Student's
interval for normal data without censoring, so that few donors do not make intervals too narrow.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from senexo.assays.stats.estimate import LEVEL

Floats = NDArray[np.float64]
_STEP = 6e-6  # cube root of the rounding error: the best step of a central difference
_FINE, _ROUGH = 1e-7, 1e-5  # slopes left: a place is off by its slope, the height there by the slope's square
REACH = 16.0  # standard deviations; an interval that does not end within them is open


def profile_cut(n: int, *, level: float = LEVEL, means: int = 1) -> float:
    """How far 2 log-likelihood may fall from its peak inside the interval of a mean (or of a difference) of n donors.

    n log(1 + F / (n - means)), F the `level` quantile of F(1, n - means); means: 2 for two groups of donors. For many
    donors it is chi-squared's 3.84.
    """
    from scipy.special import fdtri

    return n * math.log1p(float(fdtri(1, n - means, level)) / (n - means))


class Profile:
    """A log-likelihood of one parameter with the others maximised out, and what follows from it."""

    def __init__(
        self,
        log_likelihood: Callable[[float, Floats], float],
        bounds: list[tuple[float, float]],
        start: Floats,
        guess: float,
        scale: float,
        n: int,
        *,
        means: int = 1,
    ) -> None:
        """start: of the other parameters; guess and scale: of the one parameter; n: donors with information."""
        self._log_likelihood, self._bounds, self.scale, self.n, self.means = log_likelihood, bounds, scale, n, means
        self.ends, self._start = (guess - REACH * scale, guess + REACH * scale), start
        middle = np.append(guess, start)
        joint = self._climb(lambda x: log_likelihood(x[0], x[1:]), middle, middle, [self.ends, *bounds], _FINE)
        self.peak, self.best, self.free = joint[0], float(joint[1][0]), joint[1][1:]
        self._inner = self.best
        self.value = lru_cache(maxsize=None)(self._value)
        for end in self.ends:  # still rising, or flat, at an end: the data only bound the parameter
            if self.value(end) > self.peak - 1e-3:
                self.best = math.copysign(math.inf, end - guess)

    def interval(self) -> tuple[float, float]:
        from scipy.optimize import brentq

        target = math.sqrt(profile_cut(self.n, means=self.means))
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
            while gap(far) < 0.0 and abs(far - self._inner) < abs(end - self._inner):
                near, far, step = far, far + step, 2.0 * step
            open_end = gap(far) < 0.0
            found.append(math.copysign(math.inf, step) if open_end else brentq(gap, near, far, xtol=1e-8 * self.scale))
        return found[0], found[1]

    def p_value(self, null: float) -> float:
        """Of "the parameter is `null`": the likelihood ratio read as Student's t^2."""
        from scipy.special import fdtrc

        ratio = max(0.0, 2.0 * (self.peak - self.value(null)))
        lost = self.n - self.means
        return float(fdtrc(1, lost, lost * math.expm1(ratio / self.n)))

    def _value(self, x: float) -> float:
        def height(free: Floats) -> float:
            return self._log_likelihood(x, free)

        return self._climb(height, self.free, self._start, self._bounds, _ROUGH)[0]

    @classmethod
    def _climb(
        cls, function: Callable[[Floats], float], start: Floats, middle: Floats, bounds: list[tuple[float, float]],
        slope: float,
    ) -> tuple[float, Floats]:  # fmt: skip
        """The peak from `start`; where that is at a bound, which can stop a climb, also from `middle` and halfway."""
        peak, place = cls._maximise(function, start, bounds, slope)
        low, high = np.array(bounds).T
        if len(bounds) > 1 and (np.minimum(place - low, high - place) < 0.01 * (high - low)).any():
            again = [cls._maximise(function, x, bounds, slope) for x in (middle, (place + middle) / 2.0)]
            peak, place = max([(peak, place), *again], key=lambda found: found[0])
        return peak, place

    @staticmethod
    def _maximise(
        function: Callable[[Floats], float], start: Floats, bounds: list[tuple[float, float]], slope: float
    ) -> tuple[float, Floats]:
        """Peak within the bounds, to `slope`; beyond them the function is held and a slope leads back.

        One number: Brent's method. Several: BFGS and not a bounded method, as on three numbers the threads of the
        latter's BLAS cost a hundred times the work; central differences, without the wrappers that cost more than
        the function.
        """
        from scipy.optimize import minimize, minimize_scalar

        if len(bounds) == 1:
            found = minimize_scalar(
                lambda x: -function(np.array([x])), bounds=bounds[0], method="bounded", options={"xatol": 1e-9}
            )
            return -float(found.fun), np.array([found.x])
        low, high = np.array(bounds).T

        def cost(x: Floats) -> float:
            inside = np.minimum(np.maximum(x, low), high)
            return -function(inside) + float(np.sum((x - inside) ** 2))

        def gradient(x: Floats) -> Floats:
            steps = np.diag(_STEP * np.maximum(1.0, np.abs(x)))
            return np.array([(cost(x + step) - cost(x - step)) / (2.0 * step.sum()) for step in steps])

        found = minimize(cost, np.clip(start, low, high), method="BFGS", jac=gradient, options={"gtol": slope})
        inside = np.clip(found.x, low, high)
        return function(inside), inside
