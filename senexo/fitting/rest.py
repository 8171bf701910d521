"""Derivatives of a steady state: J S + df/dp = 0, with what is conserved moved by the start."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import SimulationError
from senexo.engine.ode.sensitivity import Sensitivities

Floats = NDArray[np.float64]
_ZERO = 1e-11  # singular values below this share of the largest are 0


def slopes_at_rest(exact: Sensitivities, start: Floats, rest: Floats, by_parameters: Floats) -> Floats:
    """d steady state / d parameter [parameters, states].

    Left null vectors of the Jacobian are sums that stay as they were at the start, so that S has them from there. That
    they are conserved is checked at the start, where the rates are not 0.

    start, rest: the model's values [slots]. by_parameters: d start / d parameter [parameters, slots].
    """
    states = exact.states
    _, jacobian, by_inputs = exact.derivatives(rest)
    rates, _, by_inputs_there = exact.derivatives(start)
    size = np.maximum(np.abs(rest[states]), np.abs(start[states]))
    size = np.where(size > 0.0, size, max(float(np.max(size, initial=0.0)), 1e-300))
    scaled = jacobian * size / size[:, None]
    right = -(by_inputs @ by_parameters[:, exact.by].T) / size[:, None]
    initial = by_parameters[:, states].T / size[:, None]
    if not (np.all(np.isfinite(scaled)) and np.all(np.isfinite(right))):
        raise SimulationError("the steady state has no finite derivatives")
    rows = np.max(np.abs(scaled), axis=1, initial=0.0)
    rows = np.where(rows > 0.0, rows, 1.0)[:, None]
    u, s, _ = np.linalg.svd(scaled / rows)
    conserved = (u / rows)[:, s <= _ZERO * max(float(np.max(s, initial=0.0)), 1e-300)].T
    conserved = conserved / np.linalg.norm(conserved, axis=1, keepdims=True)
    for there in (rates[:, None], by_inputs_there):
        moved, gross = np.abs(conserved @ (there / size[:, None])), np.abs(conserved) @ np.abs(there / size[:, None])
        if np.any(moved > 1e-6 * gross + 1e-300):
            raise SimulationError("the steady state is one of a continuum that no conservation explains")
    system, known = np.vstack((scaled / rows, conserved)), np.vstack((right / rows, conserved @ initial))
    found, *_ = np.linalg.lstsq(system, known, rcond=None)
    return np.asarray((found * size[:, None]).T)
