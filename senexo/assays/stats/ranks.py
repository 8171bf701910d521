"""Which of many numbers goes with an outcome: Spearman's rank correlations, with intervals and one correction for all.

rho is Pearson's correlation of the ranks, ties at their mean rank. Interval: z = atanh(rho), z +- q sqrt((1 +
rho^2 / 2) / (n - 3)), q the normal quantile, carried back by tanh (Bonett and Wright 2000, doi 10.1007/BF02294183).
p-value: how often the largest |rho| of all the numbers, over permutations of the outcome, reaches the one at hand
(Westfall and Young's max-T): it holds for all of them together, whatever ties and dependence they have.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from senexo.assays.stats.estimate import LEVEL

Floats = NDArray[np.float64]
PERMUTATIONS = 1999


def wilson(n_positive: float, n_total: float, *, level: float = LEVEL) -> tuple[float, float]:
    """The score interval of a share; it never leaves 0 to 1 and "0 of n" has an upper bound above zero.

    Wilson EB, J Am Stat Assoc 1927;22:209-212, doi 10.1080/01621459.1927.10502953.

    >>> [round(bound, 4) for bound in wilson(137, 756)]
    [0.1554, 0.2103]
    """
    if n_total == 0:
        return 0.0, 1.0
    q = _normal_quantile(level)
    share, weight = n_positive / n_total, q * q / n_total
    middle = (share + weight / 2.0) / (1.0 + weight)
    half = q * math.sqrt(share * (1.0 - share) / n_total + weight / n_total / 4.0) / (1.0 + weight)
    return (0.0 if n_positive == 0 else middle - half), (1.0 if n_positive == n_total else middle + half)


def rank_interval(rho: float, n: int, *, level: float = LEVEL) -> tuple[float, float]:
    """The interval of a rank correlation of n pairs; nan where there is none (n < 4 or |rho| = 1)."""
    if n < 4 or not abs(rho) < 1.0:
        return math.nan, math.nan
    half = _normal_quantile(level) * math.sqrt((1.0 + rho * rho / 2.0) / (n - 3))
    return math.tanh(math.atanh(rho) - half), math.tanh(math.atanh(rho) + half)


def rank_correlations(numbers: Floats, outcome: Floats) -> Floats:
    """Spearman's rho of every column of `numbers` [n, k] with `outcome` [n]; nan where one of them does not vary."""
    a, b = _centred(numbers), _centred(outcome[:, None])
    with np.errstate(invalid="ignore"):
        return np.asarray(np.clip(a.T @ b[:, 0], -1.0, 1.0))


def permutation_p(
    numbers: Floats, outcome: Floats, rng: np.random.Generator, *, permutations: int = PERMUTATIONS
) -> Floats:
    """The corrected p-value of every column: (1 + permutations whose largest |rho| reaches it) / (1 + permutations)."""
    rho = rank_correlations(numbers, outcome)
    a, b = np.nan_to_num(_centred(numbers)), _centred(outcome[:, None])[:, 0]
    reached = np.zeros(len(rho))
    for _ in range(permutations):
        reached += np.abs(a.T @ rng.permutation(b)).max() >= np.abs(rho) - 1e-12
    return np.where(np.isnan(rho), np.nan, (1.0 + reached) / (1.0 + permutations))


def _centred(values: Floats) -> Floats:
    """Ranks by column, mean 0 and length 1; nan in a column that does not vary."""
    from scipy.stats import rankdata

    ranks = np.asarray(rankdata(values, axis=0), dtype=np.float64)
    ranks -= ranks.mean(axis=0)
    length = np.sqrt((ranks * ranks).sum(axis=0))
    with np.errstate(invalid="ignore", divide="ignore"):
        return ranks / np.where(length > 0, length, np.nan)


def _normal_quantile(level: float) -> float:
    from scipy.special import ndtri

    return float(ndtri((1.0 + level) / 2.0))
