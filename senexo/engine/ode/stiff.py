"""One way from a time to another through scipy's stiff solvers, one step at a time, changing solver on failure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import nextafter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import SimulationError

Values = NDArray[np.float64]
Slope = Callable[[float, Values], Values]
Interpolation = Callable[[Any], Values]  # time -> y [n]; times [k] -> y [n, k]; exact within the last step only

SOLVERS = ("LSODA", "BDF", "Radau")
_TINY = 16  # a stretch of so many neighbouring floating-point times is too short for any step control


class Flow:
    """Steps of y' = slope(t, y) from `time` to `stop`, which the last step meets exactly."""

    def __init__(
        self, slope: Slope, time: float, y: Values, stop: float, *,
        rtol: float, atol: float | Values, longest: float, solvers: Sequence[str] = SOLVERS,
    ) -> None:  # fmt: skip
        self.slope, self.time, self.y, self.stop = slope, time, y, stop
        self.options = {"rtol": rtol, "atol": atol, "max_step": longest}
        self.longest = longest
        self.untried = list(solvers)
        self.solver: Any = None
        self.complaints: list[str] = []

    def step(self) -> Interpolation:
        """Go one step on; `time` and `y` are then at its end."""
        if not len(self.y):
            self.time = min(self.stop, self.time + self.longest)
            return lambda time: np.empty((0, *np.shape(time)))
        if self.stop - self.time <= _TINY * (nextafter(self.stop, np.inf) - self.stop):
            return self._straight_step()
        while True:
            if self.solver is None:
                self._start()
            complaint = self.solver.step()
            if self.solver.status != "failed":
                if self.solver.t <= self.time:  # LSODA goes on like this without end
                    complaint = "step too small to move the time"
                elif not np.all(np.isfinite(self.solver.y)):
                    complaint = "result not a finite number"
                else:
                    self.time, self.y = float(self.solver.t), self.solver.y.copy()
                    return self.solver.dense_output()
            self.complaints.append(f"{type(self.solver).__name__}: {complaint}")
            self.solver = None

    def _start(self) -> None:
        import scipy.integrate

        if not self.untried:
            raise SimulationError(f"no solver gets on from time {self.time:g} ({'; '.join(self.complaints)})")
        solver = getattr(scipy.integrate, self.untried.pop(0))
        self.solver = solver(self.slope, self.time, self.y, self.stop, **self.options)

    def _straight_step(self) -> Interpolation:
        start, y, slope = self.time, self.y, self.slope(self.time, self.y)
        self.time, self.y = self.stop, y + (self.stop - start) * slope
        return lambda time: (y + np.multiply.outer(np.subtract(time, start), slope)).T
