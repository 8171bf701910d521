"""Searches from many starts, the waterfall of what they found, and the parameters that ended at a bound."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from senexo.base.streams import generator
from senexo.fitting.objective import Objective
from senexo.fitting.priors import quantile
from senexo.fitting.search import Found, minimize

Floats = NDArray[np.float64]

SAME = 0.1  # of the objective: searches that end within it of the best have found the same optimum
MOST_DRAWS = 20  # of a start that has no value
AT_BOUND = 1e-3  # of the distance between the bounds
_COARSE, _FINE, _FINEST = 1e-3, 1e-5, 1e-9  # tolerances of the objective: of all searches, of the good, of the best
_LOOSE = 1e-6  # relative tolerance of the ODE solver on the way
_REACH, _MOST_POLISHED = 2.0, 30  # searches so near to the best are searched on


@dataclass(frozen=True)
class Waterfall:
    """All searches, the best first.

    Attributes
    ----------
    found
        One for each start; a failed one has the value +inf.
    starts
        Where each began [starts, parameters], in the same order.
    order
        Number of each, from 1, as they were begun.
    """

    found: tuple[Found, ...]
    starts: Floats
    order: tuple[int, ...]

    @property
    def best(self) -> Found:
        """The lowest that was found."""
        return self.found[0]

    @property
    def at_best(self) -> int:
        """How many searches ended within `SAME` of the best."""
        return sum(1 for one in self.found if one.value <= self.best.value + SAME)

    @property
    def failed(self) -> int:
        """How many had no value at their start."""
        return sum(1 for one in self.found if not isfinite(one.value))


def start_points(objective: Objective, n: int, seed: int, again: int = 0) -> Floats:
    """Starts [n, parameters]: a Latin hypercube of the initialization priors, by default uniform between the bounds.

    McKay, Beckman & Conover 1979, doi 10.1080/00401706.1979.10489755. again: number of the hypercube.
    """
    rng = generator(seed, "starts of a fit", again)
    p = len(objective.ids)
    shares = (np.array([rng.permutation(n) for _ in range(p)]).reshape(p, n).T + rng.random((n, p))) / n
    return np.array([[quantile(one, float(share)) for one, share in zip(objective.parameters, row, strict=True)]
                     for row in shares]).reshape(n, p)  # fmt: skip


def units(objective: Objective) -> Floats:
    """What counts as a unit in a search: a decade, a factor e, or on the linear scale a tenth of the bounds."""
    width = objective.upper - objective.lower
    linear = np.array([one.scale == "lin" for one in objective.parameters], dtype=bool)
    return np.where(linear & np.isfinite(width) & (width > 0.0), 0.1 * width, 1.0)


def search(
    objective: Objective, n: int, *, seed: int = 0, max_seconds: float | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Waterfall:  # fmt: skip
    """Search from `n` starts; the best few are then searched on to full accuracy.

    A start at which the objective has no value is drawn anew, up to `MOST_DRAWS` times.
    max_seconds: no search is begun after it, and one under way ends.
    """
    until = None if max_seconds is None else time.monotonic() + max_seconds

    def over() -> bool:
        return until is not None and time.monotonic() > until

    starts, found = start_points(objective, n, seed), list[Found]()
    with objective.loosely(_LOOSE):
        for k in range(n):
            if found and over():
                break
            found.append(_from_start(objective, starts, k, seed, over))
            progress(k + 1)
    order = sorted(range(len(found)), key=lambda k: (found[k].value, k))
    for k in order[:_MOST_POLISHED]:
        if isfinite(found[k].value) and found[k].value < found[order[0]].value + _REACH and not over():
            found[k] = polish(objective, found[k], over, _FINE)
    order = sorted(range(len(found)), key=lambda k: (found[k].value, k))
    if isfinite(found[order[0]].value):
        found[order[0]] = polish(objective, found[order[0]], over)
    order = sorted(range(len(found)), key=lambda k: (found[k].value, k))
    return Waterfall(tuple(found[k] for k in order), starts[order], tuple(k + 1 for k in order))


def _from_start(objective: Objective, starts: Floats, k: int, seed: int, over: Callable[[], bool]) -> Found:
    """The search from start number k; where that has no value, from another, which takes its place in `starts`."""
    again = 1
    while True:
        found = minimize(
            objective, starts[k], objective.lower, objective.upper, unit=units(objective), tolerance=_COARSE, stop=over
        )
        if found.ended != "failed" or again == MOST_DRAWS or over():
            return found
        starts[k] = start_points(objective, len(starts), seed, again)[k]
        again += 1


def polish(
    objective: Objective, found: Found, stop: Callable[[], bool] = lambda: False, tolerance: float = _FINEST
) -> Found:
    """A search that goes on from where another ended."""
    more = minimize(
        objective, found.x, objective.lower, objective.upper, unit=units(objective), tolerance=tolerance, stop=stop
    )
    return Found(more.x, more.at, found.n_evaluations + more.n_evaluations, more.ended)


def at_bounds(objective: Objective, x: Floats) -> dict[str, str]:
    """Parameters at a bound: id -> "lower" or "upper"."""
    width = objective.upper - objective.lower
    width = np.where(np.isfinite(width), width, 0.0)
    found = {}
    for id, value, low, high, span in zip(objective.ids, x, objective.lower, objective.upper, width, strict=True):
        if value <= low + AT_BOUND * span:
            found[id] = "lower"
        elif value >= high - AT_BOUND * span:
            found[id] = "upper"
    return found
