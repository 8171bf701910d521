"""A claim in one world: its margin in every donor, whether it is true of the donor, and what the rule decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from senexo.base.infix import NEGATE, evaluate
from senexo.lab.claim import rule
from senexo.lab.claim.rule import Bools, Floats, Moments, Sample
from senexo.study.claims import LOG2, Clause, Comparison, Joined, Number, Value, comparisons
from senexo.study.observables import Observable

if TYPE_CHECKING:
    from senexo.study.schema import Claim

Observed = Mapping[Observable, Floats]
HOLDS, NOT, UNDECIDED = "holds", "does not hold", "not decided"
OPERATIONS: Mapping[str, np.ufunc] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, NEGATE: np.negative, LOG2: np.log2,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over n donors, its Student t interval, standard deviation and skewness (0 for donors all alike)."""

    n: int
    mean: float
    low: float
    high: float
    sd: float
    skewness: float = 0.0


@dataclass(frozen=True)
class World:
    """A claim in one world: margins [donors] by comparison, whether it is true of each donor, and how it is decided.

    Donors without a value (no living cell), or outside `given`, are False in `kept`; `outcome` and `outcomes` (by
    comparison) are those of the others.
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
        """The mean margin of a comparison over the donors that are kept."""
        return mean_interval(self.margins[comparison][self.kept], level)


def world(claim: Claim, tree: Clause, observed: Observed, given: Bools) -> World:
    """The claim judged in one world. observed: one number per donor for everything it reads; given: which donors."""
    parts = comparisons(tree)
    with np.errstate(invalid="ignore", divide="ignore"):
        margins = {part: margin(part, observed) for part in parts}
        true = holds_in(tree, observed)
    kept = given & np.all([np.isfinite(m) for m in margins.values()], axis=0)
    of = {part: rule.moments(m[kept]) for part, m in margins.items()}
    sample = Sample(of, np.asarray(kept.sum()), np.asarray((true & kept).sum()))
    outcomes = {part: _outcome(part, of, sample, claim.level, None) for part in parts}
    return World(margins, true, kept, _outcome(tree, of, sample, claim.level, claim.share), outcomes)


def _outcome(
    clause: Clause, of: Mapping[Comparison, Moments], sample: Sample, level: float, share: float | None
) -> str:
    holds, fails = rule.decided(clause, sample, level, share)
    return HOLDS if holds else NOT if fails else UNDECIDED


def number(value: Value, observed: Observed) -> Floats:
    """One number per donor."""

    def leaf(part: Number | Observable) -> Floats:
        return np.asarray(part.value) if isinstance(part, Number) else observed[part]  # a number broadcasts

    return evaluate(value, leaf, lambda operation, parts: np.asarray(OPERATIONS[operation.operator](*parts)))


def sides(comparison: Comparison, observed: Observed) -> tuple[Floats, Floats]:
    """Left and right [donors] of a comparison."""
    n = len(next(iter(observed.values())))
    left, right = number(comparison.left, observed), number(comparison.right, observed)
    return np.broadcast_to(left, n), np.broadcast_to(right, n)


def margin(comparison: Comparison, observed: Observed) -> Floats:
    """By how much each donor [donors] is on the side that the comparison states."""
    left, right = sides(comparison, observed)
    return np.asarray(left - right if rule.asks_for_more(comparison) else right - left)


def holds_in(clause: Clause, observed: Observed) -> Bools:
    """Whether a claim is true of each donor [donors] by itself."""
    if isinstance(clause, Joined):
        parts = [holds_in(part, observed) for part in clause.parts]
        return np.asarray(np.all(parts, axis=0) if clause.word == "and" else np.any(parts, axis=0))
    return rule.is_true(clause, margin(clause, observed))


def mean_interval(values: Floats, level: float) -> Interval:
    """The mean over donors and its Student t interval: mean +- t(n-1) sd / sqrt(n); nan bounds for fewer than two."""
    found = rule.moments(values)
    n, mean, sd = len(values), float(found.mean), float(found.sd)
    half = float(found.t_half_width(level))
    return Interval(n, mean, mean - half, mean + half, sd, float(found.skewness) if n > 1 else 0.0)


def hinge(found: World, order: Sequence[Comparison]) -> Comparison:
    """The comparison on which the claim turns: the one that is true of the fewest donors (the first of equals)."""
    return min(order, key=lambda part: int(rule.is_true(part, found.margins[part][found.kept]).sum()))


def same_margins(one: World, other: World) -> bool:
    """Whether every margin of every donor is the same in both worlds."""
    return all(np.array_equal(one.margins[part], other.margins[part], equal_nan=True) for part in one.margins)
