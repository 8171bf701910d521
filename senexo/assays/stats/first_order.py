"""First-order Sobol indices from draws that were made anyway: no further run, and draws without a value may be missing.

The first-order index of an input is the share of an outcome's variance that its conditional mean explains,
Var(E[Y|X]) / Var(Y). Unlike a rank correlation it also sees an effect that is not monotone. It is estimated from given
draws (Plischke 2010, Reliab Eng Syst Saf 95:354, doi 10.1016/j.ress.2009.11.005): draws are binned by the input, each
bin with equally many, and the variance between bins is that of a one-way analysis of variance with random effects,
which is unbiased (0 on average for an input that does nothing). Standard errors are by the bootstrap.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
RESAMPLES = 100
FEWEST_PER_BIN, MOST_BINS = 15, 50


def first_order(x: Floats, y: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """First-order indices of independent inputs and their standard errors.

    Parameters
    ----------
    x
        Inputs [draws, inputs].
    y
        Outcome [draws], finite.
    rng
        Of the bootstrap.

    Returns
    -------
    (indices, standard_errors)
        Both [inputs]; an index may be a little below 0. nan for fewer than 30 draws or an outcome without spread.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x = rng.random((4000, 2))
    >>> [round(float(s), 1) for s in first_order(x, 3 * x[:, 0] + x[:, 1], rng)[0]]
    [0.9, 0.1]
    """
    n, d = x.shape
    bins = min(MOST_BINS, n // FEWEST_PER_BIN)
    if bins < 2 or np.ptp(y) == 0:
        return np.full(d, np.nan), np.full(d, np.nan)
    ranks = np.argsort(np.argsort(x, axis=0), axis=0)
    bin_of = ranks * bins // n  # [draws, inputs]
    found = _indices(bin_of, y, np.ones(n), bins)
    resampled = []
    for _ in range(RESAMPLES):
        weight = np.bincount(rng.integers(0, n, n), minlength=n).astype(float)
        resampled.append(_indices(bin_of, y, weight, bins))
    return found, np.std(resampled, axis=0, ddof=1)


def _indices(bin_of: NDArray[np.int64], y: Floats, weight: Floats, bins: int) -> Floats:
    """The index of every input; weight: how often a draw counts."""
    n, d = len(y), bin_of.shape[1]
    mean = float((weight * y).sum() / n)
    centred = y - mean
    total = float((weight * centred**2).sum())
    flat = (bin_of + bins * np.arange(d)).ravel()
    size = np.bincount(flat, np.repeat(weight, d), minlength=bins * d).reshape(d, bins)
    sums = np.bincount(flat, np.repeat(weight * centred, d), minlength=bins * d).reshape(d, bins)
    between = (sums**2 / np.maximum(size, 1.0)).sum(axis=1)
    within = (total - between) / (n - bins)  # mean squares
    usual = (n - (size**2).sum(axis=1) / n) / (bins - 1)
    component = (between / (bins - 1) - within) / usual
    return np.asarray(component / (component + within))
