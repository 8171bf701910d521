"""How many donors would decide an open claim: the verdict's own rule on resampled donors (bootstrap).

Runs of N donors are drawn with replacement from the donors of this run, each with its margins in the claim's world and
in the null, and judged as the run itself was: bounds, long tails, donors that are all alike, levels within "and" and
"or", `share`, and the null in which the claim must not hold. N is the smallest number at which `POWER` of these runs
are decided. Efron and Tibshirani 1993, An Introduction to the Bootstrap, section 25.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from senexo.base.streams import generator
from senexo.lab.claim import rule
from senexo.lab.claim.rule import FEWEST, Bools, Floats, Sample
from senexo.study.claims import Clause, comparisons

if TYPE_CHECKING:
    from senexo.lab.claim.judge import World
    from senexo.study.schema import Claim

POWER = 0.8  # share of runs that would be decided
RUNS = 1000  # resampled for each number of donors: a share of 0.8 with a standard error of 0.013
MAX_DONORS = 100_000
PRECISION = 0.01  # of the number of donors, where it is above 100


def donors_needed(claim: Claim, tree: Clause, found: World, null: World, *, seed: int) -> int | None:
    """The number of donors with which the claim would be decided in 80 % of runs, if donors vary as these do.

    It is larger than the number that was run, and rounded up to two digits; None where even `MAX_DONORS` would not do.
    """
    low, high = len(found.kept), MAX_DONORS
    if low >= high or not found.n or decided_share(claim, tree, found, null, high, seed=seed) < POWER:
        return None
    while high - low > max(1.0, PRECISION * low):
        middle = min(max(round(math.sqrt(low * high)), low + 1), high - 1)
        if decided_share(claim, tree, found, null, middle, seed=seed) >= POWER:
            high = middle
        else:
            low = middle
    return _up_to_two_digits(high)


def decided_share(claim: Claim, tree: Clause, found: World, null: World, n: int, *, seed: int) -> float:
    """The share of resampled runs of n donors whose verdict is that the claim holds or does not hold."""
    rng = generator(seed, "runs resampled to plan donors", n)
    donors = len(found.kept)
    weights = rng.multinomial(n, np.full(donors, 1.0 / donors), size=RUNS).astype(np.float64)
    holds, fails, enough = _judged(claim, tree, found, weights)
    holds_in_null, _, _ = _judged(claim, tree, null, weights)
    return float(np.mean(enough & (fails | (holds & ~holds_in_null))))


def _judged(claim: Claim, tree: Clause, one: World, weights: Floats) -> tuple[Bools, Bools, Bools]:
    """Of every resampled run: does the claim hold, does it not hold, and have enough donors a value."""
    kept = weights[:, one.kept]
    n = kept.sum(axis=1)
    if not one.kept.any():
        never = np.zeros(len(weights), dtype=bool)
        return never, never, never
    moments = {part: rule.resampled_moments(one.margins[part][one.kept], kept) for part in comparisons(tree)}
    n_true = kept @ one.true[one.kept]
    sample = Sample(moments, n.astype(np.int64), n_true.astype(np.int64))
    return *rule.decided(tree, sample, claim.level, claim.share), n >= FEWEST


def _up_to_two_digits(n: int) -> int:
    unit = 10 ** max(len(str(n)) - 2, 0)
    return -(-n // unit) * unit
