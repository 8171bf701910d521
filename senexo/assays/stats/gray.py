"""Gray's test: do groups have the same cumulative incidence of an event that another event precludes?

For group k the score sums, over times of the event, the events seen less those expected:

    z_k = sum d_k - d R_k / R,   R_k(t) = Y_k(t) (1 - F_k(t-)) / S_k(t-),   R = sum of R_k

Y_k: patients at risk; S_k: Kaplan-Meier curve of being free of both events; F_k: cumulative incidence of the event. R_k
is the risk set of the subdistribution, freed of censoring. z' V^- z is chi-squared with groups less one degrees of
freedom. Gray RJ, Ann Stat 1988;16:1141-1154, doi 10.1214/aos/1176350951, with rho = 0; as `cuminc` of R's cmprsk.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from senexo.assays.stats.kaplan_meier import Flags, Floats, Labels


@dataclass(frozen=True, slots=True)
class GrayTest:
    """The statistic, groups less one, and p; nan where it cannot be computed."""

    chi_square: float
    degrees_of_freedom: int
    p_value: float


def gray_test(time: Floats, event: Flags, competing: Flags, group: Labels, stratum: Labels) -> GrayTest:
    """The test, within strata where there are several. group, stratum: numbers from 0.

    >>> time, group = np.array([1.0, 2, 3, 4, 5, 6, 7, 8]), np.array([0, 1, 0, 1, 0, 1, 0, 1])
    >>> event, none = np.array([1, 0, 1, 0, 1, 0, 0, 1], bool), np.zeros(8, int)
    >>> found = gray_test(time, event, np.array([0, 1, 0, 0, 0, 1, 0, 0], bool), group, none)
    >>> found.degrees_of_freedom
    1
    """
    from scipy.special import chdtrc

    groups = int(group.max()) + 1
    score, variance = np.zeros(groups - 1), np.zeros((groups - 1, groups - 1))
    for name in np.unique(stratum):
        own = stratum == name
        z, v = _one_stratum(time[own], event[own], competing[own], group[own], groups)
        score, variance = score + z, variance + v
    rank = int(np.linalg.matrix_rank(variance, hermitian=True)) if variance.any() else 0
    if rank < groups - 1:
        return GrayTest(math.nan, groups - 1, math.nan)
    chi = float(score @ np.linalg.solve(variance, score))
    return GrayTest(chi, rank, float(chdtrc(rank, chi)))


def _one_stratum(
    time: Floats, event: Flags, competing: Flags, group: Labels, groups: int
) -> tuple[Floats, NDArray[np.float64]]:
    """Score of all groups but the last, and its variance.

    Per time: `open`, S_k(t-); `weight`, R_k = Y_k (1 - F_k) / S_k; both left limits. The variance follows the paper's
    martingales of each group k: of the event (coefficient a - c (1 - (1 - F) / S)) and of the competing event
    (coefficient c (1 - F) / S), where c, integrated so far, is later completed by its final value.
    """
    times = np.unique(time[event | competing])
    at_risk = np.array([[np.count_nonzero((time >= t) & (group == k)) for t in times] for k in range(groups)], float)
    counts = [
        np.array([np.bincount(group[kind & (time == t)], minlength=groups) for t in times], float).T
        for kind in (event, competing)
    ]
    size = groups - 1
    score, variance = np.zeros(size), np.zeros((size, size))
    c, v2, v3 = np.zeros((groups, groups)), np.zeros((size, groups)), np.zeros(groups)
    free, incidence, pooled = np.ones(groups), np.zeros(groups), 0.0
    for i in range(len(times)):
        y, d, other = at_risk[:, i], counts[0][:, i], counts[1][:, i]
        there = y > 0
        n, deaths = np.where(there, y, 1.0), float(d.sum())
        after = np.where(there, free * (n - d - other) / n, free)
        share = np.divide(n, free, out=np.zeros(groups), where=there & (free > 0.0))
        total = float(share.sum())
        expected = share * (1.0 - incidence)
        now = pooled + deaths / total
        a = np.where(np.outer(there, there), np.diag(share) - np.outer(share, share) / total, 0.0)
        c += a * deaths / (total * (1.0 - pooled))
        score += (d - deaths * expected / expected.sum())[:size]
        with np.errstate(divide="ignore", invalid="ignore"):
            rest = np.where(after > 0.0, (1.0 - now) / after, 0.0)
        if deaths:
            own = np.where(after > 0.0, 1.0 - rest, 1.0)
            ties = np.ones(groups)
            if deaths > 1:
                ties = 1.0 - (deaths - 1.0) / (total * free - 1.0)
            jump = np.where(there, ties * free * deaths / (total * n), 0.0)
            part = a[:size] - own * c[:size]
            v3 += own**2 * jump
            v2 += part * own * jump
            variance += (part * jump) @ part.T
        if other.any():
            here = (after > 0.0) & (other > 0)
            ties = np.where(other > 1, 1.0 - (other - 1.0) / np.maximum(n - 1.0, 1.0), 1.0)
            jump = np.where(here, ties * free**2 * other / n**2, 0.0)
            part = rest * c[:size]
            v3 += rest**2 * jump
            v2 -= part * rest * jump
            variance += (part * jump) @ part.T
        incidence = np.where(there, incidence + free * d / n, incidence)
        free, pooled = after, now
    last = c[:size]
    variance += (last * v3) @ last.T + last @ v2.T + v2 @ last.T
    return score, variance
