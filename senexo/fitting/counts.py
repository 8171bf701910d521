"""Laws of counts, whose prediction y is a mean or a probability.

poisson
    m ~ Poisson(y); the width is not used.
negative-binomial
    Mean y, variance y + width y^2 (the width is the dispersion).
binomial
    m of `trials`, each with probability y; the width is not used.
beta-binomial
    The same with probabilities that differ between measurements: mean y, variance width y (1 - y) of the probability
    (the width is the correlation of two trials of one measurement, between 0 and 1).
"""

from __future__ import annotations

from typing import Literal, assert_never

import numpy as np
from numpy.typing import NDArray

from senexo.fitting.terms import Terms
from senexo.lab.evidence import laws

Floats = NDArray[np.float64]
Counts = Literal["poisson", "negative-binomial", "binomial", "beta-binomial"]


def count_terms(law: Counts, m: Floats, trials: Floats, y: Floats, width: Floats) -> Terms:
    """The terms of counts m [n] with predictions y [n] and widths [n]."""
    match law:
        case "poisson":
            return _poisson(m, np.where(y >= 0.0, y, np.nan))
        case "negative-binomial":
            return _negative_binomial(m, np.where(y >= 0.0, y, np.nan), np.where(width > 0.0, width, np.nan))
        case "binomial":
            return _binomial(m, trials, np.where((y >= 0.0) & (y <= 1.0), y, np.nan))
        case "beta-binomial":
            inside = (width > 0.0) & (width < 1.0) & (y > 0.0) & (y < 1.0)
            return _beta_binomial(m, trials, np.where(inside, y, np.nan), width)
        case _:
            assert_never(law)


def _poisson(m: Floats, y: Floats) -> Terms:
    from scipy.special import gammaln

    value = gammaln(m + 1.0) - laws.poisson(m, y)
    by_y = 1.0 - np.where(m > 0.0, m / y, 0.0)
    nothing = np.zeros_like(y)
    return Terms(value, by_y, nothing, 1.0 / np.maximum(y, 1e-300), nothing, (m - y) / np.sqrt(np.maximum(y, 1e-300)))


def _negative_binomial(m: Floats, y: Floats, dispersion: Floats) -> Terms:
    from scipy.special import digamma, gammaln

    size = 1.0 / dispersion
    value = gammaln(m + 1.0) + gammaln(size) - gammaln(m + size) - laws.negative_binomial(m, y, size)
    by_y = (m + size) / (y + size) - np.where(m > 0.0, m / y, 0.0)
    by_size = digamma(size) - digamma(m + size) + np.log1p(y / size) + (m - y) / (y + size)
    by_width = -by_size * size**2
    variance = np.maximum(y + dispersion * y * y, 1e-300)
    return Terms(value, by_y, by_width, 1.0 / variance, by_width**2, (m - y) / np.sqrt(variance))


def _binomial(m: Floats, trials: Floats, p: Floats) -> Terms:
    from scipy.special import gammaln

    ways = gammaln(trials + 1.0) - gammaln(m + 1.0) - gammaln(trials - m + 1.0)
    missed = trials - m
    by_y = np.where(missed > 0.0, missed / (1.0 - p), 0.0) - np.where(m > 0.0, m / p, 0.0)
    variance = np.maximum(trials * p * (1.0 - p), 1e-300)
    nothing = np.zeros_like(p)
    value = -ways - laws.binomial(m, missed, p)
    return Terms(value, by_y, nothing, trials**2 / variance, nothing, (m - trials * p) / np.sqrt(variance))


def _beta_binomial(m: Floats, trials: Floats, p: Floats, width: Floats) -> Terms:
    from scipy.special import betaln, digamma, gammaln

    whole = (1.0 - width) / width
    a, b, missed = p * whole, (1.0 - p) * whole, trials - m
    ways = gammaln(trials + 1.0) - gammaln(m + 1.0) - gammaln(missed + 1.0)
    value = betaln(a, b) - betaln(m + a, missed + b) - ways
    common = digamma(trials + whole) - digamma(whole)
    by_a = digamma(a) - digamma(m + a) + common
    by_b = digamma(b) - digamma(missed + b) + common
    by_y = (by_a - by_b) * whole
    by_width = -(by_a * p + by_b * (1.0 - p)) / width**2
    variance = np.maximum(trials * p * (1.0 - p) * (1.0 + (trials - 1.0) * width), 1e-300)
    return Terms(value, by_y, by_width, trials**2 / variance, by_width**2, (m - trials * p) / np.sqrt(variance))
