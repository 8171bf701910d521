"""Counted cells on 1,000 simulated sets each: arms of different donors, odds ratios, what remains after wash-out.

What was there before (mean shares, paired differences, dose-response) is in `verify/assays.py`. The bar is the
simulation error of 1,000 sets: 0.9293 for coverage and 0.0707 for the type I error.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from senexo.assays._senescence.assay import senescence
from senexo.assays.stats.estimate import Estimate
from senexo.assays.stats.odds import exact_odds_ratio, odds_ratio
from senexo.assays.stats.unpaired import share_difference
from verify import Check
from verify._calibration import covers, keeps_level

CELLS = 200.0


def main() -> list[Check]:
    return [*_coverage(), *_levels()]


def _coverage() -> Iterator[Check]:
    for name, truth, draw in (
        ("unpaired difference, 4 + 4 beta donors", 0.15, lambda rng: _groups(rng, 4, 4, 0.15).difference),
        ("unpaired difference, 12 + 6 beta donors", 0.15, lambda rng: _groups(rng, 12, 6, 0.15).difference),
        ("unpaired difference, a third responds", 0.58 / 3.0, _responders),
        ("unpaired odds ratio, 10 + 10 beta donors", math.log(0.25 / 0.75 / (0.1 / 0.9)),
         lambda rng: _log(_groups(rng, 10, 10, 0.15).odds_ratio)),
        ("paired odds ratio, 5 donors", 1.0, lambda rng: _log(_pairs(rng, 5, 1.0, 0.5))),
        ("paired odds ratio, 12 donors", 1.0, lambda rng: _log(_pairs(rng, 12, 1.0, 0.5))),
        ("paired odds ratio, 12 donors, rare", 1.0, lambda rng: _log(_pairs(rng, 12, 1.0, 0.5, level=-5.0))),
        ("paired odds ratio, 12 donors that agree", 1.0, lambda rng: _log(_pairs(rng, 12, 1.0, 0.0))),
        ("exact odds ratio of one donor", 1.0, _one_donor),
        ("remains after wash-out, 4 donors", 0.4, lambda rng: _remains(rng, 4, 0.4)),
        ("remains after wash-out, 8 donors", 0.4, lambda rng: _remains(rng, 8, 0.4)),
        ("nothing remains, 8 donors", 0.0, lambda rng: _remains(rng, 8, 0.0)),
    ):  # fmt: skip
        yield covers(name, truth, draw)


def _levels() -> Iterator[Check]:
    for name, draw in (
        ("unpaired difference, 5 + 5 donors", lambda rng: _groups(rng, 5, 5, 0.0).difference.p_value),
        ("unpaired difference, 15 + 5 donors", lambda rng: _groups(rng, 15, 5, 0.0).difference.p_value),
        ("unpaired difference, 8 + 8 donors, rare", lambda rng: _groups(rng, 8, 8, 0.0, base=0.005).difference.p_value),
        ("paired odds ratio, 6 donors", lambda rng: _pairs(rng, 6, 0.0, 0.5).p_value),
        ("paired odds ratio, 15 donors", lambda rng: _pairs(rng, 15, 0.0, 0.5).p_value),
        ("nothing reversed, 6 donors", lambda rng: _remains(rng, 6, 1.0).p_value),
    ):
        yield keeps_level(name, draw)


def _beta(rng: np.random.Generator, mean: float, n: int) -> np.ndarray:
    """Shares of donors with a correlation of 0.05 between cells of a donor."""
    return rng.beta(19.0 * mean, 19.0 * (1.0 - mean), n)


def _groups(rng: np.random.Generator, n: int, n_other: int, difference: float, base: float = 0.1):  # type: ignore[no-untyped-def]
    first, second = _beta(rng, base + difference, n), _beta(rng, base, n_other)
    counts = (rng.binomial(int(CELLS), share).astype(float) for share in (first, second))
    y, y0 = counts
    return share_difference(y, np.full(n, CELLS), y0, np.full(n_other, CELLS))


def _responders(rng: np.random.Generator) -> Estimate:
    """Treated donors are at 60 % in a third and at the stain's 2 % otherwise; untreated ones at 2 %."""
    share = np.where(rng.random(20) < 1 / 3, 0.6, 0.02)
    y, y0 = rng.binomial(200, share).astype(float), rng.binomial(200, 0.02, 20).astype(float)
    return share_difference(y, np.full(20, CELLS), y0, np.full(20, CELLS)).difference


def _pairs(rng: np.random.Generator, n: int, effect: float, spread: float, level: float = -1.5) -> Estimate:
    """Logit shares of donors ~ Normal(level, 1), each with its own log odds ratio ~ Normal(effect, spread)."""
    base = rng.normal(level, 1.0, n)
    shares = (1.0 / (1.0 + np.exp(-x)) for x in (base + rng.normal(effect, spread, n), base))
    y, y0 = (rng.binomial(int(CELLS), share).astype(float) for share in shares)
    found = odds_ratio(y, np.full(n, CELLS), y0, np.full(n, CELLS))
    if math.isnan(found.p_value):  # fewer than two donors say anything: not testable, neither miss nor rejection
        return Estimate(math.nan, 0.0, math.inf, 1.0)
    return found


def _one_donor(rng: np.random.Generator) -> Estimate:
    base = 1.0 / (1.0 + math.exp(1.5))
    odds = base / (1.0 - base) * math.e
    y, y0 = int(rng.binomial(60, odds / (1.0 + odds))), int(rng.binomial(60, base))
    return _log(exact_odds_ratio(y, 60, y0, 60))


def _remains(rng: np.random.Generator, n: int, remaining: float) -> Estimate:
    """Through the public call: the effect differs between donors, and so does what remains of it."""
    background, effect = rng.uniform(0.02, 0.08, n), rng.normal(0.5, 0.08, n)
    left = effect * np.clip(rng.normal(remaining, 0.08 if remaining else 0.0, n), 0.0, None)
    rows = [
        (arm, donor, int(rng.binomial(int(CELLS), share[donor])), int(CELLS))
        for arm, share in (("mock", background), ("kept", background + effect), ("washed", background + left))
        for donor in range(n)
    ]
    table = pd.DataFrame(rows, columns=["arm", "donor", "n_positive", "n_total"])
    row = senescence(table, washout=("washed", "kept"), control="mock").tables["washouts"].iloc[0]
    return Estimate(row["remaining"], row["low"], row["high"], row["p_value"])


def _log(estimate: Estimate) -> Estimate:
    with np.errstate(divide="ignore"):
        return Estimate(*(float(np.log(x)) for x in (estimate.value, estimate.low, estimate.high)))
