"""Log-likelihoods of single counts, without constants that are the same for all parameters.

Shared by the weighting of draws by evidence (`senexo.lab.evidence.likelihood`) and by fits (`senexo.fitting.counts`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def binomial(hits: Any, missed: Any, p: Floats) -> Floats:
    """Of `hits` and `missed` of independent trials with probability p, each array broadcast."""
    from scipy.special import xlog1py, xlogy

    return np.asarray(xlogy(hits, p) + xlog1py(missed, -p))


def poisson(counts: Any, mean: Floats) -> Floats:
    """Of counts with a mean."""
    from scipy.special import xlogy

    return np.asarray(xlogy(counts, mean) - mean)


def negative_binomial(counts: Any, mean: Floats, size: Any) -> Floats:
    """Of counts with a mean, and the variance mean + mean^2 / size, for one size."""
    from scipy.special import xlogy

    return np.asarray(xlogy(counts, mean / (mean + size)) - size * np.log1p(mean / size))
