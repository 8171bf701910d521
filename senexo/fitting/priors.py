"""Prior distributions of parameters: log densities, their derivatives, and draws by inverse distribution functions."""

from __future__ import annotations

from math import atan, exp, expm1, inf, lgamma, log, log1p, pi, tan
from typing import assert_never

import numpy as np

from senexo.fitting.problem import Parameter, Prior, bounds_on_scale, from_scale, to_scale


def log_density(parameter: Parameter, value: float) -> tuple[float, float, float]:
    """Log density of the prior, and its first and minus second (at least 0) derivative by the value as it is searched.

    The density is that of the value on the scale on which the prior is given, as PEtab has it: -inf outside a uniform
    one. `value` is on the parameter's scale.
    """
    prior = parameter.prior
    if prior is None:
        return 0.0, 0.0, 0.0
    x, slope, bend = _argument(parameter, prior, value)
    found, first, second = _density(prior, x)
    # log-concave laws add to the curvature; what others take from it is left out
    return found - prior.log_mass, first * slope, max(-second * slope * slope - first * bend, 0.0)


def _density(prior: Prior, x: float) -> tuple[float, float, float]:
    """Log density, and its first and second derivative by x; -inf where x is not in the domain."""
    a, b = prior.first, prior.second
    if x <= 0.0 and prior.kind not in ("uniform", "normal", "laplace", "cauchy"):
        return -inf, 0.0, 0.0
    u = (x - a) / b
    match prior.kind:
        case "uniform":
            return (-log(b - a) if a <= x <= b else -inf), 0.0, 0.0
        case "normal":
            return -0.5 * u * u - log(b) - 0.5 * log(2.0 * pi), -u / b, -1.0 / b**2
        case "laplace":
            return -abs(u) - log(2.0 * b), -float(np.sign(u)) / b, 0.0
        case "cauchy":
            return (
                -log(pi * b) - log1p(u * u),
                -2.0 * u / (b * (1.0 + u * u)),
                -2.0 * (1 - u * u) / (b * (1 + u * u)) ** 2,
            )
        case "log-normal":
            u = (log(x) - a) / b
            found = -0.5 * u * u - log(x * b) - 0.5 * log(2.0 * pi)
            return found, (-u / b - 1.0) / x, (1.0 + u / b - 1.0 / b**2) / x**2
        case "log-laplace":
            u = (log(x) - a) / b
            sign = float(np.sign(u))
            return -abs(u) - log(2.0 * b * x), (-sign / b - 1.0) / x, (sign / b + 1.0) / x**2
        case "log-uniform":
            inside = a <= x <= b
            return (-log(x) - log(log(b) - log(a)) if inside else -inf), -1.0 / x, 1.0 / x**2
        case "chisquare":
            found = (0.5 * a - 1.0) * log(x) - 0.5 * x - 0.5 * a * log(2.0) - lgamma(0.5 * a)
            return found, (0.5 * a - 1.0) / x - 0.5, -(0.5 * a - 1.0) / x**2
        case "exponential":
            return -x / a - log(a), -1.0 / a, 0.0
        case "gamma":
            return (a - 1.0) * log(x) - x / b - lgamma(a) - a * log(b), (a - 1.0) / x - 1.0 / b, -(a - 1.0) / x**2
        case "rayleigh":
            return log(x) - 2.0 * log(a) - 0.5 * (x / a) ** 2, 1.0 / x - x / a**2, -1.0 / x**2 - 1.0 / a**2
        case _:
            assert_never(prior.kind)


def mass(prior: Prior, low: float, high: float) -> float:
    """The share of a prior, of the value itself, between two bounds."""
    return _share_below(prior, high) - _share_below(prior, low)


def _share_below(prior: Prior, x: float) -> float:
    from scipy.special import gammainc, ndtr

    a, b = prior.first, prior.second
    if x <= 0.0 and prior.kind not in ("uniform", "normal", "laplace", "cauchy"):
        return 0.0
    if x in (-inf, inf):
        return float(x > 0.0)
    match prior.kind:
        case "uniform" | "log-uniform":
            low, high, at = (a, b, x) if prior.kind == "uniform" else (log(a), log(b), log(x))
            return min(max((at - low) / (high - low), 0.0), 1.0)
        case "normal" | "log-normal":
            return float(ndtr(((x if prior.kind == "normal" else log(x)) - a) / b))
        case "laplace" | "log-laplace":
            u = ((x if prior.kind == "laplace" else log(x)) - a) / b
            return 0.5 * exp(u) if u < 0.0 else 1.0 - 0.5 * exp(-u)
        case "cauchy":
            return 0.5 + atan((x - a) / b) / pi
        case "chisquare":
            return float(gammainc(0.5 * a, 0.5 * x))
        case "exponential":
            return -expm1(-x / a)
        case "gamma":
            return float(gammainc(a, x / b))
        case "rayleigh":
            return -expm1(-0.5 * (x / a) ** 2)
        case _:
            assert_never(prior.kind)


def _argument(parameter: Parameter, prior: Prior, value: float) -> tuple[float, float, float]:
    """The value as the prior has it, with its first and second derivative by the value as it is searched."""
    if prior.on_scale or parameter.scale == "lin":
        return value, 1.0, 0.0
    x = from_scale(value, parameter.scale)
    unit = 1.0 if parameter.scale == "log" else log(10.0)
    return x, x * unit, x * unit * unit


def quantile(parameter: Parameter, share: float) -> float:
    """The start of a search, on the parameter's scale: a quantile of its initialization prior, within its bounds.

    Without one the prior is uniform between the bounds, on the parameter's scale.
    """
    from scipy.special import gammaincinv, ndtri

    low, high = bounds(parameter)
    prior = parameter.start or Prior("uniform", low, high, on_scale=True)
    match prior.kind:
        case "uniform":
            x = prior.first + share * (prior.second - prior.first)
        case "normal" | "log-normal":
            x = prior.first + prior.second * float(ndtri(share))
        case "laplace" | "log-laplace":
            side = float(np.sign(share - 0.5))
            x = prior.first - prior.second * side * log(max(1.0 - 2.0 * abs(share - 0.5), 1e-300))
        case "log-uniform":
            x = log(prior.first) + share * (log(prior.second) - log(prior.first))
        case "cauchy":
            x = prior.first + prior.second * tan(pi * (share - 0.5))
        case "chisquare":
            x = 2.0 * float(gammaincinv(0.5 * prior.first, share))
        case "exponential":
            x = -prior.first * log1p(-share)
        case "gamma":
            x = prior.second * float(gammaincinv(prior.first, share))
        case "rayleigh":
            x = prior.first * (-2.0 * log1p(-share)) ** 0.5
        case _:
            assert_never(prior.kind)
    if prior.kind in ("log-normal", "log-laplace", "log-uniform"):
        x = float(np.exp(x))
    found = x if prior.on_scale or parameter.scale == "lin" else (to_scale(x, parameter.scale) if x > 0.0 else low)
    return min(max(found, low), high)


def bounds(parameter: Parameter) -> tuple[float, float]:
    """The bounds of the search on the parameter's scale: those of the table, within those of a uniform prior."""
    low, high = bounds_on_scale(parameter)
    prior = parameter.prior
    if prior is not None and prior.kind in ("uniform", "log-uniform"):
        ends = [prior.first, prior.second]
        if not prior.on_scale:
            ends = [to_scale(end, parameter.scale) if end > 0.0 or parameter.scale == "lin" else -inf for end in ends]
        low, high = max(low, ends[0]), min(high, ends[1])
    return low, high
