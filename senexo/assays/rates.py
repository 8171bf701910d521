"""Rates of arms and their ratios on the log scale, donors as the unit, with what the shared blank leaves uncertain.

Two arms of the same donors: Student's t of the donors' log ratios; of other donors: Welch's. A rate below blank enters
as censored. To the variance of that mean the error of the shared blank is added, as far as the scatter of donors does
not hold it already: a blank of all donors shifts every log ratio alike, a blank of each donor is part of the scatter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from senexo.assays.censored import censored_difference, censored_groups, censored_mean, paired_t
from senexo.assays.groups import welch
from senexo.assays.mixed import random_intercept
from senexo.assays.result import LEVEL, Estimate

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
RESOLUTION = 0.02  # of a log rate: donors that agree better than to 2 % do so by chance
MEASURED = 0.5  # share of an arm's donors that must lie above the blank
NOT_TESTABLE = "below blank: not testable"
NOTHING = Estimate(math.nan, math.nan, math.nan)


def arm_rate(rows: pd.DataFrame, blank_df: float) -> Estimate:
    """Geometric mean rate over the donors of an arm, on the log scale; rows of `released.samples`."""
    values, side = np.log(rows["rate"].to_numpy(float)), _side(rows)
    if np.count_nonzero(side == 0) < max(1, math.ceil(MEASURED * len(rows))):
        return NOTHING
    if len(rows) == 1:
        return Estimate(float(values[0]), math.nan, math.nan)
    if (side == 0).all():
        mean = paired_t(values) if values.std() > RESOLUTION else _at_resolution(values)
    else:
        try:
            mean = censored_mean(values, side, resolution=RESOLUTION)[0]
        except ValueError:
            return NOTHING
    return with_blank(mean, len(rows) - 1.0, common_variance([(rows, 1.0)]), blank_df)


def paired(arm: pd.DataFrame, control: pd.DataFrame, blank_df: float) -> Estimate:
    """Mean log ratio over the donors that both have; rows indexed by donor, same donors in the same order."""
    first, second = np.log(arm["rate"].to_numpy(float)), np.log(control["rate"].to_numpy(float))
    sides = _side(arm), _side(control)
    if len(first) < 2:
        return Estimate(float(np.mean(first - second)), math.nan, math.nan) if len(first) else NOTHING
    if not any(side.any() for side in sides):
        difference = first - second
        mean = paired_t(difference) if difference.std() > RESOLUTION else _at_resolution(difference)
    else:
        try:
            mean = censored_difference(first, sides[0], second, sides[1], resolution=RESOLUTION)
        except ValueError:
            return NOTHING
    return with_blank(mean, len(first) - 1.0, common_variance([(arm, 1.0), (control, -1.0)], pairs=True), blank_df)


def unpaired(arm: pd.DataFrame, control: pd.DataFrame, blank_df: float) -> Estimate:
    """Difference of mean log rates of other donors."""
    first, second = np.log(arm["rate"].to_numpy(float)), np.log(control["rate"].to_numpy(float))
    sides = _side(arm), _side(control)
    if min(len(first), len(second)) < 2:
        return (
            Estimate(float(first.mean() - second.mean()), math.nan, math.nan) if len(first) and len(second) else NOTHING
        )
    if not any(side.any() for side in sides):
        floor = [np.full(len(values), RESOLUTION**2) for values in (first, second)]
        mean = welch(first, second, *floor)
    else:
        try:
            mean = censored_groups(first, sides[0], second, sides[1], resolution=RESOLUTION)
        except ValueError:
            return NOTHING
    df = len(first) + len(second) - 2.0
    return with_blank(mean, df, common_variance([(arm, 1.0), (control, -1.0)]), blank_df)


def with_blank(mean: Estimate, df: float, variance: float, blank_df: float) -> Estimate:
    """A t-based estimate whose error grows by a variance of the blank; degrees of freedom by Satterthwaite.

    Each side of the interval is widened as its own standard error would be, so open ends stay open.
    """
    from scipy.special import stdtr, stdtrit

    if variance <= 0.0 or math.isnan(mean.low) or math.isnan(mean.high):
        return mean
    quantile = float(stdtrit(df, (1.0 + LEVEL) / 2.0))
    errors = [(mean.value - mean.low) / quantile, (mean.high - mean.value) / quantile]

    def total(error: float) -> tuple[float, float]:
        squared = error**2 + variance
        return math.sqrt(squared), squared**2 / (
            error**4 / df + (variance**2 / blank_df if blank_df < math.inf else 0.0)
        )

    if not all(math.isfinite(error) for error in (*errors, mean.value)):
        return mean
    (low, low_df), (high, high_df) = (total(error) for error in errors)
    low, high = (float(stdtrit(own, (1.0 + LEVEL) / 2.0)) * error for error, own in ((low, low_df), (high, high_df)))
    toward = errors[0] if mean.value > 0.0 else errors[1]  # the side on which zero lies
    error, own = total(toward)
    p = max(float(2.0 * stdtr(own, -abs(mean.value) / error)), mean.p_value)
    return Estimate(mean.value, mean.value - low, mean.value + high, p)


def mixed_ratios(
    rows: pd.DataFrame, compared: Sequence[tuple[str, str]]
) -> tuple[dict[tuple[str, str], tuple[Estimate, float]], dict[str, Any]]:
    """The same ratios by one model of all compared arms, log rate ~ arm + (1 | donor), and its variances.

    A second opinion: it holds all arms to one variance. Without an answer where a rate is below blank.
    """
    arms = list(dict.fromkeys(name for pair in compared for name in pair))
    mine = rows[rows["arm"].isin(arms)]
    if mine["below"].any() or len(arms) < 2 or set(arms) - set(mine["arm"]):
        return {}, {}
    x = np.array([(mine["arm"] == name).to_numpy() for name in arms], dtype=float).T
    fit = random_intercept(np.log(mine["rate"].to_numpy(float)), x, list(mine["donor"]))
    if fit is None:
        return {}, {}
    place = {name: i for i, name in enumerate(arms)}
    unit = np.eye(len(arms))
    found = {pair: fit.contrast(unit[place[pair[0]]] - unit[place[pair[1]]]) for pair in compared}
    return found, {"donor_sd": math.sqrt(fit.donor), "residual_sd": math.sqrt(fit.residual), "reml": fit.deviance}


def _side(rows: pd.DataFrame) -> NDArray[np.int8]:
    return -rows["below"].to_numpy(np.int8)


def _at_resolution(values: Floats) -> Estimate:
    """Donors that agree: no more certainty than the resolution of a log rate gives."""
    from scipy.special import stdtr, stdtrit

    n, mean = len(values), float(values.mean())
    error = RESOLUTION / math.sqrt(n)
    half = float(stdtrit(n - 1, (1.0 + LEVEL) / 2.0)) * error
    return Estimate(mean, mean - half, mean + half, float(2.0 * stdtr(n - 1, -abs(mean) / error)))


def common_variance(parts: Sequence[tuple[pd.DataFrame, float]], *, pairs: bool = False) -> float:
    """Variance that the blanks add to a mean of log rates (or of log ratios), beyond what the scatter of donors holds.

    Row i shifts by g_ib when the blank of batch b is off by one standard error; the mean shifts by their mean m_b. The
    scatter already holds sum_i (g_ib - m_b)^2 / (n (n - 1)) of the m_b^2.
    """
    batches = list(dict.fromkeys(name for rows, _ in parts for name in rows["batch"]))
    shifts = [
        -sign * np.array([(rows["batch"] == name).to_numpy() * rows["by_blank"].to_numpy(float) for name in batches])
        for rows, sign in parts
    ]
    if pairs:
        shifts = [shifts[0] + shifts[1]]
    means = np.sum([shift.mean(axis=1) for shift in shifts], axis=0)
    held = sum(shift.var(axis=1, ddof=1) / shift.shape[1] for shift in shifts if shift.shape[1] > 1)
    return float(np.maximum(means**2 - held, 0.0).sum())
