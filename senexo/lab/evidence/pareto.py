"""Importance weights whose largest ones are replaced by quantiles of a fitted Pareto tail, and their diagnostics.

Vehtari, Simpson, Gelman, Yao and Gabry 2024, J Mach Learn Res 25:72 (arXiv 1507.02646): the largest M = min(S/5, 3
sqrt(S)) of S weights are fitted by a generalised Pareto distribution (Zhang and Stephens 2009, Technometrics 51:316,
doi 10.1198/tech.2009.08017, with a weak prior on the shape) and replaced by its expected order statistics. A shape
above 0.7 says that the weighted draws are too few for any mean of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
SMALLEST_TAIL = 5  # weights; of fewer no tail is fitted
WORST_SHAPE = 0.7
SMALLEST_LOG = -700.0  # of a weight over the largest; below it a double underflows
PRIOR_DRAWS = 10  # of the weak prior of the shape, which is 0.5 there


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights [draws] that sum to 1; the shape of their tail (nan: not fitted; inf: longer than a double holds)."""

    values: Floats
    shape: float

    @property
    def effective(self) -> float:
        """Kish's effective number of draws: 1 / sum of squares."""
        return float(1.0 / np.square(self.values).sum()) if self.values.any() else 0.0


def smoothed(log_weights: Floats) -> Weights:
    """Weights from logarithms of unnormalised weights [draws] (-inf: weight 0).

    >>> smoothed(np.zeros(4)).effective
    4.0
    """
    finite = np.isfinite(log_weights)
    if not finite.any():
        return Weights(np.zeros(len(log_weights)), float("nan"))
    log = np.where(finite, log_weights - log_weights[finite].max(), -np.inf)
    n = int(finite.sum())
    tail = int(np.ceil(min(0.2 * n, 3.0 * np.sqrt(n))))
    shape = float("nan")
    order = np.argsort(log)
    largest = order[-tail:] if tail else order[:0]
    if tail >= SMALLEST_TAIL and np.ptp(log[largest]) > np.finfo(float).eps * 1e3:
        cut = np.exp(log[order[-tail - 1]]) if tail < len(order) else 0.0
        excess = np.exp(log[largest]) - cut
        if log[largest[0]] < SMALLEST_LOG:
            shape = float("inf")  # the tail spans more than a double holds: one or a few draws have all the weight
        elif excess[0] > 0:
            shape, scale = fit_tail(excess)
            p = (np.arange(1, tail + 1) - 0.5) / tail
            quantiles = scale * np.expm1(-shape * np.log1p(-p)) / shape if shape else -scale * np.log1p(-p)
            log = log.copy()
            log[largest] = np.minimum(np.log(quantiles + cut), 0.0)
    weights = np.exp(log)
    return Weights(weights / weights.sum(), shape)


def fit_tail(excess: Floats) -> tuple[float, float]:
    """(shape, scale) of a generalised Pareto distribution of positive numbers [n], in ascending order.

    Zhang and Stephens' profile estimate, averaged over a grid of 30 + sqrt(n) points, and shrunk to 0.5 by ten draws.
    """
    n = len(excess)
    m = 30 + int(np.sqrt(n))
    b = 1.0 - np.sqrt(m / (np.arange(1, m + 1) - 0.5))
    b = b / (3.0 * excess[int(n / 4 + 0.5) - 1]) + 1.0 / excess[-1]
    k = np.log1p(-b[:, None] * excess).mean(axis=1)
    likelihood = n * (np.log(-b / k) - k - 1.0)
    weight = np.exp(likelihood - likelihood.max())  # the largest is 1: sums over pairs overflow with many numbers
    weight /= weight.sum()
    keep = weight >= 10 * np.finfo(float).eps
    found = float((b[keep] * weight[keep]).sum() / weight[keep].sum())
    shape = float(np.log1p(-found * excess).mean())
    scale = -shape / found
    return shape * n / (n + PRIOR_DRAWS) + 0.5 * PRIOR_DRAWS / (n + PRIOR_DRAWS), scale
