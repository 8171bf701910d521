"""The default absolute tolerance of a deterministic run: what counts as nothing for each quantity.

It is a small share of the largest size that the quantity itself has had so far in the run, so that a quantity of
1e-15 beside one of 1e6 is followed to the same relative accuracy. (Tolerances that follow the running maximum are the
"absolute tolerance scaling" of MATLAB's SimBiology; one tolerance for all, as in most simulators, loses small ones.)
The size of a quantity that is 0 at the start is taken from where the equations carry it at once.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

SHARE = 1e-4  # of rtol: error that is allowed to a quantity when it is 0, as a share of its largest size
# A quantity that is no larger than this many rounding errors of the terms that have moved it is nothing but these
# errors: its tolerance is a few of them. (One that is made and used up 4e12 times during a run would be taken for it.)
_ROUNDING, _NOISE, _FEW = 2.0**-52, 1e3, 16.0
# And when no solver gets on: the sizes of all quantities are at least these shares of the largest, one after another.
FLOORS = (0.0, 1e-15, 1e-6, 1.0)
_FIRST = 1e-8  # of the run: how far ahead the first sizes are looked for
_MOST_PROBES = 100
_TINY_SHARE = 1e-6  # rounding errors are looked at where one quantity is smaller than another by this
_LEAST = 1e-280  # a tolerance of 0 is an error to the solvers


class Sizes:
    """Running sizes of the states of one run; `atol` [n] follows them in place, so that a solver sees it grow.

    Parameters
    ----------
    n
        Number of states.
    rtol
        Relative tolerance of the run.
    terms
        (time, y [n]) -> [n]: how large the terms are that each rate adds up.
    """

    def __init__(self, n: int, rtol: float, terms: Callable[[float, Values], Values]) -> None:
        self.seen, self.moved, self.atol = np.zeros((3, n))  # moved: the integral of the terms over time
        self.atol[:] = _LEAST
        self.terms = terms
        self.allowed = SHARE * rtol
        self.floor = 0  # of FLOORS

    def see(self, time: float, y: Values, step: float) -> None:
        """Take note of the states after a step."""
        np.maximum(self.seen, np.abs(y), out=self.seen)
        if step > 0.0 and np.min(self.seen) < _TINY_SHARE * np.max(self.seen):
            self.moved += step * self.terms(time, y)
        self._follow()

    def begin(self, slope: Callable[[float, Values], Values], time: float, y: Values, span: float) -> None:
        """Take note of the states from which a solver starts, and of where those that have always been 0 will go."""
        self.see(time, y, 0.0)
        if np.all(self.seen > 0.0) or not len(y):
            return
        np.maximum(self.moved, _FIRST * span * self.terms(time, y), out=self.moved)
        first = slope(time, y)
        step = _FIRST * span
        for _ in range(10):  # so short a step that no rate changes much: the sizes are rather too small than too large
            moved = np.abs(slope(time + step, y + step * first) - first)
            if not np.any(moved > np.abs(first), where=first != 0.0):
                break
            step *= 0.01
        ahead = y + step * first
        for _ in range(_MOST_PROBES):  # each look ahead reaches one reaction further down a chain
            new = (self.seen == 0.0) & (ahead != 0.0) & np.isfinite(ahead)
            self.seen[new] = np.abs(ahead[new])
            following = y + step * slope(time + step, ahead)
            if not np.any((self.seen == 0.0) & (following != 0.0)) or not np.all(np.isfinite(following)):
                break
            ahead = following
        self._follow()

    def raise_floor(self) -> bool:
        """Give up following sizes far below the typical one; False if that has been done as far as it goes."""
        if self.floor + 1 == len(FLOORS):
            return False
        self.floor += 1
        self._follow()
        return True

    def lost(self) -> NDArray[np.int64]:
        """The states that are smaller than the least size that is followed."""
        if self.floor == 0:
            return np.empty(0, dtype=np.int64)
        return np.flatnonzero((self.seen < self.least()) & (self.seen > 0.0))

    def least(self) -> float:
        """The least size that is followed."""
        largest = np.max(self.seen[np.isfinite(self.seen)], initial=0.0) or 1.0
        return FLOORS[self.floor] * float(largest)

    def _follow(self) -> None:
        sizes = np.maximum(self.seen, self.least()) if self.floor else self.seen
        noise = _ROUNDING * self.moved
        of_noise = np.where(self.seen <= _NOISE * noise, _FEW * noise, 0.0)
        np.maximum(self.allowed * sizes, np.maximum(of_noise, _LEAST), out=self.atol)
