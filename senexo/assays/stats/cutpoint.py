"""Values cut into low and high: at the median, at a number, or where the log-rank statistic is largest.

A cut that was searched for makes any ordinary p-value far too small. Here the largest standardised log-rank statistic
over all cuts is held against its own distribution when the values are shuffled among the patients. Hothorn T,
Lausen B, Comput Stat Data Anal 2003;43:121-137, doi 10.1016/S0167-9473(02)00225-6.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from senexo.assays.stats.estimate import significant
from senexo.assays.stats.kaplan_meier import Flags, Floats

SHARE = 0.1  # of the patients that either side of a searched cut keeps, as R's maxstat
SHUFFLES = 9999
_SEED = 20180515
_BLOCK = 2_000_000  # numbers held at once
_SAME = 1.0 - 1e-12  # statistics are equal but for rounding


@dataclass(frozen=True, slots=True)
class Cut:
    """Low is up to `at`, high above; `statistic` and `p_value` where the cut was searched for, else nan."""

    at: float
    statistic: float = math.nan
    p_value: float = math.nan

    @property
    def searched(self) -> bool:
        return not math.isnan(self.statistic)


def choose(value: Floats, how: str | float, time: Floats, event: Flags) -> Cut | str:
    """The cut asked for; a text says why there is none. value: one number per patient, none missing."""
    if how == "optimal":
        return searched(value, time, event)
    at = float(np.median(value)) if how == "median" else float(how)
    if (value <= at).all() or (value > at).all():
        side = "above" if (value <= at).all() else "up to"
        return f"no patient has a value {side} {significant(at)}"
    return Cut(at)


def log_rank_scores(time: Floats, event: Flags) -> Floats:
    """What every patient adds to observed less expected events: death less Nelson and Aalen's cumulative hazard."""
    times, place = np.unique(time, return_inverse=True)
    at_risk = len(time) - np.searchsorted(np.sort(time), times, side="left")
    hazard = np.cumsum(np.bincount(place, weights=event, minlength=len(times)) / at_risk)
    scores: Floats = event - hazard[place]
    return scores


def searched(value: Floats, time: Floats, event: Flags, *, shuffles: int = SHUFFLES) -> Cut | str:
    """The cut with the largest standardised log-rank statistic, and the p-value that counts the search.

    T(c) = |sum of scores of the values up to c - its mean| / its standard deviation when scores are shuffled; cuts
    leave at least 10 % of the patients on either side. p = (1 + shuffles with a maximum as large) / (1 + shuffles).

    >>> value, event = np.arange(20.0), np.ones(20, dtype=bool)
    >>> found = searched(value, np.where(value < 8, 1.0, 9.0) + value / 100, event)
    >>> found.at, found.p_value < 0.001
    (14.0, True)
    """
    n, scores = len(value), log_rank_scores(time, event)
    order = np.argsort(value, kind="stable")
    ordered = value[order]
    sizes = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], False)) + 1  # patients up to each possible cut
    sizes = sizes[(sizes >= max(1, math.floor(SHARE * n))) & (sizes <= math.floor((1.0 - SHARE) * n))]
    spread = float(scores.var()) * n / (n - 1) if n > 1 else 0.0
    if not sizes.size or spread <= 0.0:
        return "no cut leaves a tenth of the patients on either side" if not sizes.size else "no event tells them apart"
    expected = sizes * scores.mean()
    deviation = np.sqrt(spread * sizes * (n - sizes) / n)

    def largest(rows: Floats) -> Floats:
        sums = np.cumsum(rows, axis=-1)[..., sizes - 1]
        return np.abs((sums - expected) / deviation)

    statistics = largest(scores[order])
    best = int(np.argmax(statistics >= statistics.max() * _SAME))  # the lowest of equal ones
    rng, as_large = np.random.default_rng(_SEED), 0
    for start in range(0, shuffles, block := max(1, _BLOCK // n)):
        rows = np.tile(np.sort(scores), (min(block, shuffles - start), 1))
        shuffled = largest(rng.permuted(rows, axis=1)).max(axis=1)
        as_large += int(np.count_nonzero(shuffled >= statistics[best] * _SAME))
    return Cut(float(ordered[sizes[best] - 1]), float(statistics[best]), (1 + as_large) / (1 + shuffles))
