"""The rule that decides a claim from margins over donors.

A comparison's margin in a donor is left - right (right - left for < and <=). Its mean over donors has a Student t
interval at `level`. The comparison HOLDS when the lower bound is above 0, does NOT HOLD when the upper bound is not,
and is NOT DECIDED otherwise. "and" holds when all its parts hold, and does not hold when one of them does not; "or" the
other way round. Where one of k parts suffices, each is judged at level 1 - (1 - level)/k. A `share` requires in
addition that the claim is true in more than this share of the donors (Wilson's interval).

With few donors and a skewed distribution the t interval is too short on the side of the long tail (40 donors of whom
5 % respond: it covers 75 % instead of 95). So with fewer than 25 g^2 donors, g > 1 the skewness of the margins (Cochran
1977, Sampling Techniques, section 2.15), the bound on that side is Cantelli's, sqrt(2/alpha - 1) standard errors away
(6.2 at 95 %), which assumes nothing about the shape. Donors that agree to the last digit count from `ALIKE` donors on.

Every function here works on arrays, one entry per sample of donors, so that the verdict of a run (one sample) and the
planning of the next one (a thousand resampled runs) use the same rule.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from senexo.assays.stats.ranks import wilson
from senexo.study.claims import Clause, Comparison

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
FEWEST = 3  # donors, below which nothing is judged
ALIKE = 59  # donors that must agree to the last digit before their agreement counts: 0.95^59 < 0.05
COCHRAN = 25.0  # donors per squared skewness from which the t interval keeps its level
SKEWED = 1.0  # skewness below which the t interval is used however few the donors


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Number, mean, standard deviation (n - 1) and skewness of margins over donors, one entry per sample.

    alike: all donors of the sample have the same margin to the last digit; sd and skewness are then 0.
    """

    n: Floats
    mean: Floats
    sd: Floats
    skewness: Floats
    alike: Bools

    def t_half_width(self, level: float) -> Floats:
        """Half the Student t interval of the mean; nan for fewer than two donors."""
        from scipy.special import stdtrit

        with np.errstate(invalid="ignore", divide="ignore"):
            half = stdtrit(np.maximum(self.n - 1.0, 1.0), (1.0 + level) / 2.0) * self.sd / np.sqrt(self.n)
        return np.where(self.n > 1, half, np.nan)

    def long_tailed(self, *, against: bool) -> Bools:
        """Whether the tail on the side of the upper bound (against) or the lower one is too long for t."""
        toward = self.skewness if against else -self.skewness
        return np.asarray((toward > SKEWED) & (self.n < COCHRAN * toward * toward))

    def bound(self, alpha: float, *, against: bool) -> Floats:
        """The upper (against) or lower bound of the mean on which a verdict rests, at alpha in both tails."""
        cantelli = math.sqrt(2.0 / alpha - 1.0) * self.sd / np.sqrt(np.maximum(self.n, 1.0))
        far = np.where(self.long_tailed(against=against), cantelli, self.t_half_width(1.0 - alpha))
        return self.mean + far if against else self.mean - far


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """What the rule needs of one world: the moments of every comparison, and in how many of n donors it is true."""

    moments: Mapping[Comparison, Moments]
    n: Ints
    n_true: Ints


def moments(values: Floats) -> Moments:
    """The moments of margins over donors [n], as one sample."""
    n = len(values)
    alike = n > 0 and bool(np.ptp(values) == 0)
    mean = float(values[0]) if alike else float(values.mean()) if n else math.nan
    sd = math.nan if n < 2 else 0.0 if alike else float(values.std(ddof=1))
    skewness = 0.0 if alike or n < 2 else float((((values - mean) / sd) ** 3).mean())
    return Moments(
        np.asarray(float(n)), np.asarray(mean), np.asarray(sd), np.asarray(skewness), np.asarray(alike)
    )  # fmt: skip


def resampled_moments(values: Floats, weights: Floats) -> Moments:
    """The moments of samples in which donor k of `values` [n] occurs weights[s, k] times."""
    centre = float(values.mean())
    scale = float(np.abs(values - centre).max()) or 1.0
    z = (values - centre) / scale
    n = weights.sum(axis=1)
    lowest = np.where(weights > 0, values, np.inf).min(axis=1)
    alike = lowest == np.where(weights > 0, values, -np.inf).max(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        first, second, third = ((weights @ z**power) / n for power in (1, 2, 3))
        sd = np.sqrt(np.maximum(second - first**2, 0.0) * n / (n - 1.0))
        skewness = (third - 3.0 * first * second + 2.0 * first**3) / sd**3
    return Moments(
        n, np.where(alike, lowest, centre + scale * first), np.where(alike, 0.0, scale * sd),
        np.where(alike, 0.0, skewness), alike,
    )  # fmt: skip


def shown(clause: Clause, of: Mapping[Comparison, Moments], alpha: float, *, against: bool) -> Bools:
    """Whether a clause is shown to hold, or (against) not to hold, with an error of alpha in two tails."""
    if isinstance(clause, Comparison):
        found, equal = of[clause], allows_equal(clause)
        enough = (found.n >= FEWEST) & (~found.alike | (found.n >= ALIKE))
        bound = found.bound(alpha, against=against)
        beyond = bound < 0 if against else bound > 0
        return np.asarray(enough & (beyond | ((bound == 0) & (equal != against))))
    one_suffices = (clause.word == "or") != against
    each = alpha / len(clause.parts) if one_suffices else alpha
    parts = [shown(part, of, each, against=against) for part in clause.parts]
    return np.asarray(np.any(parts, axis=0) if one_suffices else np.all(parts, axis=0))


def decided(tree: Clause, sample: Sample, level: float, share: float | None) -> tuple[Bools, Bools]:
    """Whether a claim holds, and whether it does not hold, in each sample; neither where it is not decided."""
    holds = shown(tree, sample.moments, 1.0 - level, against=False)
    fails = ~holds & shown(tree, sample.moments, 1.0 - level, against=True)
    if share is None:
        return holds, fails
    bounds = [wilson(int(k), int(n), level=level) for k, n in np.broadcast(sample.n_true, sample.n)]
    low, high = np.array(bounds).T.reshape(2, *np.shape(holds))
    return holds & (low > share), fails | (high <= share)


def allows_equal(comparison: Comparison) -> bool:
    """Whether a margin of 0 makes the comparison true."""
    return comparison.sign in (">=", "<=")


def asks_for_more(comparison: Comparison) -> bool:
    """Whether the left side is to be the larger one."""
    return comparison.sign in (">", ">=")


def is_true(comparison: Comparison, margins: Floats) -> Bools:
    """Whether the comparison is true of each donor, by its margin."""
    return np.asarray(margins >= 0 if allows_equal(comparison) else margins > 0)
