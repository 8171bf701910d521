"""ODE runs of one network with SBML's events and switches, by compiled backward differentiation or scipy's solvers."""

from __future__ import annotations

from math import inf
from typing import Literal

import numpy as np

from senexo.base.errors import SimulationError
from senexo.engine.formula.forcing import Forcing
from senexo.engine.formula.network import Lowered
from senexo.engine.limits import Limits
from senexo.engine.ode.equations import Equations
from senexo.engine.ode.sbml_events import EventQueue
from senexo.engine.ode.sizes import Sizes
from senexo.engine.ode.stepper import AT_STOP, CHANGED, FAILED, STALLED, Stepper
from senexo.engine.ode.stiff import FINEST, SOLVERS, Flow, Interpolation, Slope, Values

Solver = Literal["BDF5", "LSODA", "BDF", "Radau"]

MOST_STEPS = 5_000_000
# With switches or triggers a step is examined at these points, and is at most that share of the run. Two points
# lie close to its ends, so that a switch that is approached and left again near an end is noticed.
LOOKS = np.array([0.0, 0.02, 0.27, 0.5, 0.73, 0.98, 1.0])
LONGEST_STEP = 1 / 50
# This many restarts within this share of the run are chattering: a state pressed against a switch from both sides.
CHATTER = (100, 1e-7)
BAND = 1e-8  # share of the run in which the band of a softened switch would be crossed
NEAR = 0.05  # of the distance between two marks
UNSEEN = (
    "terms of the model that depend on time change too often to be examined; a narrow pulse in them may have been "
    "stepped over: set max_step to less than its width"
)
MOST_MARKS = 16  # runs whose marks are kept
MOST_STALLS = 100  # chatterings in a row that softening does not end


class Translated:
    """What a network's runs have in common: its equations as programs, and its terms that depend on time alone."""

    def __init__(self, lowered: Lowered) -> None:
        self.lowered, self.equations, self.forcing = lowered, Equations(lowered), Forcing(lowered)
        self._marks: dict[tuple[float, float, tuple[float, ...]], tuple[Values, bool]] = {}

    def marks(self, begin: float, end: float, stand_on: dict[int, float]) -> tuple[Values, bool]:
        """As `Forcing.marks`; those at the start of runs are kept for the next run of the same numbers."""
        if begin != 0.0 or not self.forcing.terms:
            return self.forcing.marks(begin, end, stand_on)
        key = (begin, end, tuple(stand_on.values()))
        found = self._marks.get(key)
        if found is None:
            found = self.forcing.marks(begin, end, stand_on)
            if len(self._marks) >= MOST_MARKS:
                self._marks.clear()
            self._marks[key] = found
        return found


def drawn(lowered: Lowered) -> bool:
    """Whether chance may decide which of two events comes first: only between those with a priority."""
    return any(event.priority is not None for event in lowered.events)


def integrate(
    network: Lowered | Translated,
    v0: Values,
    times: Values,
    *,
    rtol: float = 1e-8,
    atol: float | None = None,
    solver: Solver = "BDF5",
    ties: np.random.Generator | None = None,
    max_step: float | None = None,
    cautions: list[str] | None = None,
    limits: Limits | None = None,
    run: int = 0,
    laws: Values | None = None,
) -> Values:
    """Solve dv/dt = f(v, t) from time 0 and give the whole value vector at each of `times`.

    Steps end where a comparison, a floor or an event's trigger changes (found by bisection on the solver's own
    interpolation, to the last bit of time), so the solver never crosses a jump. A value at the time of an event is
    the one after it.

    Parameters
    ----------
    network
        The network, as `senexo.engine.formula.lower.lower` makes it; `Translated` of it spares each run but the first
        to translate it.
    v0
        Values at time 0 [n_slots], as `senexo.engine.formula.evaluate.initial_values` makes them.
    times
        Ascending, the first 0 or later, in the model's time unit [n_times].
    rtol, atol
        Local error of a step; `atol` in amounts, by default 1e-4 `rtol` of the largest size that each quantity has had
        so far (see `senexo.engine.ode.sizes`).
    solver
        Backward differentiation in compiled code, or scipy's LSODA, BDF or Radau; when one fails, the others are tried
        from where it failed. scipy's are used for models with delays, algebraic rules or fast reactions, for softened
        switches, for rates without a derivative in closed form, and where the Jacobian is large and full.
    ties
        Breaks ties between events of equal priority at random (by default numpy's generator of seed 0).
    max_step
        Longest step, in the model's time unit. By default steps are as long as the tolerance allows; they do not pass
        over pulses in terms that depend on time alone (see `senexo.engine.formula.forcing`).
    cautions
        Takes a sentence for everything that may be less accurate than `rtol` says.
    limits, run
        A run that reaches one is no error: its values are nan from there on, and `limits.ended[run]` says why.
    laws
        Takes the rates of the reactions at `times` [n_times, n_reactions].

    Returns
    -------
    numpy.ndarray
        Values [n_times, n_slots].

    Raises
    ------
    SimulationError
        A derivative is not a number, or no solver gets further.

    References
    ----------
    Backward differentiation: doi 10.1137/S1064827594276424. LSODA: doi 10.1137/0904010. SBML events: doi
    10.1515/jib-2017-0080, section 4.12.

    Examples
    --------
    >>> import numpy as np
    >>> from senexo.engine.formula.lower import lower
    >>> from senexo.model.expression import Call, Number, Symbol
    >>> from senexo.model.network import Network, Parameter, Rule
    >>> decay = Rule("rate", "x", Call("times", (Number(-1.0), Symbol("x"))))
    >>> network = lower(Network("m", parameters=(Parameter("x", 1.0, constant=False),), rules=(decay,)))
    >>> integrate(network, np.array([1.0]), np.array([0.0, 1.0])).round(6)[:, 0]
    array([1.      , 0.367879])
    """
    with np.errstate(all="ignore"):
        translated = network if isinstance(network, Translated) else Translated(network)
        made = _Run(translated, v0, times, rtol, atol, solver, ties, max_step, laws)
        made.limits = limits
        values = made.values()
    if limits is not None and made.n_out < len(times):
        limits.end(run, made.time, events=not limits.over)
        fixed = np.array([not info.changes for info in translated.lowered.slots])
        made.laws[made.n_out :] = np.nan
        values[made.n_out :] = np.where(fixed, v0, np.nan)
    if cautions is not None:
        cautions.extend(made.cautions())
        cautions.extend(made.queue.accumulations.found())
        cautions.extend(made.queue.below.values())
    return values


class _Run:
    """One run: a clock, the equations' cells, the events, and the outputs still to be written."""

    def __init__(
        self,
        translated: Translated,
        v0: Values,
        times: Values,
        rtol: float,
        atol: float | None,
        solver: Solver,
        ties: np.random.Generator | None,
        max_step: float | None,
        laws: Values | None,
    ) -> None:
        self.equations = translated.equations.anew()
        self.equations.begin(v0)
        self.past = self.equations.past
        self.moved = self._moved(v0)
        self.times, self.end = times, float(times[-1]) if len(times) else 0.0
        if ties is None and drawn(self.equations.lowered):
            ties = np.random.default_rng(0)
        self.queue = EventQueue(self.equations, ties, end=self.end)
        self.out = np.empty((len(times), self.equations.n_slots))
        self.laws = np.empty((len(times), len(translated.lowered.reactions))) if laws is None else laws
        self.n_out = 0
        self.time = 0.0
        self.rtol = rtol
        self.atol = atol
        self.sizes = Sizes(len(self.equations.states), rtol, self.equations.terms) if atol is None else None
        self.solvers = [*([solver] if solver in SOLVERS else []), *(name for name in SOLVERS if name != solver)]
        self.slope: Slope = self.equations.slope
        watching = self.equations.has_switches or not len(self.equations.states)
        self.longest = min(LONGEST_STEP * self.end if watching else inf, inf if max_step is None else max_step)
        self.stepper: Stepper | None = None
        if solver == "BDF5" and self.equations.stepping is not None:
            self.stepper = Stepper(
                self.equations, times, self.out, self.laws,
                rtol=max(rtol, FINEST), atol=atol, sizes=self.sizes, end=self.end, longest=self.longest,
            )  # fmt: skip
        self.translated, self.forcing = translated, translated.forcing
        self.marked: dict[int, float] | None = None  # what the present marks stand on
        self.marks, self.unseen = np.array([self.end]), False
        self.n_steps = 0
        self.restarts: list[float] = []
        self.stalls = 0
        self.limits: Limits | None = None

    def values(self) -> Values:
        self.instant()
        if self.past is not None:
            self.past.breaks.add(0.0, self.past.lags(self.equations.memory))
        while self.n_out < len(self.times) and not self.limited:
            stop = min(self.end, self.queue.next_time)
            self.stretch(stop if self.past is None else min(stop, self.past.breaks.next(self.time)))
        return self.out

    @property
    def limited(self) -> bool:
        """Whether the run ends here, at a limit."""
        limits = self.limits
        return limits is not None and (
            limits.over or (limits.events is not None and self.queue.n_executed >= limits.events)
        )

    def _moved(self, v0: Values) -> list[str]:
        """States that the constraints have moved at the start."""
        if self.equations.constraints is None:
            return []
        states = self.equations.states
        before, now = v0[states], self.equations.state()
        moved = np.abs(now - before) > 1e-6 * np.maximum(np.abs(now), np.abs(before))
        along = self.equations.lowered.algebra is not None and any(
            item.along for item in self.equations.lowered.algebra.invariants
        )
        return [] if along else [self.equations.lowered.slots[slot].id for slot in states[moved]]

    def cautions(self) -> list[str]:
        """What may be less accurate than the tolerance says."""
        found = []
        if self.moved:
            found.append(
                f"the initial values of {', '.join(self.moved[:5])} do not satisfy the algebraic rules; the run begins"
                " at the nearest values that do"
            )
        if self.unseen:
            found.append(UNSEEN)
        if self.sizes is not None and len(lost := self.sizes.lost()):
            names = [self.equations.lowered.slots[slot].id for slot in self.equations.states[lost]]
            shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
            found.append(
                f"{shown}: too small beside the other quantities to be followed to rtol (rounding errors, or too many "
                f"steps); accurate to about {self.sizes.least():.1g} in amounts; set atol to decide this yourself"
            )
        return found

    def instant(self) -> bool:
        """Let the events of the present time happen and write its output; True if the solver has to start anew."""
        executed = self.queue.settle(self.time)
        if executed and self.past is not None:
            self.past.breaks.add(self.time, self.past.lags(self.equations.memory))
        self.seen = self.equations.look()
        self.outcomes = self.equations.watched.copy()
        switched = self.equations.n_modes > 0 and self.equations.adopt()
        while self.n_out < len(self.times) and self.times[self.n_out] <= self.time:
            self.write_now()
        return executed or switched

    def write_now(self) -> None:
        self.out[self.n_out] = self.equations.memory[: self.equations.n_slots]
        self.laws[self.n_out] = self.equations.laws()
        self.n_out += 1

    def stretch(self, stop: float) -> None:
        """Integrate until `stop`, or until an event or a switch changes the equations."""
        if self.stepper is not None and self.compiled(self.stepper, stop):
            return
        flow = self.flow(stop)
        if self.past is not None:
            self.past.stop = stop
        while self.time < stop:
            if self.limited:
                return
            begin, interpolate = flow.time, flow.step()
            self.n_steps += 1
            if self.n_steps > MOST_STEPS:
                raise SimulationError(f"more than {MOST_STEPS} steps were needed to reach time {self.time:g}")
            if self.through(begin, flow.time, interpolate):
                self.after()
                self.note_restart()
                return
            if self.queue.next_time < stop:  # a delayed event was scheduled on the way: the next stretch ends there
                break
        at_break = self.after()
        if self.queue.next_time <= self.time or at_break:
            self.instant()

    def compiled(self, stepper: Stepper, stop: float) -> bool:
        """`stretch` by compiled code; False where it has failed, at the time that it has come to."""
        self.mark()
        fresh = True
        while not self.limited:
            last = self.queue.next_time > stop
            ended = stepper.advance(self.time, stop, self.marks, self.outcomes, self.n_out, fresh=fresh, last=last)
            fresh = False
            self.time, self.n_out = stepper.time, stepper.n_out
            if stepper.n_steps > MOST_STEPS:
                raise SimulationError(f"more than {MOST_STEPS} steps were needed to reach time {self.time:g}")
            if ended == AT_STOP:
                if self.queue.next_time <= self.time:
                    self.instant()
                return True
            if ended == CHANGED:
                restart = self.instant()
                if restart or self.queue.next_time < stop:
                    if restart:
                        self.note_restart()
                    return True
            elif ended == FAILED or (ended == STALLED and not stepper.raise_floor()):
                self.seen = self.equations.look()
                return False
        return True

    def after(self) -> bool:
        """At the end of a stretch: what was delayed is seen from behind a jump; True if there is one."""
        if self.past is None:
            return False
        self.past.stop = inf
        at_break = self.time in self.past.breaks.times
        self.past.breaks.pass_by(self.time, self.past.lags(self.equations.memory))
        self.equations.refresh()
        return at_break

    def through(self, begin: float, end: float, interpolate: Interpolation) -> bool:
        """Go through one finished step, stopping at each change; True if the rest of it is void."""
        while (change := self.first_change(begin, end, interpolate)) is not None:
            self.equations.remember(begin, change, interpolate)
            self.write(change, interpolate, last=False)
            self.goto(change, interpolate)
            if self.instant() or self.queue.next_time < end:
                return True
            begin = change
        self.equations.remember(begin, end, interpolate)
        last = self.queue.next_time > end and not (self.past is not None and end in self.past.breaks.times)
        self.write(end, interpolate, last=last)
        self.goto(end, interpolate)
        return False

    def goto(self, time: float, interpolate: Interpolation) -> None:
        self.time = time
        self.equations.put(time, interpolate(time))

    def write(self, until: float, interpolate: Interpolation, *, last: bool) -> None:
        """Outputs before `until`, and at it if nothing more happens there."""
        while self.n_out < len(self.times):
            time = float(self.times[self.n_out])
            if time > until or (time == until and not last):
                return
            self.equations.put(time, interpolate(time))
            self.equations.look()
            self.write_now()

    # ---- changes inside a step

    def first_change(self, begin: float, end: float, interpolate: Interpolation) -> float | None:
        """The first time after `begin` at which a switch or trigger differs from what it was there."""
        if not self.equations.has_switches or begin >= end:
            return None
        times = begin + (end - begin) * LOOKS
        points, gaps = interpolate(times), np.empty((len(times), len(self.equations.gaps)))
        for k, time in enumerate(times):
            different = self.differs(float(time), points[:, k]) and k > 0
            gaps[k] = self.equations.gaps
            if different:
                return self.bisect(float(times[k - 1]), float(time), interpolate)
            if k > 1 and (touch := self.touching(times[k - 2 : k + 1], gaps[k - 2 : k + 1], interpolate)):
                return self.bisect(begin, touch, interpolate)
        return None

    def differs(self, time: float, y: Values) -> bool:
        self.equations.put(time, y)
        return self.equations.look() != self.seen

    def bisect(self, low: float, high: float, interpolate: Interpolation) -> float:
        """The first time in (low, high] at which something differs, to neighbouring numbers."""
        while True:
            middle = 0.5 * (low + high)
            if not low < middle < high:
                return high
            if self.differs(middle, interpolate(middle)):
                high = middle
            else:
                low = middle

    def touching(self, times: Values, gaps: Values, interpolate: Interpolation) -> float | None:
        """A time between three of the points at which a comparison that came close did change, by golden section."""
        near = (np.abs(gaps[1]) < np.abs(gaps[0])) & (np.abs(gaps[1]) < np.abs(gaps[2]))
        for index in np.flatnonzero(near & (gaps[0] * gaps[2] > 0.0)):
            low, high = float(times[0]), float(times[2])
            for _ in range(30):
                left, right = low + 0.382 * (high - low), low + 0.618 * (high - low)
                size = []
                for time in (left, right):
                    if self.differs(time, interpolate(time)):
                        return time
                    size.append(abs(self.equations.gaps[index]))
                low, high = (low, right) if size[0] < size[1] else (left, high)
        return None

    def note_restart(self) -> None:
        """Soften the switches between which a state is held; give up where that does not help."""
        count, share = CHATTER
        self.restarts.append(self.time)
        if len(self.restarts) < count:
            return
        self.stalls = self.stalls + 1 if self.time - self.restarts[0] < share * self.end else 0
        if self.stalls > MOST_STALLS:
            raise SimulationError(f"at time {self.time:g} events or switches follow each other without end")
        if self.stalls:
            self.equations.soften(BAND * self.end)
            self.slope, self.stepper = self.equations.soft_slope, None
        self.restarts.clear()
        self.equations.flipped[:] = False

    # ---- solvers

    def flow(self, stop: float) -> Flow:
        y = self.equations.state()
        slope = self.slope(self.time, y)
        bad = np.flatnonzero(~np.isfinite(slope) | ~np.isfinite(y))
        if len(bad):
            name = self.equations.lowered.slots[self.equations.states[bad[0]]].id
            raise SimulationError(
                f"at time {self.time:g}, {name} is {y[bad[0]]:g} and its rate of change {slope[bad[0]]:g}"
            )
        self.mark()
        if self.sizes is not None:
            self.sizes.begin(self.slope, self.time, y, self.end - self.time)
        return Flow(
            self.slope, self.time, y, stop, rtol=self.rtol, atol=self.atol or 0.0, longest=self.longest,
            solvers=self.solvers, sizes=self.sizes, reach=self.reach,
            names=[self.equations.lowered.slots[slot].id for slot in self.equations.states],
        )  # fmt: skip

    def mark(self) -> None:
        """Find where the terms that depend on time alone change, if an event has changed what they stand on."""
        stand_on = self.forcing.read(self.equations.memory)
        if self.marked is None or stand_on != self.marked:
            self.marks, complete = self.translated.marks(self.time, self.end, stand_on)
            self.marked, self.unseen = stand_on, self.unseen or not complete

    def reach(self, time: float) -> float:
        """The mark that the next step may not pass; one that lies close ahead is passed, to spare a tiny step."""
        return min(
            self.mark_ahead(time), inf if self.past is None else self.past.reach(time, self.end, self.equations.memory)
        )

    def mark_ahead(self, time: float) -> float:
        k = int(np.searchsorted(self.marks, time, side="right"))
        if k + 1 >= len(self.marks):
            return inf if k >= len(self.marks) else float(self.marks[k])
        near = self.marks[k] - time < NEAR * (self.marks[k + 1] - self.marks[k])
        return float(self.marks[k + near])
