"""Moderated t: each RNA's variance, steadied by those of all others (limma's `eBayes`, trend = FALSE).

    s2_post = (d0 s0^2 + d s^2) / (d0 + d),    t = effect / (u s_post)  on  min(d0 + d, sum of d)  degrees of freedom

s^2 with d degrees of freedom is the residual variance of one RNA, u^2 the variance of its effect in units of s^2. The
prior's d0 and s0^2 are found from log s^2, which is log s0^2 plus a Fisher z:  with
e = log s^2 - digamma(d/2) + log(d/2),  trigamma(d0/2) = var(e) - mean trigamma(d/2)  (d0 infinite where that is not
positive: all RNAs have one variance) and  log s0^2 = mean(e) + digamma(d0/2) - log(d0/2).
Smyth GK, Stat Appl Genet Mol Biol 2004;3:3, doi 10.2202/1544-6115.1027.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from senexo.assays.stats.estimate import LEVEL

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Effects:
    """Per RNA: least-squares effect, residual variance s2 on df, and unscaled error (SE = unscaled * s)."""

    value: Floats
    s2: Floats
    df: Floats
    unscaled: Floats


@dataclass(frozen=True, slots=True)
class Moderated:
    """Per RNA: t, p and 95 % interval on `df` degrees of freedom; `df_prior` and `s2_prior` are those of the prior."""

    value: Floats
    low: Floats
    high: Floats
    t: Floats
    p_value: Floats
    df: Floats
    s2_post: Floats
    df_prior: float
    s2_prior: float


def two_groups(case: Floats, control: Floats) -> Effects:
    """Mean of the cases less mean of the controls with a pooled variance; samples x RNAs, nan where there is no value.

    The least-squares fit of ~ group. An RNA with fewer than one residual degree of freedom has s2 = nan.
    """
    sizes = [np.count_nonzero(~np.isnan(values), axis=0) for values in (case, control)]
    totals = [np.nansum(values, axis=0) for values in (case, control)]
    with np.errstate(invalid="ignore", divide="ignore"):
        means = [total / n for total, n in zip(totals, sizes, strict=True)]
        squares = sum(
            np.nansum((values - mean) ** 2, axis=0) for values, mean in zip((case, control), means, strict=True)
        )
        df = (sizes[0] + sizes[1] - 2).astype(float)
        s2 = np.where((df > 0) & (np.minimum(*sizes) > 0), squares / df, np.nan)
        return Effects(means[0] - means[1], s2, df, np.sqrt(1.0 / sizes[0] + 1.0 / sizes[1]))


def pairs(case: Floats, control: Floats) -> Effects:
    """Mean over donors of case less control of the same donor: the least-squares fit of ~ donor + group.

    donors x RNAs, same donors in the same rows; a donor without both values says nothing of that RNA.
    """
    difference = case - control
    n = np.count_nonzero(~np.isnan(difference), axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.nansum(difference, axis=0) / n
        df = (n - 1).astype(float)
        # the residual variance of one value is half of that of a difference
        s2 = np.where(df > 0, np.nansum((difference - mean) ** 2, axis=0) / (2.0 * df), np.nan)
        return Effects(mean, s2, df, np.sqrt(2.0 / n))


def moderate(effects: Effects) -> Moderated:
    """The moderated t-test of every RNA; RNAs without a residual variance get nan.

    >>> rng = np.random.default_rng(1)
    >>> found = moderate(two_groups(rng.normal(1.0, 1.0, (4, 50)), rng.normal(0.0, 1.0, (4, 50))))
    >>> bool(found.df_prior > 20), bool((found.p_value < 0.05).mean() > 0.1)
    (True, True)
    """
    from scipy.special import stdtr, stdtrit

    tested = np.isfinite(effects.s2)
    s2_prior, df_prior = prior(effects.s2[tested], effects.df[tested])
    df = np.where(tested, effects.df, np.nan)
    if math.isinf(df_prior):
        s2_post = np.where(tested, s2_prior, np.nan)
    else:
        s2_post = (df_prior * s2_prior + df * effects.s2) / (df_prior + df)
    total = np.minimum(df + df_prior, np.nansum(df))
    error = effects.unscaled * np.sqrt(s2_post)
    t, p = np.full(len(df), np.nan), np.full(len(df), np.nan)
    known = tested & (error > 0.0)  # an RNA that varies nowhere cannot be tested
    t[known] = effects.value[known] / error[known]
    p[known] = 2.0 * stdtr(total[known], -np.abs(t[known]))
    half = np.where(known, stdtrit(np.where(known, total, 1.0), (1.0 + LEVEL) / 2.0) * error, np.nan)
    return Moderated(
        effects.value, effects.value - half, effects.value + half, t, p, total, s2_post, df_prior, s2_prior
    )


def prior(s2: Floats, df: Floats) -> tuple[float, float]:
    """Variance and degrees of freedom of the prior (s0^2, d0); (nan, 0) without a variance, d0 = 0 for one alone.

    Variances below 1e-5 of the median are raised to that, as limma does, so that log s^2 exists.
    """
    from scipy.special import digamma, polygamma

    if not s2.size:
        return math.nan, 0.0
    if s2.size == 1:
        return float(s2[0]), 0.0
    raised = np.maximum(s2, 1e-5 * (float(np.median(s2)) or 1.0))
    e = np.log(raised) - digamma(df / 2.0) + np.log(df / 2.0)
    excess = float(e.var(ddof=1) - polygamma(1, df / 2.0).mean())
    if excess <= 0.0:
        return float(raised.mean()), math.inf
    d0 = 2.0 * inverse_trigamma(excess)
    return math.exp(float(e.mean()) + float(digamma(d0 / 2.0)) - math.log(d0 / 2.0)), d0


def inverse_trigamma(value: float) -> float:
    """y with trigamma(y) = value > 0, by Newton's method on 1 / trigamma (limma's `trigammaInverse`).

    >>> round(inverse_trigamma(0.25), 6)
    4.479394
    """
    from scipy.special import polygamma

    if value > 1e7:
        return 1.0 / math.sqrt(value)
    if value < 1e-6:
        return 1.0 / value
    y = 0.5 + 1.0 / value
    for _ in range(50):
        now = float(polygamma(1, y))
        step = now * (1.0 - now / value) / float(polygamma(2, y))
        y += step
        if -step / y < 1e-12:
            break
    return y
