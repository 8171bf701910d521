"""P-values of a family of tests, corrected: Holm's step-down method and the false discovery rate.

A p-value that is nan is no member of the family and stays nan.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def holm(p_values: Sequence[float]) -> NDArray[np.float64]:
    """Holm's step-down correction: p_(i) -> max over j <= i of min(1, (m - j) p_(j)), j counted from 0; nan stays nan.

    Holm S, Scand J Stat 1979;6:65-70.

    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p_values, dtype=float)
    tested = np.flatnonzero(~np.isnan(values))
    order = tested[np.argsort(values[tested], kind="stable")]
    corrected = np.full(len(values), np.nan)
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(values[order] * np.arange(len(order), 0, -1)))
    return corrected


def benjamini_hochberg(p_values: Floats) -> Floats:
    """Adjusted p of Benjamini and Hochberg: min over j >= i of m p_(j) / j; nan is no member of the family.

    Benjamini Y, Hochberg Y, J R Stat Soc B 1995;57:289-300, doi 10.1111/j.2517-6161.1995.tb02031.x.

    >>> benjamini_hochberg(np.array([0.01, np.nan, 0.04, 0.03])).round(3).tolist()
    [0.03, nan, 0.04, 0.04]
    """
    values = np.asarray(p_values, dtype=float)
    tested = np.flatnonzero(~np.isnan(values))
    order = tested[np.argsort(-values[tested], kind="stable")]
    m = len(order)
    adjusted = np.full(len(values), np.nan)
    adjusted[order] = np.minimum(1.0, np.minimum.accumulate(values[order] * m / np.arange(m, 0, -1)))
    return adjusted
