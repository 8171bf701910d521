"""Judging a claim: what it says of every donor, of their mean, of the same donors in the null world, and what decides.

The rule. A comparison's margin in a donor is left - right (right - left for < and <=). Its mean over donors has a
Student t interval at `level`. The comparison HOLDS when the lower bound is above 0, does NOT HOLD when the upper
bound is not, and is NOT DECIDED otherwise. "and" holds when all its parts hold, and does not when one of them does
not; "or" the other way round. Where one of k parts suffices, each is asked at level 1 - (1 - level)/k. A `share`
asks in addition that the claim holds in more than this share of the donors one by one (Wilson's interval).
A claim that also holds in its null does not rest on what the null cuts: it is not decided.

Where few donors make up the mean, t misses on the side of the long tail (40 donors of whom 5 % respond: it covers 75 %
instead of 95). So with fewer than 25 g^2 donors, g > 1 the skewness of the margins (Cochran 1977, Sampling Techniques,
section 2.15), the bound on that side is Cantelli's, sqrt(2/alpha - 1) standard errors away (6.2 at 95 %), which asks
nothing of the shape. And donors that agree to the last digit count only when they are many.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from senexo.assays.stats.ranks import wilson
from senexo.base.infix import NEGATE, evaluate
from senexo.study.claims import LOG2, Clause, Comparison, Joined, Number, Value, comparisons
from senexo.study.observables import Observable

if TYPE_CHECKING:
    from senexo.study.schema import Claim

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Readings = Mapping[Observable, Floats]
HOLDS, NOT, UNDECIDED = "holds", "does not hold", "not decided"
FEWEST = 3  # donors, below which nothing is judged
ALIKE = 59  # donors that must agree to the last digit before their agreement counts: 0.95^59 < 0.05
COCHRAN = 25.0  # donors per squared skewness from which a long tail does no harm to the t interval
SKEWED = 1.0  # below it t errs little, however few the donors
OPERATIONS: Mapping[str, np.ufunc] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, NEGATE: np.negative, LOG2: np.log2,
}  # fmt: skip
POWER = 0.8  # with which the donors asked for would decide


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over n donors, its interval, standard deviation and skewness between them (0 for donors all alike)."""

    n: int
    mean: float
    low: float
    high: float
    sd: float
    skewness: float = 0.0

    def long_tailed(self, *, against: bool) -> bool:
        """Whether the tail on the side of the upper bound (against) or the lower one is too long for t."""
        toward = self.skewness if against else -self.skewness
        return toward > SKEWED and self.n < COCHRAN * toward * toward

    def bound(self, alpha: float, *, against: bool) -> float:
        """The bound on which a verdict rests, at alpha in both tails."""
        if not self.long_tailed(against=against):
            return self.high if against else self.low
        far = math.sqrt(2.0 / alpha - 1.0) * self.sd / math.sqrt(self.n)
        return self.mean + far if against else self.mean - far


@dataclass(frozen=True)
class World:
    """A claim in one world: margins [donors] by comparison, whether it holds in each donor, and how it is decided.

    Donors without a value (no cell alive), or outside `given`, are False in `kept`; `outcome` and `outcomes` (by
    comparison) speak of the others.
    """

    margins: dict[Comparison, Floats]
    true: Bools
    kept: Bools
    outcome: str
    outcomes: dict[Comparison, str]

    @property
    def n(self) -> int:
        return int(self.kept.sum())

    @property
    def n_true(self) -> int:
        return int((self.true & self.kept).sum())

    def interval(self, comparison: Comparison, level: float) -> Interval:
        return mean_interval(self.margins[comparison][self.kept], level)


def world(claim: Claim, tree: Clause, readings: Readings, given: Bools) -> World:
    """The claim judged in one world. readings: one number per donor for everything it reads; given: which donors."""
    parts = comparisons(tree)
    with np.errstate(invalid="ignore", divide="ignore"):
        margins = {part: margin(part, readings) for part in parts}
        true = holds_in(tree, readings)
    kept = given & np.all([np.isfinite(m) for m in margins.values()], axis=0)
    values = {part: m[kept] for part, m in margins.items()}
    outcomes = {part: _outcome(part, values, claim.level) for part in parts}
    outcome = _outcome(tree, values, claim.level)
    if claim.share is not None and outcome != NOT:
        low, high = wilson(int((true & kept).sum()), int(kept.sum()), level=claim.level)
        often = HOLDS if low > claim.share else NOT if high <= claim.share else UNDECIDED
        outcome = often if outcome == HOLDS or often == NOT else UNDECIDED
    return World(margins, true, kept, outcome, outcomes)


def number(value: Value, readings: Readings) -> Floats:
    """One number per donor."""

    def leaf(part: Number | Observable) -> Floats:
        return np.asarray(part.value) if isinstance(part, Number) else readings[part]  # a number broadcasts

    return evaluate(value, leaf, lambda operation, parts: np.asarray(OPERATIONS[operation.operator](*parts)))


def sides(comparison: Comparison, readings: Readings) -> tuple[Floats, Floats]:
    """Left and right [donors] of a comparison."""
    n = len(next(iter(readings.values())))
    left, right = number(comparison.left, readings), number(comparison.right, readings)
    return np.broadcast_to(left, n), np.broadcast_to(right, n)


def margin(comparison: Comparison, readings: Readings) -> Floats:
    """By how much each donor [donors] is on the side the comparison asks for."""
    left, right = sides(comparison, readings)
    return np.asarray(left - right if comparison.sign[0] == ">" else right - left)


def holds_in(clause: Clause, readings: Readings) -> Bools:
    """Whether a claim is true of each donor [donors] by itself."""
    if isinstance(clause, Joined):
        parts = [holds_in(part, readings) for part in clause.parts]
        return np.asarray(np.all(parts, axis=0) if clause.word == "and" else np.any(parts, axis=0))
    found = margin(clause, readings)
    return np.asarray(found >= 0 if clause.sign.endswith("=") else found > 0)


def mean_interval(values: Floats, level: float) -> Interval:
    """The mean over donors and its Student t interval: mean +- t(n-1) sd / sqrt(n); nan bounds for fewer than two."""
    from scipy.special import stdtrit

    n = len(values)
    if n < 2:
        return Interval(n, float(values.mean()) if n else math.nan, math.nan, math.nan, math.nan)
    mean, sd = float(values.mean()), float(values.std(ddof=1))
    half = float(stdtrit(n - 1, (1.0 + level) / 2.0)) * sd / math.sqrt(n)
    skewness = float((((values - mean) / sd) ** 3).mean()) if np.ptp(values) else 0.0
    return Interval(n, mean, mean - half, mean + half, sd, skewness)


def donors_needed(interval: Interval, level: float) -> float:
    """Donors with which a mean and spread like these would be decided in 80 % of runs; inf for a mean of 0.

    And no fewer than a long tail on the other side of 0 asks for.
    """
    from scipy.special import ndtri

    if not interval.sd > 0:
        return math.nan
    reach = float(ndtri((1.0 + level) / 2.0) + ndtri(POWER))
    tail = COCHRAN * interval.skewness**2 if interval.long_tailed(against=interval.mean < 0) else 0.0
    return max(math.ceil((reach * interval.sd / interval.mean) ** 2) + 2, tail) if interval.mean else math.inf


def _outcome(clause: Clause, values: Mapping[Comparison, Floats], level: float) -> str:
    if _shown(clause, values, 1.0 - level, against=False):
        return HOLDS
    return NOT if _shown(clause, values, 1.0 - level, against=True) else UNDECIDED


def _shown(clause: Clause, values: Mapping[Comparison, Floats], alpha: float, *, against: bool) -> bool:
    """Whether a clause is shown to hold, or (against) not to hold, with an error of alpha in two tails."""
    if isinstance(clause, Comparison):
        found = values[clause]
        if len(found) < FEWEST or (np.ptp(found) == 0 and len(found) < ALIKE):
            return False
        interval, equal = mean_interval(found, 1.0 - alpha), clause.sign.endswith("=")
        bound = interval.bound(alpha, against=against)
        if against:
            return bound < 0 or (bound == 0 and not equal)
        return bound > 0 or (bound == 0 and equal)
    one_suffices = (clause.word == "or") != against
    share = alpha / len(clause.parts) if one_suffices else alpha
    shown = [_shown(part, values, share, against=against) for part in clause.parts]
    return any(shown) if one_suffices else all(shown)


def undecided(clause: Clause, outcomes: Mapping[Comparison, str]) -> Iterator[Comparison]:
    """The comparisons that are open."""
    yield from (part for part in comparisons(clause) if outcomes[part] == UNDECIDED)


def hinge(found: World, order: Sequence[Comparison]) -> Comparison:
    """The comparison on which the claim turns: the one that is true of the fewest donors (the first of equals)."""

    def often(part: Comparison) -> int:
        values = found.margins[part][found.kept]
        return int((values >= 0 if part.sign.endswith("=") else values > 0).sum())

    return min(order, key=often)
