"""The ratio of two means over the same donors, with Fieller's interval.

    { theta : |mean(g) - theta mean(l)| <= t(n-1) sqrt(s_gg - 2 theta s_gl + theta^2 s_ll) }

s: variances and covariance of the two means. Exact for normal donors, and open at an end (or at both) where the
denominator does not differ from zero. Fieller EC, J R Stat Soc B 1954;16:175-185,
doi 10.1111/j.2517-6161.1954.tb00159.x.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from senexo.assays.stats.estimate import LEVEL, Estimate

Floats = NDArray[np.float64]


def ratio_of_means(above: Floats, below: Floats, floor: tuple[float, float] = (0.0, 0.0)) -> Estimate:
    """mean(above) / mean(below), one number of each per donor; the ends are infinite where the set is open.

    floor: the mean over donors of the variance of measuring each; variances between donors are not taken below it.
    Fewer than two donors, or a denominator of zero: the value only, or nothing.

    >>> found = ratio_of_means(np.array([4.0, 5.0, 6.0]), np.array([10.0, 11.0, 9.0]))
    >>> round(found.value, 3), found.low < 0.5 < found.high
    (0.5, True)
    """
    from scipy.special import stdtrit

    n, g, m = len(above), float(above.mean()), float(below.mean())
    value = g / m if m else math.nan
    if n < 2:
        return Estimate(value, math.nan, math.nan)
    s = np.cov(above, below) / n
    s_gg, s_ll = max(float(s[0, 0]), floor[0] / n), max(float(s[1, 1]), floor[1] / n)
    s_gl, t = float(s[0, 1]), float(stdtrit(n - 1, (1.0 + LEVEL) / 2.0))
    a, b, c = m**2 - t**2 * s_ll, g * m - t**2 * s_gl, g**2 - t**2 * s_gg
    root = b**2 - a * c
    if a <= 0.0 or root < 0.0:  # the denominator may be zero: every ratio, or all but some in between, agrees
        return Estimate(value, -math.inf, math.inf)
    return Estimate(value, (b - math.sqrt(root)) / a, (b + math.sqrt(root)) / a)
