"""Survival at fixed times: intervals on the log(-log) scale, differences and their test.

Intervals equal R's `survfit(conf.type = "log-log")`: with s the standard error of log S (Greenwood),

    S^exp(+-z s / log S)

Kalbfleisch JD, Prentice RL, The Statistical Analysis of Failure Time Data, Wiley 1980. The test compares two groups on
the same scale, chi-square with 1 df: Klein JP et al., Stat Med 2007;26:4505-4519, doi 10.1002/sim.2864. The interval of
a difference combines those of the two groups: Zou GY, Donner A, Stat Med 2008;27:1693-1702, doi 10.1002/sim.3095.
"""

from __future__ import annotations

import math

from senexo.assays.stats.estimate import Estimate
from senexo.assays.stats.kaplan_meier import Curve, z_value


def survival_at(curve: Curve, time: float) -> tuple[Estimate, float]:
    """Survival at a time with its interval, and the standard error of its logarithm.

    All are nan beyond the last patient of a curve that did not reach 0. A survival of 1 or 0 has no interval.
    """
    if time > curve.known_until():
        return Estimate(math.nan, math.nan, math.nan), math.nan
    place = int((curve.time <= time).sum()) - 1
    if place < 0:
        return Estimate(1.0, math.nan, math.nan), 0.0
    value, error = float(curve.survival[place]), float(curve.std_error[place])
    if not 0.0 < value < 1.0:
        return Estimate(value, math.nan, math.nan), error
    half = z_value() * error / abs(math.log(value))
    return Estimate(value, value ** math.exp(half), value ** math.exp(-half)), error


def difference_at(first: Curve, second: Curve, time: float) -> Estimate:
    """Survival of the first less that of the second at a time; without interval and p-value where one is 0 or 1."""
    (one, error), (two, other_error) = survival_at(first, time), survival_at(second, time)
    gap = one.value - two.value
    if not (math.isfinite(one.low) and math.isfinite(two.low)):
        return Estimate(gap, math.nan, math.nan)
    low = gap - math.hypot(one.value - one.low, two.high - two.value)
    high = gap + math.hypot(one.high - one.value, two.value - two.low)
    logs = math.log(one.value), math.log(two.value)
    spread = math.hypot(error / logs[0], other_error / logs[1])
    return Estimate(gap, low, high, math.erfc(abs(math.log(logs[0] / logs[1])) / spread / math.sqrt(2.0)))
