"""How an outcome of patients goes with the measured level of miR-34c-5p: ratios for one standard deviation more."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from senexo.assays.stats.cox import cox
from senexo.assays.stats.logistic import Logistic

Floats = NDArray[np.float64]


def standard(values: Floats) -> Floats:
    """Values less their mean, over their standard deviation."""
    return np.asarray((values - values.mean()) / values.std())


def hazard_ratio(days: Floats, died: NDArray[np.bool_], level: Floats, held: list[Floats]) -> float:
    """Cox's hazard ratio of death for one standard deviation more of the level, other columns held; nan without a fit.

    Columns that are the same in all patients are left out.
    """
    columns = [standard(level), *(one for one in held if np.ptp(one) > 0.0)]
    if np.ptp(level) == 0.0:
        return np.nan
    x = np.stack(columns, axis=1)
    fit = cox(days, died, x, np.zeros(len(days), int), [[i] for i in range(len(columns))])
    return np.nan if isinstance(fit, str) else float(np.exp(fit.coefficients[0].value))


def odds_ratio(responded: NDArray[np.bool_], level: Floats) -> float:
    """The odds ratio of a response for one standard deviation more of the level; nan where all or none responded."""
    if responded.all() or not responded.any() or np.ptp(level) == 0.0:
        return np.nan
    return Logistic(standard(level)[:, None], responded.astype(np.int64), "firth").odds_ratio(0).value
