"""Total-order Sobol indices from pairs of draws that differ in one input, or in a group of inputs.

The total-order index of an input is the share of an outcome's variance that is left when all other inputs are known,
E[Var(Y | all others)] / Var(Y): what the input does alone and together with others. Jansen's estimator (1999, Comput
Phys Commun 117:35, doi 10.1016/S0010-4655(98)00154-4) is the mean squared difference of the pairs over twice the
variance; the design is Saltelli's (2010, Comput Phys Commun 181:259, doi 10.1016/j.cpc.2009.09.018), one sample and
one more for every input. Standard errors are by the bootstrap over pairs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
RESAMPLES = 200
FEWEST = 10  # pairs below which no index is given


def total_order(first: Floats, anew: Floats, rng: np.random.Generator) -> tuple[float, float]:
    """Total-order index of the inputs that were drawn anew, and its standard error.

    Parameters
    ----------
    first, anew
        The outcome of every draw, and with the inputs drawn anew and all others kept [draws]; nan where a run failed.
    rng
        Of the bootstrap.

    Returns
    -------
    (index, standard_error)
        nan for fewer than 10 pairs with both values, or an outcome without spread.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x, z = rng.random((2, 4000))
    >>> other = rng.random(4000)
    >>> round(total_order(3 * x + z, 3 * other + z, rng)[0], 1)
    0.9
    """
    both = np.isfinite(first) & np.isfinite(anew)
    a, b = first[both], anew[both]
    n = len(a)
    if n < FEWEST or np.ptp([a, b]) == 0:
        return float("nan"), float("nan")
    squares = np.square(a - b) / 2.0
    centre = float(np.mean([a, b]))
    spread = (np.square(a - centre) + np.square(b - centre)) / 2.0
    picks = rng.integers(0, n, (RESAMPLES, n))
    means = spread[picks].mean(axis=1)
    ratios = squares[picks].mean(axis=1)[means > 0] / means[means > 0]
    return float(squares.mean() / spread.mean()), float(np.std(ratios, ddof=1))
