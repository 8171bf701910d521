"""Profile likelihoods: how far each parameter can be moved while all others adapt, and what that means in words.

An interval holds the values at which twice the fall of the log-likelihood is at most the chi-square quantile of one
degree of freedom (Venzon & Moolgavkar 1988, doi 10.2307/2347496; Raue et al. 2009, doi 10.1093/bioinformatics/btp358).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite, nan
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from senexo.fitting.multistart import at_bounds, units
from senexo.fitting.objective import Objective
from senexo.fitting.search import minimize

Floats = NDArray[np.float64]
End = Literal["found", "bound", "flat", "at bound", "not followed"]

MOST_POINTS = 60  # on a side
_WANTED = 0.4  # of the threshold: what the objective should rise by from one point to the next
_FLAT = 0.01  # a rise of the objective below it, all the way to a bound, is none


@dataclass(frozen=True)
class Profile:
    """One parameter's profile, on the scale on which it is searched.

    Attributes
    ----------
    id
        The parameter.
    x, rise
        Values in ascending order, and how far the objective is there above its minimum.
    low, high
        Ends of the interval; nan where the profile stays below the threshold up to the bound.
    below, above
        What was found on each side: "found"; "bound" (it rises, too little); "flat" (it does not rise at all); "at
        bound" (the optimum is there); "not followed" (the objective has no value further on, or time was up).
    level, threshold
        Of the interval, and the rise that it allows.
    held_below, held_above
        Parameters that are at a bound where the interval ends, and are not at the optimum: the end is set by it.
    better
        A point below the minimum that was thought to be one; None where there was none.
    """

    id: str
    x: Floats
    rise: Floats
    low: float
    high: float
    below: End
    above: End
    level: float
    threshold: float
    held_below: tuple[str, ...] = ()
    held_above: tuple[str, ...] = ()
    better: Floats | None = None


def profile(
    objective: Objective, best: Floats, value: float, index: int, *, level: float = 0.95,
    stop: Callable[[], bool] = lambda: False,
) -> Profile:  # fmt: skip
    """The profile of one parameter from the optimum `best`, where the objective is `value`."""
    from scipy.special import gammaincinv

    threshold = float(gammaincinv(0.5, level))  # half of the chi-square quantile of 1 degree of freedom
    points: list[tuple[float, float]] = [(float(best[index]), 0.0)]
    ends: list[tuple[float, End, tuple[str, ...]]] = []
    better: Floats | None = None
    for sign in (-1.0, 1.0):
        side = _Side(objective, best, value, index, sign, threshold, stop)
        found, end, how = side.follow()
        points += found
        ends.append((end, how, side.held))
        better = side.better if better is None else better
    points.sort()
    (low, below, held_below), (high, above, held_above) = ends
    reach = max((abs(at - best[index]) for at, up in points if up < _FLAT), default=0.0)
    if reach >= units(objective)[index]:  # at a bound, and as good far away from it: the bound is not the optimum
        below, above = ("flat" if end == "at bound" else end for end in (below, above))
    x, rise = np.array([at for at, _ in points]), np.array([up for _, up in points])
    return Profile(
        objective.ids[index], x, rise, low, high, below, above, level, threshold, held_below, held_above, better
    )


class _Side:
    """One side of a profile: steps away from the optimum, sized by how fast the objective rises."""

    def __init__(self, objective: Objective, best: Floats, value: float, index: int, sign: float, threshold: float,
                 stop: Callable[[], bool]) -> None:  # fmt: skip
        self.objective, self.best, self.value, self.index = objective, best, value, index
        self.sign, self.threshold, self.stop = sign, threshold, stop
        self.bound = float((objective.upper if sign > 0 else objective.lower)[index])
        self.fixed = np.arange(len(best)) == index
        self.unit = units(objective)
        self.better: Floats | None = None
        self.held: tuple[str, ...] = ()

    def follow(self) -> tuple[list[tuple[float, float]], float, End]:
        """Points (value, rise), the end of the interval (nan: none), and how it was found."""
        points: list[tuple[float, float]] = []
        x, here, rise = self.best.copy(), float(self.best[self.index]), 0.0
        step = self.first_step()
        for _ in range(MOST_POINTS):
            left = (self.bound - here) * self.sign
            if left <= 1e-9 * self.unit[self.index]:
                return points, nan, "at bound" if not points else "flat" if rise < _FLAT else "bound"
            if self.stop():
                return points, nan, "not followed"
            step = min(step, left)
            found = self.at(x, here + self.sign * step)
            if found is None:
                if step < 1e-4 * self.unit[self.index]:
                    return points, nan, "not followed"
                step *= 0.25
                continue
            new, up = found
            if up - rise > 2.0 * self.threshold and step > 1e-6 * self.unit[self.index]:
                step *= 0.3
                continue
            before, before_rise = here, rise
            x, here, rise = new, float(new[self.index]), up
            points.append((here, rise))
            if rise > self.threshold:
                before_it = at_bounds(self.objective, self.best)
                self.held = tuple(id for id in at_bounds(self.objective, x) if id not in before_it and
                                  id != self.objective.ids[self.index])  # fmt: skip
                return points, self.crossing(x, (before, before_rise), (here, rise), points), "found"
            gained = max(rise - before_rise, 1e-12)
            step *= min(max(_WANTED * self.threshold / gained, 0.3), 3.0)
        return points, nan, "not followed"

    def first_step(self) -> float:
        """Where the quadratic of the Fisher information has risen by the wanted part; a tenth of a unit at most."""
        at = self.objective(self.best)
        unit = self.unit[self.index]
        if at.fisher is None:
            return 0.1 * float(unit)
        bend = float(at.fisher[self.index, self.index])
        return float(min((2.0 * _WANTED * self.threshold / bend) ** 0.5, unit) if bend > 0.0 else unit)

    def at(self, x: Floats, value: float) -> tuple[Floats, float] | None:
        """The optimum of the other parameters with this one at a value, and its rise; None where there is none."""
        start = x.copy()
        start[self.index] = value
        objective = self.objective
        found = minimize(objective, start, objective.lower, objective.upper, fixed=self.fixed, unit=self.unit,
                         tolerance=1e-4, most_steps=50)  # fmt: skip
        if not isfinite(found.value):
            return None
        rise = found.value - self.value
        if rise < -0.05 and self.better is None:
            self.better = found.x
        return found.x, max(rise, 0.0)

    def crossing(self, x: Floats, low: tuple[float, float], high: tuple[float, float],
                 points: list[tuple[float, float]]) -> float:  # fmt: skip
        """Where the rise meets the threshold, between two points: by the secant on its square root, once refined."""
        for _ in range(2):
            a, b, wanted = low[1] ** 0.5, high[1] ** 0.5, self.threshold**0.5
            share = (wanted - a) / (b - a) if b > a else 0.5
            middle = low[0] + min(max(share, 0.02), 0.98) * (high[0] - low[0])
            found = self.at(x, middle)
            if found is None:
                break
            points.append((middle, found[1]))
            if abs(found[1] - self.threshold) < 1e-3 * self.threshold:
                return middle
            if found[1] > self.threshold:
                high = (middle, found[1])
            else:
                low = (middle, found[1])
        a, b, wanted = low[1] ** 0.5, high[1] ** 0.5, self.threshold**0.5
        return low[0] + ((wanted - a) / (b - a) if b > a else 0.5) * (high[0] - low[0])


def profiles(
    objective: Objective, best: Floats, value: float, *, level: float = 0.95, max_seconds: float | None = None,
    progress: Callable[[str], None] = lambda id: None,
) -> list[Profile]:  # fmt: skip
    """The profiles of all estimated parameters."""
    until = None if max_seconds is None else time.monotonic() + max_seconds

    def over() -> bool:
        return until is not None and time.monotonic() > until

    found = []
    for index, id in enumerate(objective.ids):
        found.append(profile(objective, best, value, index, level=level, stop=over))
        progress(id)
    return found
