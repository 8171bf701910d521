"""Steps of scipy's stiff solvers from one time to another, with a change of solver where one fails.

Solvers say that they failed by their status; the warnings that scipy would print besides are not raised at all
(`_only_by_status`), since filters of warnings belong to the whole process and not to the thread that integrates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, nextafter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import SimulationError
from senexo.engine.ode.sizes import FLOORS, Sizes

Values = NDArray[np.float64]
Slope = Callable[[float, Values], Values]
Interpolation = Callable[[Any], Values]  # time -> y [n]; times [k] -> y [n, k]; exact within the last step only

SOLVERS = ("LSODA", "BDF", "Radau")
FINEST = 100 * float(np.finfo(np.float64).eps)  # scipy's own limit of rtol
# A solver whose absolute tolerance follows sizes stalls if so many steps are less than this share of the run.
_LOOK, _LEAST_PROGRESS = 500, 2e-3
_TINY = 16  # a stretch of so many neighbouring floating-point times is too short for any step control


class Flow:
    """Steps of y' = slope(t, y) from `time` to `stop`, which the last step meets exactly.

    `sizes` are those that the absolute tolerance follows, None where it is fixed; `reach(time)` is the time that the
    step from there may not pass; `names` are those of the quantities.
    """

    def __init__(
        self, slope: Slope, time: float, y: Values, stop: float, *,
        rtol: float, atol: float | Values, longest: float, solvers: Sequence[str] = SOLVERS,
        sizes: Sizes | None = None, reach: Callable[[float], float] = lambda time: inf, names: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self.slope, self.time, self.y, self.stop = slope, time, y, stop
        self.options = {"rtol": max(rtol, FINEST), "atol": atol if sizes is None else sizes.atol, "max_step": longest}
        self.longest, self.sizes, self.reach, self.names = longest, sizes, reach, names
        self.untried, self.name = list(solvers), ""
        self.solver: Any = None
        self.complaints: list[str] = []
        self.n_steps, self.checked = 0, time

    def step(self) -> Interpolation:
        """Go one step on; `time` and `y` are then at its end."""
        if not len(self.y):
            self.time = min(self.stop, self.time + self.longest, self.reach(self.time))
            return lambda time: np.empty((0, *np.shape(time)))
        if self.stop - self.time <= _TINY * (nextafter(self.stop, np.inf) - self.stop):
            return self._straight_step()
        while True:
            if self.solver is None:
                self._start()
            complaint = self._attempt()
            if self.solver.status != "failed":
                if self.solver.t <= self.time:  # LSODA goes on like this without end
                    complaint = "step too small to move the time"
                elif not np.all(np.isfinite(self.solver.y)):
                    complaint = "result not a finite number"
                else:
                    step = float(self.solver.t) - self.time
                    self.time, self.y = float(self.solver.t), self.solver.y.copy()
                    if self.sizes is not None:
                        self.sizes.see(self.time, self.y, step)
                    return self.solver.dense_output()
            if self.sizes is not None and self.sizes.raise_floor():
                self.untried.insert(0, self.name)
            else:
                self.complaints.append(f"{self.name}: {_in_words(complaint)}")
            self.solver = None

    def _stalled(self) -> bool:
        """Would following the sizes of tiny quantities take millions of steps?"""
        self.n_steps += 1
        if self.sizes is None or self.n_steps % _LOOK or self.sizes.floor + 1 == len(FLOORS):
            return False
        gone, self.checked = self.time - self.checked, self.time
        return gone < _LEAST_PROGRESS * self.stop and gone < 0.3 * self.time

    def _attempt(self) -> str | None:
        """One step; what the solver says where it fails."""
        if self._stalled():
            self.solver.status = "failed"
            return "too many steps"
        self._bound(min(self.stop, self.reach(self.time)))
        try:
            return self.solver.step()
        except (_Unsuccessful, ValueError) as why:  # ValueError: values beyond the range of numbers
            self.solver.status = "failed"
            return str(why)

    def _bound(self, time: float) -> None:
        """The time that the solver's next step may not pass."""
        if time != self.solver.t_bound:
            self.solver.t_bound, self.solver.status = time, "running"
            integrator = getattr(getattr(self.solver, "_lsoda_solver", None), "_integrator", None)
            if integrator is not None:
                integrator.rwork[0] = time

    def _start(self) -> None:
        import scipy.integrate

        if not self.untried:
            why = self._ahead() or f" ({'; '.join(self.complaints)}); the solution may be infinite just ahead"
            raise SimulationError(f"no solver gets on from time {self.time:g}{why}")
        self.name = self.untried.pop(0)
        solver = getattr(scipy.integrate, self.name)
        self.solver = solver(self.slope, self.time, self.y, self.stop, **self.options)
        _only_by_status(self.solver)

    def _ahead(self) -> str:
        """Says so where the rates have no value just ahead, as that of sqrt(x) where x falls below 0."""
        slope = self.slope(self.time, self.y)
        for share in (1e-12, 1e-9, 1e-6, 1e-3):
            step = share * max(self.stop - self.time, abs(self.time))
            bad = np.flatnonzero(~np.isfinite(self.slope(self.time + step, self.y + step * slope)))
            if len(bad):
                names = ", ".join(self.names[k] for k in bad[:5]) if self.names else f"{len(bad)} quantities"
                return (
                    f": just ahead the rate of change of {names} is no finite number, as that of a root or logarithm "
                    "below 0; give the law a value there"
                )
        return ""

    def _straight_step(self) -> Interpolation:
        start, y, slope = self.time, self.y, self.slope(self.time, self.y)
        self.time, self.y = self.stop, y + (self.stop - start) * slope
        return lambda time: (y + np.multiply.outer(np.subtract(time, start), slope)).T


def _in_words(complaint: str | None) -> str:
    """Why a solver gave up, as one says it to someone who does not know the solver."""
    said = (complaint or "").lower()
    if "excess work" in said or "too many steps" in said:
        return "too many steps"
    if "finite" in said or "illegal" in said:
        return "a value is no finite number"
    return "the step size vanishes"


class _Unsuccessful(Exception):
    """LSODA has given up; the message is scipy's."""


def _only_by_status(solver: Any) -> None:
    """Keep a solver from warnings: LSODA's of a step that failed, and those of a singular matrix in BDF and Radau."""
    integrator = getattr(getattr(solver, "_lsoda_solver", None), "_integrator", None)
    if integrator is not None:
        run, messages = integrator.runner, integrator.messages

        def runner(*arguments: Any) -> Any:
            y, time, state = run(*arguments)
            if state < 0:
                raise _Unsuccessful(messages.get(state, f"unexpected state {state}").rstrip(".").lower())
            return y, time, state

        integrator.runner = runner
    elif hasattr(solver, "lu"):
        solver.lu = _factored


def _factored(matrix: Any) -> tuple[Any, Any]:
    """As `scipy.linalg.lu_factor`; of a singular matrix the solution is not finite, and the step fails."""
    from scipy.linalg import get_lapack_funcs

    (getrf,) = get_lapack_funcs(("getrf",), (matrix,))
    lu, pivots, _ = getrf(matrix, overwrite_a=True)
    return lu, pivots
