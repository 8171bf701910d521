"""Local search: minimization within bounds by Fisher scoring in a trust region.

In each step the objective is taken as the quadratic of its gradient and its Fisher information, which is never
indefinite; the step is the smallest of that model within the trust region, with parameters that reach a bound held
there (an active set). For normal errors this is the Gauss-Newton method with the widths of the errors among the
unknowns. (Nocedal & Wright, Numerical Optimization, doi 10.1007/978-0-387-40065-5, chapters 4 and 16.)

Where residuals are large, the Fisher information leaves out much of the curvature. What it leaves out is learnt from
the change of the gradient, and added where that foresees the objective better (Dennis, Gay & Welsch 1981, doi
10.1145/355958.355965).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, isfinite
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from senexo.fitting.objective import Evaluation

Floats = NDArray[np.float64]
Function = Callable[[Floats], Evaluation]
Ending = Literal["converged", "steps", "failed", "time"]

MOST_STEPS = 300
_FIRST_RADIUS, _MOST_RADIUS, _LEAST_RADIUS = 1.0, 50.0, 1e-10
_ACCEPTED = 1e-4  # of the decrease that the model promised


@dataclass(frozen=True)
class Found:
    """Where a search ended: the point, the objective there, how many evaluations it took, and why it ended."""

    x: Floats
    at: Evaluation
    n_evaluations: int
    ended: Ending

    @property
    def value(self) -> float:
        """Minus log-posterior there; +inf where the search had no value to begin with."""
        return self.at.value


def minimize(
    function: Function, start: Floats, lower: Floats, upper: Floats, *, fixed: NDArray[np.bool_] | None = None,
    unit: Floats | None = None, tolerance: float = 1e-6, most_steps: int = MOST_STEPS,
    stop: Callable[[], bool] = lambda: False,
) -> Found:  # fmt: skip
    """The minimum that the search comes to from a start.

    Parameters
    ----------
    function
        The objective; its value is +inf where it has none.
    start, lower, upper
        [parameters] as they are searched; the start is moved within the bounds.
    fixed
        Parameters that stay where they are.
    unit
        What counts as one unit of each parameter in the trust region (a decade of a logarithmic scale).
    tolerance
        The search ends where the model promises a smaller decrease, or several steps in a row achieved less.
    most_steps
        After so many it ends, too.
    stop
        Whether it should end now.
    """
    unit = np.ones(len(start)) if unit is None else unit
    held = np.zeros(len(start), dtype=bool) if fixed is None else fixed
    low, high = lower / unit, upper / unit
    x = np.clip(start / unit, low, high)
    at = function(x * unit)
    n, radius, quiet = 1, _FIRST_RADIUS, 0
    missing, added = np.zeros((len(x), len(x))), False
    if at.gradient is None:
        return Found(x * unit, at, n, "failed")
    ended: Ending = "steps"
    for _ in range(most_steps):
        assert at.gradient is not None
        assert at.fisher is not None
        if stop():
            ended = "time"
            break
        gradient, bend, other = at.gradient * unit, at.fisher * np.outer(unit, unit), missing
        bend, other = (bend + missing, bend) if added else (bend, bend + missing)
        step, promised = bounded_step(gradient, bend, low - x, high - x, radius, held)
        if promised < tolerance * 1e-2 or radius < _LEAST_RADIUS:
            ended = "converged"
            break
        new = function(np.clip(x + step, low, high) * unit)
        n += 1
        gained = at.value - new.value if isfinite(new.value) else -inf
        length = float(np.linalg.norm(step))
        if new.gradient is not None and new.fisher is not None:
            instead = _decrease(gradient, other, step)
            added ^= abs(instead - gained) < 0.5 * abs(promised - gained)
            change = new.gradient * unit - gradient
            missing = _learnt(missing, step, change, change - new.fisher * np.outer(unit, unit) @ step)
        if gained < 0.25 * promised:
            radius = 0.25 * min(length, radius)
        elif gained > 0.75 * promised and length > 0.8 * radius:
            radius = min(2.0 * radius, _MOST_RADIUS)
        if gained > _ACCEPTED * promised and new.gradient is not None:
            x, at = np.clip(x + step, low, high), new
            quiet = quiet + 1 if gained < tolerance else 0
            if quiet >= 3:
                ended = "converged"
                break
    return Found(np.clip(x * unit, lower, upper), at, n, ended)


def bounded_step(
    gradient: Floats, bend: Floats, low: Floats, high: Floats, radius: float, held: NDArray[np.bool_]
) -> tuple[Floats, float]:
    """The step s in low <= s <= high and |s| <= radius that makes g s + s B s / 2 small, and the decrease there.

    >>> step, promised = bounded_step(np.array([-4.0, 1.0]), np.eye(2), np.full(2, -9.0), np.array([1.0, 9.0]), 9.0,
    ...                               np.zeros(2, dtype=bool))
    >>> step, promised
    (array([ 1., -1.]), 4.0)
    """
    step = np.zeros(len(gradient))
    free = ~held & ~((low >= 0.0) & (gradient > 0.0)) & ~((high <= 0.0) & (gradient < 0.0))
    for _ in range(len(gradient) + 1):
        places = np.flatnonzero(free)
        if not len(places):
            break
        slope = gradient[places] + bend[np.ix_(places, ~free)] @ step[~free]
        left = max(radius**2 - float(step[~free] @ step[~free]), 1e-6 * radius**2) ** 0.5
        part = _within(slope, bend[np.ix_(places, places)], left)
        beyond = (part < low[places]) | (part > high[places])
        step[places] = np.clip(part, low[places], high[places])
        if not beyond.any():
            break
        free[places[beyond]] = False
    promised = _decrease(gradient, bend, step)
    return (step, promised) if promised > 0.0 else _downhill(gradient, bend, low, high, radius, held)


def _decrease(gradient: Floats, bend: Floats, step: Floats) -> float:
    """How far the model falls along a step."""
    return -float(gradient @ step + 0.5 * step @ bend @ step)


def _learnt(missing: Floats, step: Floats, change: Floats, more: Floats) -> Floats:
    """The missing curvature after a step, in which the gradient changed by `more` than the Fisher information says.

    The symmetric update of least change in the metric of the step's own curvature, after a sizing (section 3 there).
    """
    curvature = float(change @ step)
    if curvature <= 1e-8 * float(np.linalg.norm(change) * np.linalg.norm(step)):
        return missing
    before = float(step @ missing @ step)
    size = min(1.0, abs(float(step @ more)) / abs(before)) if before != 0.0 else 1.0
    rest = more - size * missing @ step
    both = np.outer(rest, change)
    return np.asarray(
        size * missing + (both + both.T) / curvature - float(rest @ step) * np.outer(change, change) / curvature**2
    )


def _downhill(
    gradient: Floats, bend: Floats, low: Floats, high: Floats, radius: float, held: NDArray[np.bool_]
) -> tuple[Floats, float]:
    """A step along the negative gradient, cut at the bounds, so short that the model falls."""
    along = np.where(held, 0.0, -gradient)
    length = float(np.linalg.norm(along))
    share = radius / length if length > 0.0 else 0.0
    for _ in range(60):
        step = np.clip(share * along, low, high)
        promised = _decrease(gradient, bend, step)
        if promised > 0.0:
            return step, promised
        share *= 0.5
    return np.zeros(len(gradient)), 0.0


def _within(slope: Floats, bend: Floats, radius: float) -> Floats:
    """The smallest point of slope s + s bend s / 2 within |s| <= radius, by the spectrum of bend (at least 0)."""
    values, vectors = np.linalg.eigh(bend)
    values = np.maximum(values, 0.0)
    along = vectors.T @ slope
    floor = max(1e-14 * float(values[-1]), 1e-150)

    def step(shift: float) -> Floats:
        with np.errstate(over="ignore"):
            return -along / (values + shift)

    if np.linalg.norm(step(floor)) <= radius:
        return np.asarray(vectors @ step(floor))
    low, high = floor, max(float(np.linalg.norm(along)) / radius, 2.0 * floor)
    for _ in range(60):  # |step| falls as the shift grows: bisection on its logarithm, to a tenth of the radius
        middle = (low * high) ** 0.5
        length = float(np.linalg.norm(step(middle)))
        if length > radius:
            low = middle
        else:
            high = middle
            if length > 0.9 * radius:
                break
    return np.asarray(vectors @ step(high))
