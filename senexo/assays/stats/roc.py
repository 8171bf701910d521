"""How well a level tells responders from the others: the ROC curve and the area under it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from senexo.assays.stats.estimate import LEVEL, Estimate

Floats = NDArray[np.float64]


def area(level: Floats, y: NDArray[np.int64]) -> Estimate:
    """Area under the ROC curve: the chance that a responder has the higher level; 95 % interval after DeLong.

    Each patient's placement is the share of the other kind that it beats (ties count half); the variance of the area
    is that of the responders' placements over their number plus that of the others. The interval is taken on the logit
    scale, on which it stays between 0 and 1. An area of 0 or 1, or one patient of a kind: no interval.

    DeLong ER, DeLong DM, Clarke-Pearson DL, Biometrics 1988;44:837-845, doi 10.2307/2531595.

    >>> found = area(np.array([1.0, 2, 3, 4, 5, 6]), np.array([0, 0, 1, 0, 1, 1]))
    >>> round(found.value, 3), round(found.low, 3), round(found.high, 3)
    (0.889, 0.261, 0.995)
    """
    from scipy.special import expit, logit, ndtri
    from scipy.stats import rankdata

    first, other = level[y == 1], level[y == 0]
    m, n = len(first), len(other)
    ranks = rankdata(np.concatenate([first, other]))
    above = (ranks[:m] - rankdata(first)) / n
    below = 1.0 - (ranks[m:] - rankdata(other)) / m
    value = float(above.mean())
    if min(m, n) < 2 or value in (0.0, 1.0):
        return Estimate(value, math.nan, math.nan)
    error = math.sqrt(above.var(ddof=1) / m + below.var(ddof=1) / n) / (value * (1.0 - value))
    middle, half = logit(value), float(ndtri(0.5 + LEVEL / 2.0)) * error
    return Estimate(value, float(expit(middle - half)), float(expit(middle + half)))


def steps(level: Floats, y: NDArray[np.int64]) -> tuple[Floats, Floats, Floats]:
    """Thresholds (from infinity down), and the shares of others and of responders at or above each."""
    cuts = np.concatenate([[np.inf], np.unique(level)[::-1]])
    first, other = np.sort(level[y == 1]), np.sort(level[y == 0])
    false, true = (1.0 - np.searchsorted(x, cuts, side="left") / len(x) for x in (other, first))
    return cuts, false, true
