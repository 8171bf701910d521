"""Values of the past for the csymbol delay: the method of steps, with a dense history of what is delayed.

Each finished step leaves its delayed formulas at Chebyshev points, between which they are interpolated (Berrut and
Trefethen, doi 10.1137/S0036144502417715). Where steps end at jumps of the past, the history has a value on either side.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_POINTS = 9
NODES = 0.5 - 0.5 * np.cos(np.pi * np.arange(_POINTS) / (_POINTS - 1))  # in a step from 0 to 1
_WEIGHTS = (-1.0) ** np.arange(_POINTS) * np.where(np.isin(np.arange(_POINTS), (0, _POINTS - 1)), 0.5, 1.0)
_CLOSE = 8 * 2.0**-52


class History:
    """What some formulas were, step by step from the start on.

    >>> history = History()
    >>> history.note(0.0, 2.0, np.array([[time**2 for time in 2.0 * NODES]]))
    >>> round(history.value(0, 0.5, right=True), 12)
    0.25
    """

    def __init__(self) -> None:
        self.begins: list[float] = []
        self.ends: list[float] = []
        self.values: list[Floats] = []

    @property
    def end(self) -> float:
        return self.ends[-1] if self.ends else 0.0

    def note(self, begin: float, end: float, values: Floats) -> None:
        """Values [formulas, points] of the step from `begin` to `end`."""
        if end > begin:
            self.begins.append(begin)
            self.ends.append(end)
            self.values.append(values)

    def value(self, formula: int, time: float, *, right: bool) -> float:
        """What the formula was at that time; at a boundary of two steps, by the later one if `right`."""
        margin = _CLOSE * max(abs(time), self.end)
        if right:
            step = bisect_right(self.begins, time + margin) - 1
        else:
            step = bisect_left(self.ends, time - margin)
        step = min(max(step, 0), len(self.ends) - 1)
        begin, end = self.begins[step], self.ends[step]
        distance = min(max((time - begin) / (end - begin), 0.0), 1.0) - NODES
        exact = np.flatnonzero(distance == 0.0)
        values = self.values[step][formula]
        if len(exact):
            return float(values[exact[0]])
        shares = _WEIGHTS / distance
        return float(shares @ values / shares.sum())


class Breaks:
    """Times at which delayed quantities, or their first derivatives, jump: a jump at t comes back at t + lag."""

    def __init__(self, most: int = 6) -> None:
        self.most = most
        self.times: dict[float, int] = {}  # and how many lags they are away from a jump

    def add(self, time: float, lags: list[float], order: int = 0) -> None:
        """Note what follows from a jump at that time, each time one derivative higher."""
        if order < self.most:
            for lag in lags:
                after = time + lag
                known = self.times.get(after, self.most + 1)
                if lag > 0.0 and order + 1 < known:
                    self.times[after] = order + 1

    def next(self, time: float) -> float:
        """The first break after that time."""
        return min((at for at in self.times if at > time), default=np.inf)

    def pass_by(self, time: float, lags: list[float]) -> None:
        """At a break: those that follow from it."""
        order = self.times.pop(time, None)
        if order is not None:
            self.add(time, lags, order)
        for old in [at for at in self.times if at < time]:
            del self.times[old]
