"""Prior distributions of parameters: log densities, their derivatives, and draws by inverse distribution functions."""

from __future__ import annotations

from math import inf, log, pi
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
    location, width = prior.first, prior.second
    match prior.kind:
        case "uniform":
            inside = location <= x <= width
            return (-log(width - location) if inside else -inf), 0.0, 0.0
        case "normal":
            u = (x - location) / width
            first = -u / width
            found = -0.5 * u * u - log(width) - 0.5 * log(2.0 * pi)
            return found, first * slope, max(slope * slope / width**2 - first * bend, 0.0)
        case "laplace":
            u = (x - location) / width
            return -abs(u) - log(2.0 * width), -float(np.sign(u)) / width * slope, 0.0
        case "log-normal":
            if x <= 0.0:
                return -inf, 0.0, 0.0
            u = (log(x) - location) / width
            found = -0.5 * u * u - log(x * width) - 0.5 * log(2.0 * pi)
            return found, (-u / width - 1.0) / x * slope, (slope / (x * width)) ** 2
        case "log-laplace":
            if x <= 0.0:
                return -inf, 0.0, 0.0
            u = (log(x) - location) / width
            return -abs(u) - log(2.0 * width * x), (-float(np.sign(u)) / width - 1.0) / x * slope, 0.0
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
    from scipy.special import ndtri

    low, high = bounds(parameter)
    prior = parameter.start or Prior("uniform", low, high, on_scale=True)
    match prior.kind:
        case "uniform":
            x = prior.first + share * (prior.second - prior.first)
        case "normal" | "log-normal":
            x = prior.first + prior.second * float(ndtri(share))
        case "laplace" | "log-laplace":
            x = prior.first - prior.second * float(np.sign(share - 0.5)) * log(
                max(1.0 - 2.0 * abs(share - 0.5), 1e-300)
            )
        case _:
            assert_never(prior.kind)
    if prior.kind in ("log-normal", "log-laplace"):
        x = float(np.exp(x))
    found = x if prior.on_scale or parameter.scale == "lin" else (to_scale(x, parameter.scale) if x > 0.0 else low)
    return min(max(found, low), high)


def bounds(parameter: Parameter) -> tuple[float, float]:
    """The bounds of the search on the parameter's scale: those of the table, within those of a uniform prior."""
    low, high = bounds_on_scale(parameter)
    prior = parameter.prior
    if prior is not None and prior.kind == "uniform":
        ends = [prior.first, prior.second]
        if not prior.on_scale:
            ends = [to_scale(end, parameter.scale) if end > 0.0 or parameter.scale == "lin" else -inf for end in ends]
        low, high = max(low, ends[0]), min(high, ends[1])
    return low, high
