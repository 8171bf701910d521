"""Convergence of Markov chains: rank-normalized split R-hat, effective sample sizes of the bulk and the tails.

Vehtari, Gelman, Simpson, Carpenter & Buerkner 2021, doi 10.1214/20-BA1221.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def r_hat(draws: Floats) -> float:
    """The larger of the split R-hat of ranks and of ranks of distances from the median; draws [chains, draws].

    >>> r_hat(np.array([[0.0, 1.0, 0.5, 0.2] * 50, [5.0, 6.0, 5.5, 5.2] * 50])) > 1.5
    True
    """
    if np.ptp(draws) == 0.0:
        return float("nan")
    halves = _split(draws)
    folded = np.abs(halves - np.median(halves))
    return max(_plain_r_hat(_normalized(halves)), _plain_r_hat(_normalized(folded)))


def ess_bulk(draws: Floats) -> float:
    """Effective number of draws for the centre of a distribution; draws [chains, draws]."""
    return _ess(_normalized(_split(draws))) if np.ptp(draws) > 0.0 else float("nan")


def ess_tail(draws: Floats) -> float:
    """The smaller of those for its 5 % and 95 % quantiles."""
    if np.ptp(draws) == 0.0:
        return float("nan")
    halves = _split(draws)
    found = []
    for share in (0.05, 0.95):
        below = (halves <= np.quantile(halves, share)).astype(np.float64)
        found.append(_ess(below) if np.ptp(below) > 0.0 else float("nan"))
    return float(np.nanmin(found))


def _split(draws: Floats) -> Floats:
    half = draws.shape[1] // 2
    return np.concatenate((draws[:, :half], draws[:, draws.shape[1] - half :]))


def _normalized(draws: Floats) -> Floats:
    """Normal scores of the ranks of all draws (ties: the mean rank)."""
    from scipy.special import ndtri
    from scipy.stats import rankdata

    ranks = rankdata(draws, method="average").reshape(draws.shape)
    return np.asarray(ndtri((ranks - 0.375) / (draws.size + 0.25)))


def _plain_r_hat(draws: Floats) -> float:
    n = draws.shape[1]
    within = float(np.mean(np.var(draws, axis=1, ddof=1)))
    between = float(np.var(np.mean(draws, axis=1), ddof=1))
    return float(np.sqrt((n - 1) / n + between / within)) if within > 0.0 else float("inf")


def _ess(draws: Floats) -> float:
    """By the autocorrelation, summed as long as neighbouring pairs are positive and falling (Geyer 1992)."""
    m, n = draws.shape
    centred = draws - draws.mean(axis=1, keepdims=True)
    spectrum = np.fft.rfft(centred, 2 * n, axis=1)
    covariance = np.fft.irfft(spectrum * np.conj(spectrum), 2 * n, axis=1)[:, :n].real / n
    within = float(np.mean(covariance[:, 0])) * n / (n - 1)
    total = within * (n - 1) / n + float(np.var(draws.mean(axis=1), ddof=1))
    if not total > 0.0:
        return float("nan")
    correlation = 1.0 - (within - covariance.mean(axis=0)) / total
    correlation[0] = 1.0
    pairs = correlation[: n // 2 * 2].reshape(-1, 2).sum(axis=1)
    negative = np.flatnonzero(pairs < 0.0)
    kept = np.minimum.accumulate(pairs[: negative[0] if len(negative) else len(pairs)])
    time = max(-1.0 + 2.0 * float(kept.sum()), 1.0 / np.log10(m * n))
    return m * n / time
