"""One run by the compiled backward differentiation: the arrays that `senexo.engine.ode.bdf` works on, and its calls."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from senexo.engine.ode import bdf_places as at
from senexo.engine.ode.bdf_places import AGAIN, AT_STOP, CHANGED, FAILED, STALLED
from senexo.engine.ode.equations import Equations
from senexo.engine.ode.sizes import FLOORS, Sizes

Values = NDArray[np.float64]
__all__ = ["AGAIN", "AT_STOP", "CHANGED", "FAILED", "STALLED", "Stepper"]

_WORK = 4_000_000  # rows of tables and products of a matrix in one call: some hundredths of a second


class Stepper:
    """Steps over the cells of some equations, which must have programs for it (`Equations.stepping`).

    Parameters
    ----------
    equations
        Of this run.
    times
        Of outputs [n_times].
    out, laws
        What is written at each of them: values [n_times, n_slots] and rates of reactions [n_times, n_reactions].
    rtol, atol, sizes
        Tolerances; `sizes` are those that atol follows, None where it is fixed.
    end
        Of the run.
    longest
        Longest step.
    """

    def __init__(
        self, equations: Equations, times: Values, out: Values, laws: Values, *,
        rtol: float, atol: float | None, sizes: Sizes | None, end: float, longest: float,
    ) -> None:  # fmt: skip
        assert equations.stepping is not None
        n, m = len(equations.states), equations.stepping.n_dense
        self.equations, self.sizes, self.longest = equations, sizes, longest
        ready = times.flags.c_contiguous and times.flags.writeable
        self.times = times if ready else np.require(times, requirements=("C", "W"))
        self.out, self.laws = out, laws
        self.whole = equations.places.copy()
        first = int(self.whole[at.COUNTS])
        self.counts = self.whole[first : first + at.N_COUNTS]
        first = at.N_CLOCK + at.N_WORK * n
        self.numbers = np.zeros(first + 3 * n + m * m + equations.stepping.n_places)
        self.clock = self.numbers[: at.N_CLOCK]
        self.seen, self.moved, self.atol = self.numbers[first : first + 3 * n].reshape(3, n)
        share = 0.0 if sizes is None else sizes.allowed
        floor = -1.0 if sizes is None else FLOORS[sizes.floor]
        self.clock[:8] = 0.0, 0.0, longest, rtol, 0.0, share, floor, end
        if sizes is None:
            self.atol[:] = atol
        else:
            sizes.seen, sizes.moved, sizes.atol = self.seen, self.moved, self.atol
        self.budget = max(1, _WORK // equations.stepping.cost)

    def advance(self, time: float, stop: float, marks: Values, outcomes: Values, n_out: int, *, fresh: bool,
                last: bool) -> int:  # fmt: skip
        """Go on from `time` to `stop`, or less far; the cells are then those of `self.time`.

        fresh: start from the cells. last: outputs at `stop` are written. The answer is why it ended, a number of the
        at.
        """
        from senexo.engine.ode import bdf  # its kernels are compiled at import: only for who uses them

        if fresh:
            self.clock[at.TIME] = time
            self._note_floor()
        self.counts[at.OUTPUTS] = n_out
        return int(
            bdf.advance(
                self.equations.code, self.equations.memory, self.whole, self.numbers, outcomes, marks, self.times,
                self.out, self.laws, stop, last, fresh, self.budget,
            )
        )  # fmt: skip

    def raise_floor(self) -> bool:
        """As `Sizes.raise_floor`."""
        raised = self.sizes is not None and self.sizes.raise_floor()
        self._note_floor()
        return raised

    def _note_floor(self) -> None:
        if self.sizes is not None:
            self.clock[at.FLOOR] = FLOORS[self.sizes.floor]
            self.counts[at.FURTHER] = self.sizes.floor + 1 < len(FLOORS)

    @property
    def time(self) -> float:
        return float(self.clock[at.TIME])

    @property
    def n_out(self) -> int:
        return int(self.counts[at.OUTPUTS])

    @property
    def n_steps(self) -> int:
        return int(self.counts[at.STEPS])
