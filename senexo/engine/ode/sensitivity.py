"""Runs of one network with the exact derivatives of its states by any of its constants and initial values."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import SimulationError, UnsupportedFeature
from senexo.engine.formula.forcing import Forcing
from senexo.engine.formula.network import Lowered
from senexo.engine.ode import bdf_places as at
from senexo.engine.ode.equations import Equations
from senexo.engine.ode.sizes import Sizes
from senexo.engine.ode.stepper import AT_STOP, FAILED, STALLED, Stepper

Floats = NDArray[np.float64]

MOST_STEPS = 200_000  # of one run; a fit gives a corner of its bounds up before a single run would be
LOOSER = 100.0  # tolerance of sensitivities beside that of the state, whose steps they share
_DIFFERENCES = 8


@dataclass(frozen=True, slots=True)
class Course:
    """What was found: values [times, slots] and d state / d parameter [times, parameters, states]."""

    values: Floats
    slopes: Floats


class Sensitivities:
    """A network's equations with their derivatives; any number of runs, one at a time.

    Parameters
    ----------
    lowered
        The network, as `senexo.engine.formula.lower.lower` makes it.
    by
        Slots that stay the same during a run, by which the rates are differentiated.

    Raises
    ------
    UnsupportedFeature
        The network has events, delays, algebraic rules, fast reactions, comparisons or steps in its rates, or a rate
        without a derivative in closed form.

    Examples
    --------
    >>> from senexo.engine.formula.network import Assigned, SlotInfo
    >>> from senexo.model.expression import Call, Slot
    >>> decay = Call("minus", (Call("times", (Slot(1), Slot(0))),))
    >>> slots = (SlotInfo("x", "parameter", changes=True), SlotInfo("k", "parameter"))
    >>> network = Lowered(slots, np.array([1.0, 0.5]), (), (), (Assigned(0, decay),), (), (), ())
    >>> found = Sensitivities(network, [1]).solve(np.array([1.0, 0.5]), np.array([[0.0, 1.0]]), np.array([2.0]))
    >>> found.slopes.ravel().round(6)
    array([-0.735759])
    """

    def __init__(self, lowered: Lowered, by: list[int]) -> None:
        if lowered.events:
            raise UnsupportedFeature("sensitivities across events", f"event {lowered.events[0].id}")
        if lowered.delays or lowered.algebra is not None:
            raise UnsupportedFeature("sensitivities of delays, algebraic rules and fast reactions")
        self.lowered, self.by = lowered, list(by)
        self.equations, self.forcing = Equations(lowered, by), Forcing(lowered).without_monotone()
        if self.equations.has_switches:
            raise UnsupportedFeature("sensitivities across comparisons and steps in formulas")
        if self.equations.stepping is None:
            raise UnsupportedFeature("sensitivities of this model", "a rate has no derivative in closed form")
        self.states = self.equations.states

    def solve(
        self, v0: Floats, by_parameters: Floats, times: Floats, *, rtol: float = 1e-8, scale: Floats | None = None
    ) -> Course:  # fmt: skip
        """Values and sensitivities at `times` of the run from v0.

        Parameters
        ----------
        v0
            Values at time 0 [slots].
        by_parameters
            d v0 / d parameter [parameters, slots]: of the states at the start, and of the constants at all times.
        times
            Ascending, finite, the first 0 or later.
        rtol
            Relative tolerance of a step; that of sensitivities is `LOOSER` times it.
        scale
            Sizes of the parameters [parameters]; None: 1. Sensitivities that are small beside state / scale count as 0.

        Raises
        ------
        SimulationError
            The run cannot be carried to its end.
        """
        n, p = len(self.states), len(by_parameters)
        found = np.zeros((len(times), p, n))
        begin = np.ascontiguousarray(by_parameters[:, self.states])
        equations = self.equations.anew()
        equations.begin(v0)
        equations.look()
        out, laws = np.empty((len(times), len(v0))), np.empty((len(times), len(self.lowered.reactions)))
        at_start = int(np.searchsorted(times, 0.0, side="right"))
        out[:at_start], found[:at_start] = equations.memory[: len(v0)], begin
        end = float(times[-1]) if len(times) else 0.0
        if at_start == len(times):
            return Course(out, found)
        if not n:
            return self._without_states(equations, out, found, times)
        # its kernels are compiled at import: only for who uses them
        from senexo.engine.ode.sensitivity_kernel import TOLERANCE, advance_with_slopes

        sizes = Sizes(n, rtol, equations.terms)
        stepper = Stepper(equations, times, out, laws, rtol=rtol, atol=None, sizes=sizes, end=end, longest=inf)
        stepper.counts[at.OUTPUTS] = at_start
        marks, _ = self.forcing.marks(0.0, end, self.forcing.read(equations.memory))
        slopes, track = np.zeros((_DIFFERENCES, p * n)), np.zeros(2)
        slopes[0], track[TOLERANCE] = begin.ravel(), LOOSER * rtol
        weights = np.ascontiguousarray(by_parameters[:, self.by].T).reshape(len(self.by), p)
        sizes_of = np.ones(p) if scale is None else np.where(scale > 0.0, scale, 1.0)
        programs = equations.stepping
        assert programs is not None
        span, fresh = np.array(programs.by_inputs, dtype=np.int64), True
        while True:
            ended = advance_with_slopes(
                equations.code, equations.memory, stepper.whole, stepper.numbers, marks, stepper.times, out, laws,
                programs.inputs, span, weights, sizes_of, slopes, track, found, end, fresh, stepper.budget,
            )  # fmt: skip
            fresh = False
            if ended == AT_STOP:
                return Course(out, found)
            if ended == FAILED or (ended == STALLED and not stepper.raise_floor()):
                raise SimulationError(f"at time {stepper.time:g} no step is short enough")
            if stepper.n_steps > MOST_STEPS:
                raise SimulationError(f"more than {MOST_STEPS:,} steps were needed to reach time {stepper.time:g}")

    def _without_states(self, equations: Equations, out: Floats, found: Floats, times: Floats) -> Course:
        for row, time in enumerate(times):
            equations.put(float(time), np.empty(0))
            equations.look()
            out[row] = equations.memory[: out.shape[1]]
        return Course(out, found)

    def derivatives(self, v: Floats) -> tuple[Floats, Floats, Floats]:
        """Rates [n], d rate / d state [n, n] and d rate / d quantity of `by` [n, q], at a state and time 0."""
        from senexo.engine.formula.machine import run

        equations, programs = self.equations.anew(), self.equations.stepping
        assert programs is not None
        equations.begin(v)
        equations.look()
        for span in (programs.derive, programs.rates, programs.slopes, programs.by_inputs):
            run(equations.code, span.first, span.last, equations.memory)
        n = len(self.states)
        jacobian, by_inputs = np.zeros((n, n)), np.zeros((n, len(self.by)))
        for e, (i, j, _) in enumerate(programs.entries):
            jacobian[i, j] = equations.memory[programs.slope_cell + e]
        for i, q, cell in programs.inputs:
            by_inputs[i, q] = equations.memory[cell]
        rates = equations.memory[programs.rate_cell : programs.rate_cell + n].copy()
        return rates, jacobian, by_inputs
