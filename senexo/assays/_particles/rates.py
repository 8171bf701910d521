"""Rates of arms and their ratios on the log scale, donors as the unit, with what the shared blank leaves uncertain.

Two arms of the same donors: Student's t of the donors' log ratios; of other donors: Welch's. A rate below blank enters
as censored. To the interval of that mean the error of the shared blank is added, as far as the scatter of donors does
not hold it already: a blank of all donors shifts every log ratio alike, a blank of each donor is part of the scatter.
Close to the blank its error is anything but symmetric on the log scale (as much off, a rate may be double or nothing),
so the ends are moved by what a blank at the ends of its own interval would give: squares of both distances add up.
Zou GY, Donner A, Stat Med 2008;27:1693-1702, doi 10.1002/sim.3095.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from senexo.assays.stats.censored import censored_difference, censored_groups, censored_mean, paired_t
from senexo.assays.stats.estimate import LEVEL, Estimate
from senexo.assays.stats.mixed import random_intercept
from senexo.assays.stats.unpaired import welch

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
    return with_blank(mean, len(rows) - 1.0, blank_shift([(rows, 1.0)]), blank_df)


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
    return with_blank(mean, len(first) - 1.0, blank_shift([(arm, 1.0), (control, -1.0)], pairs=True), blank_df)


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
    return with_blank(mean, df, blank_shift([(arm, 1.0), (control, -1.0)]), blank_df)


Shift = Callable[[float], tuple[float, float]]


def with_blank(mean: Estimate, df: float, shift: Shift, blank_df: float) -> Estimate:
    """A t-based estimate whose interval grows by what the blanks leave open; p of the level at which it ends at zero.

    shift: how far the mean falls and rises at most when the blanks are off by so many standard errors.
    """
    from scipy.optimize import brentq
    from scipy.special import stdtrit

    def quantile(level: float, own: float) -> float:
        return float(stdtrit(min(own, 1e9), (1.0 + level) / 2.0))

    fall, rise = shift(quantile(LEVEL, blank_df))
    if max(fall, rise) <= 0.0 or math.isnan(mean.low) or math.isnan(mean.high) or math.isinf(mean.value):
        return mean
    low, high = (
        mean.value - math.hypot(mean.value - mean.low, fall),
        mean.value + math.hypot(mean.high - mean.value, rise),
    )
    if math.isnan(mean.p_value):
        return Estimate(mean.value, low, high)
    toward = int(mean.value < 0.0)  # the end on which zero lies
    error = (mean.value - mean.low, mean.high - mean.value)[toward] / quantile(LEVEL, df)

    def beyond(level: float) -> float:
        return math.hypot(quantile(level, df) * error, shift(quantile(level, blank_df))[toward]) - abs(mean.value)

    if not math.isfinite(error) or beyond(1.0 - 1e-12) < 0.0:
        return Estimate(mean.value, low, high, mean.p_value)
    p = 1.0 - brentq(lambda level: min(beyond(level), 1e3), 0.0, 1.0 - 1e-12)
    return Estimate(mean.value, low, high, max(float(p), mean.p_value))


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


def blank_shift(parts: Sequence[tuple[pd.DataFrame, float]], *, pairs: bool = False) -> Shift:
    """How far a mean of log rates (or of log ratios) falls and rises when blanks are off by q standard errors.

    Of the blank of one batch alone: the extremes of its mean of log(1 - q b) over rows, b their `by_blank`; infinite
    where a rate could be nothing. Batches are independent, so their squares add up. The scatter of donors already
    holds sum_i (g_ib - m_b)^2 / (n (n - 1)) of the m_b^2, with g_ib = b_ib and m_b its mean: only the rest counts.
    """
    batches = list(dict.fromkeys(name for rows, _ in parts for name in rows["batch"]))
    steps = [
        np.array([(rows["batch"] == name).to_numpy() * rows["by_blank"].to_numpy(float) for name in batches])
        for rows, _ in parts
    ]
    signs = [sign for _, sign in parts]
    linear = [-sign * step for sign, step in zip(signs, steps, strict=True)]
    if pairs:
        linear = [linear[0] + linear[1]]
    means = np.sum([each.mean(axis=1) for each in linear], axis=0)
    held = np.sum(
        [each.var(axis=1, ddof=1) / each.shape[1] for each in linear if each.shape[1] > 1] or [0.0 * means], axis=0
    )
    rest = np.divide(np.maximum(means**2 - held, 0.0), means**2, out=np.zeros_like(means), where=means != 0.0)

    def moved(q: float) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = [np.log(np.maximum(1.0 - q * step, 0.0)).mean(axis=1) for step in steps]
            total = np.sum([sign * each for sign, each in zip(signs, logs, strict=True)], axis=0)
        return np.asarray(total)

    def shift(q: float) -> tuple[float, float]:
        both = np.array([moved(q), moved(-q)])
        lost = np.isnan(both).any(axis=0)  # both arms could be nothing: any ratio
        fall = np.where(lost, math.inf, np.maximum(-both.min(axis=0), 0.0))
        rise = np.where(lost, math.inf, np.maximum(both.max(axis=0), 0.0))
        with np.errstate(invalid="ignore"):
            squares = [np.where(rest > 0.0, rest * side**2, 0.0) for side in (fall, rise)]
        return math.sqrt(float(squares[0].sum())), math.sqrt(float(squares[1].sum()))

    return shift
