"""A linear mixed model with one random intercept (the donor), fitted by REML; Satterthwaite's degrees of freedom.

    y = X b + u[donor] + e,    u ~ Normal(0, tau^2),    e ~ Normal(0, sigma^2),    V = sigma^2 (I + lambda J)

J has ones where two values are of one donor, lambda = tau^2 / sigma^2. With P the projection that generalised least
squares leaves, sigma^2 = y'Py / (n - p) and lambda solves tr(PJ) = (n - p) y'PJPy / y'Py, or is 0 where donors do not
differ more than their residuals make them. Equal to lme4 (`lmer(y ~ x + (1 | donor))`) and to lmerTest's t-tests.
Satterthwaite FE, Biometrics 1946;2:110-114, doi 10.2307/3002019; Kuznetsova A et al., J Stat Softw 2017;82(13),
doi 10.18637/jss.v082.i13.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from senexo.assays.stats.estimate import LEVEL, Estimate

Floats = NDArray[np.float64]
_LAMBDAS = np.concatenate([[0.0], np.geomspace(1e-6, 1e6, 61)])


@dataclass(frozen=True, slots=True)
class Mixed:
    """Fixed effects with their covariance, and the two variances: `donor` (tau^2) and `residual` (sigma^2)."""

    effects: Floats
    covariance: Floats
    donor: float
    residual: float
    deviance: float
    _gradient: Floats  # of the covariance by (tau^2, sigma^2), or by sigma^2 alone where tau^2 = 0
    _variance: Floats  # of (tau^2, sigma^2)

    def contrast(self, weights: Floats) -> tuple[Estimate, float]:
        """weights . effects with its t-interval and test, and the degrees of freedom (Satterthwaite)."""
        from scipy.special import stdtr, stdtrit

        value = float(weights @ self.effects)
        variance = float(weights @ self.covariance @ weights)
        slope = np.array([weights @ part @ weights for part in self._gradient])
        df = 2.0 * variance**2 / float(slope @ self._variance @ slope)
        half = float(stdtrit(df, (1.0 + LEVEL) / 2.0)) * math.sqrt(variance)
        p = float(2.0 * stdtr(df, -abs(value) / math.sqrt(variance)))
        return Estimate(value, value - half, value + half, p), df


def random_intercept(y: Floats, x: Floats, donor: Sequence[object]) -> Mixed | None:
    """The REML fit; y: n values, x: n x p fixed effects of full rank, donor: whose value each is.

    None where nothing is left to fit: no more values than effects, or no scatter beyond that of effects and donors.

    >>> y = np.array([1.0, 2.1, 2.0, 3.2, 4.0, 4.9])
    >>> x = np.column_stack([np.ones(6), [0, 1, 0, 1, 0, 1]])
    >>> fit = random_intercept(y, x, list("aabbcc"))
    >>> estimate, df = fit.contrast(np.array([0.0, 1.0]))
    >>> round(estimate.value, 4), round(df, 3), round(estimate.p_value, 5)
    (1.0667, 2.0, 0.00677)
    """
    from scipy.optimize import brentq

    n, p = x.shape
    if n <= p:
        return None
    names = np.asarray([str(name) for name in donor])
    same = (names[:, None] == names[None, :]).astype(float)
    model = _Reml(y, x, same)
    scatter = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    if scatter @ scatter <= 1e-24 * float(y @ y + 1.0):
        return None
    slopes = np.array([model.slope(ratio) for ratio in _LAMBDAS])
    ends = [0.0] if slopes[0] >= 0.0 else []
    for left in np.flatnonzero((slopes[:-1] < 0.0) & (slopes[1:] >= 0.0)):
        ends.append(brentq(model.slope, _LAMBDAS[left], _LAMBDAS[left + 1], xtol=1e-300, rtol=1e-14))
    return model.fit(float(min(ends, key=model.deviance))) if ends else None


class _Reml:
    """The restricted likelihood as a function of lambda = tau^2 / sigma^2."""

    def __init__(self, y: Floats, x: Floats, same: Floats) -> None:
        self._y, self._x, self._same = y, x, same
        self._left = len(y) - x.shape[1]

    def _projection(self, ratio: float) -> tuple[Floats, Floats, Floats]:
        """P, (X'V^-1 X)^-1 and V^-1, all for sigma^2 = 1."""
        inverse: Any = np.linalg.inv(np.eye(len(self._y)) + ratio * self._same)
        covariance: Any = np.linalg.inv(self._x.T @ inverse @ self._x)
        half = inverse @ self._x
        return inverse - half @ covariance @ half.T, covariance, inverse

    def slope(self, ratio: float) -> float:
        """Derivative of the profiled deviance by lambda."""
        p = self._projection(ratio)[0]
        py = p @ self._y
        return float(np.sum(p * self._same) - self._left * (py @ self._same @ py) / (self._y @ py))

    def deviance(self, ratio: float) -> float:
        """-2 log restricted likelihood, as lme4's REMLcrit."""
        p, covariance, inverse = self._projection(ratio)
        squares = float(self._y @ p @ self._y)
        logs = -np.linalg.slogdet(inverse)[1] - np.linalg.slogdet(covariance)[1]
        return float(logs + self._left * (1.0 + math.log(2.0 * math.pi * squares / self._left)))

    def fit(self, ratio: float) -> Mixed:
        p, covariance, inverse = self._projection(ratio)
        residual = float(self._y @ p @ self._y) / self._left
        effects = covariance @ self._x.T @ inverse @ self._y
        # by tau^2 and sigma^2, at which V = sigma^2 I + tau^2 J; at the edge tau^2 = 0 is known
        parts = [self._same, np.eye(len(self._y))] if ratio > 0.0 else [np.eye(len(self._y))]
        p, inverse, covariance = p / residual, inverse / residual, covariance * residual
        py = p @ self._y
        curvature = np.array([
            [-np.sum((p @ a) * (p @ b).T) + 2.0 * py @ a @ p @ b @ py for b in parts] for a in parts
        ])  # fmt: skip
        half = covariance @ self._x.T @ inverse
        gradient = np.array([half @ part @ half.T for part in parts])
        return Mixed(
            effects, covariance, ratio * residual, residual, self.deviance(ratio), gradient,
            2.0 * np.linalg.pinv(curvature),
        )  # fmt: skip
