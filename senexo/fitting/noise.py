"""Laws of errors: minus log-likelihood of measurements, its derivatives by the prediction and by the width.

normal
    m = y + Normal(0, width); on the scales log and log10 the error is that of the (natural, decimal) logarithm, so that
    m is log-normal, with the density of m itself (the Jacobian 1/m, or 1/(m ln 10), is in the likelihood).
laplace
    The same with Laplace(0, width).
poisson, negative-binomial, binomial, beta-binomial
    Counts (`senexo.fitting.counts`).

The first two as PEtab 1 defines them (doi 10.1371/journal.pcbi.1008646, supporting text S1). Of a measurement that is
only known to be below, above or between limits the probability of that is taken (Tobin 1958, doi 10.2307/1907382).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from senexo.fitting.counts import count_terms
from senexo.fitting.problem import CENSORINGS, Distribution, Scale
from senexo.fitting.terms import Terms

Floats = NDArray[np.float64]
_LN10 = float(np.log(10.0))


@dataclass(frozen=True, slots=True)
class Data:
    """Measurements of one observable [n]; `kind`: place in `CENSORINGS`; `upper` end of an interval; `trials`."""

    m: Floats
    kind: NDArray[np.int64]
    upper: Floats
    trials: Floats

    @classmethod
    def plain(cls, m: Floats) -> Data:
        """Measurements that are known as they are."""
        return cls(m, np.zeros(len(m), dtype=np.int64), np.full(len(m), np.nan), np.full(len(m), np.nan))


def terms(scale: Scale, distribution: Distribution, data: Data, y: Floats, width: Floats) -> Terms:
    """The terms of measurements with predictions y [n] and widths [n]."""
    with np.errstate(all="ignore"):
        match distribution:
            case "normal" | "laplace":
                return _continuous(scale, distribution == "normal", data, y, np.where(width > 0.0, width, np.nan))
            case "poisson" | "negative-binomial" | "binomial" | "beta-binomial":
                return count_terms(distribution, data.m, data.trials, y, width)
            case _:
                assert_never(distribution)


def _continuous(scale: Scale, normal: bool, data: Data, y: Floats, width: Floats) -> Terms:
    match scale:
        case "lin":
            z, slope, jacobian = y, np.ones_like(y), np.zeros_like(y)
            lower, upper = data.m, data.upper
        case "log" | "log10":
            unit = 1.0 if scale == "log" else _LN10
            positive = np.where(y > 0.0, y, np.nan)
            z, slope, jacobian = np.log(positive) / unit, 1.0 / (positive * unit), np.log(data.m * unit)
            lower, upper = np.log(data.m) / unit, np.log(data.upper) / unit
        case _:
            assert_never(scale)
    u = (lower - z) / width
    if normal:
        value = jacobian + 0.5 * np.log(2.0 * np.pi) + np.log(width) + 0.5 * u * u
        made = Terms(value, -u / width, (1.0 - u * u) / width, 1.0 / width**2, 2.0 / width**2, u)
    else:
        value = jacobian + np.log(2.0 * width) + np.abs(u)
        made = Terms(value, -np.sign(u) / width, (1.0 - np.abs(u)) / width, 1.0 / width**2, 1.0 / width**2, u)
    if np.any(data.kind):
        made = _censored(normal, data.kind, made, u, (upper - z) / width, width)
    return Terms(made.value, made.by_y * slope, made.by_width, made.yy * slope * slope, made.ww, made.residual)


def _censored(normal: bool, kind: NDArray[np.int64], known: Terms, low: Floats, high: Floats, width: Floats) -> Terms:
    """Terms of limits (in widths from the prediction) in the place of those of values, by z."""
    left, right, between = (kind == CENSORINGS.index(word) for word in ("left", "right", "interval"))
    upper = np.where(left, low, np.where(right, np.inf, high))
    lower = np.where(left, -np.inf, low)
    log_share = _log_between(normal, lower, upper)
    at_low, at_high = (
        np.where(np.isfinite(t), np.exp(_log_density(normal, np.where(np.isfinite(t), t, 0.0)) - log_share), 0.0)
        for t in (lower, upper)
    )
    low_, high_ = np.where(np.isfinite(lower), lower, 0.0), np.where(np.isfinite(upper), upper, 0.0)
    by_z, by_width = (at_high - at_low) / width, (at_high * high_ - at_low * low_) / width
    bend = at_high * _fall(normal, high_) - at_low * _fall(normal, low_) + (at_high - at_low) ** 2
    beyond = np.where(upper < 0.0, upper, np.where(lower > 0.0, lower, 0.0))
    made = (-log_share, by_z, by_width, np.maximum(bend, 0.0) / width**2, by_width**2, beyond)
    limits = left | right | between
    names = ("value", "by_y", "by_width", "yy", "ww", "residual")
    return Terms(*(np.where(limits, new, getattr(known, name)) for name, new in zip(names, made, strict=True)))


def _log_density(normal: bool, t: Floats) -> Floats:
    return -0.5 * t * t - 0.5 * np.log(2.0 * np.pi) if normal else -np.abs(t) - np.log(2.0)


def _fall(normal: bool, t: Floats) -> Floats:
    """Minus the derivative of the log density."""
    return t if normal else np.sign(t)


def _log_below(normal: bool, t: Floats) -> Floats:
    """Logarithm of the distribution function."""
    from scipy.special import log_ndtr

    if normal:
        return np.asarray(log_ndtr(t))
    return np.where(t < 0.0, t - np.log(2.0), np.log1p(-0.5 * np.exp(-np.abs(t))))


def _log_between(normal: bool, lower: Floats, upper: Floats) -> Floats:
    """Logarithm of the probability between two limits; both are mirrored where that keeps its digits."""
    mirrored = lower > 0.0
    a, b = np.where(mirrored, -upper, lower), np.where(mirrored, -lower, upper)
    below_a, below_b = _log_below(normal, a), _log_below(normal, b)
    return below_b + np.log1p(-np.exp(np.minimum(below_a - below_b, 0.0)))
